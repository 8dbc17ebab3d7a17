"""The ledger: what the sandbox accepted, a line each, written before the answer leaves. It is the judge."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted post.

    Attributes:
        at: when, in ISO 8601.
        network: the network's name.
        account: the account's name.
        remote_id: the network's id of it.
        permalink: its page in the sandbox.
        text: what it says.
        link: the link that it carries beside the text, or "".
        key: the idempotency key that came with it, or "".
        details: whatever else its network shows (the card, the record).
    """

    network: str
    account: str
    remote_id: str
    permalink: str
    text: str
    link: str = ""
    key: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


class Ledger:
    """An append-only file of entries, and the same in memory. Safe for threads."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._entries = self.read(path)
        self._file = path.open("a", encoding="utf-8")
        self._fsync = fsync
        self.lock = threading.RLock()
        """Held by a personality while it decides whether to accept."""

    @staticmethod
    def read(path: Path) -> list[Entry]:
        """The entries in a file, oldest first; a last line that was cut off by a crash is left out."""
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")
        return [Entry(**json.loads(line)) for line in lines[:-1]]

    def add(self, entry: Entry) -> Entry:
        """Accept: on disk when this returns."""
        with self.lock:
            self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
            self._file.flush()
            if self._fsync:
                os.fsync(self._file.fileno())
            self._entries.append(entry)
        return entry

    def of(self, network: str = "", account: str = "") -> list[Entry]:
        """The entries of a network and an account, newest first."""
        with self.lock:
            found = list(self._entries)
        return [e for e in reversed(found) if network in {"", e.network} and account in {"", e.account}]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
