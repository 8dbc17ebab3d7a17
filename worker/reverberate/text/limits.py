"""How long a message may be on each network, as data, each row with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a network counts."""

    WEIGHTED = "weighted characters"
    """X: twitter-text configuration v3."""
    GRAPHEMES = "graphemes"
    CHARACTERS = "characters"
    """Unicode code points."""
    UTF16 = "UTF-16 units"
    BYTES = "UTF-8 bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A network's limit on one message part.

    Attributes:
        unit: what is counted.
        maximum: how many of them fit.
        link: what any link counts as, or None where it counts as it is written.
        max_bytes: a second limit in UTF-8 bytes, or None.
        source: the vendor's document that says so.
    """

    unit: Unit
    maximum: int
    link: int | None = None
    max_bytes: int | None = None
    source: str = ""
