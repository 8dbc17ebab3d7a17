"""The rules of time zones as this machine has them: the system's, else those of the package ``tzdata``."""

from __future__ import annotations

import zoneinfo
from hashlib import sha256
from importlib.resources import files
from pathlib import Path


def digest(zone: str) -> str:
    """A fingerprint of a zone's rules: it changes when an update changes them; "" where the zone is unknown."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            return sha256(path.read_bytes()).hexdigest()
    packaged = files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    return sha256(packaged.read_bytes()).hexdigest() if packaged.is_file() else ""
