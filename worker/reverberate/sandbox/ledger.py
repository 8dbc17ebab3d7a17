"""The ledger: what the sandbox accepted, a line each, written before the answer leaves. It is the judge."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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

    at: str
    network: str
    account: str
    remote_id: str
    permalink: str
    text: str
    link: str = ""
    key: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def when(self) -> datetime:
        """``at`` as an instant."""
        return datetime.fromisoformat(self.at)

    @property
    def path(self) -> str:
        """The permalink without the server's address, which may be another after a restart."""
        return urlsplit(self.permalink).path


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of an accepted post later: ``change`` is "edited" (with the new text, details) or "deleted"."""

    change: str
    at: str
    network: str
    remote_id: str
    text: str = ""
    link: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def stamp(instant: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z, as most networks write it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """An append-only file of what was accepted, and what the networks show of it now. Safe for threads."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend(path)
        self.lock = threading.RLock()
        """Held by a personality while it decides whether to accept."""
        self._accepted: list[Entry] = []
        self._shown = _Shown()
        for line in _lines(path):
            self._remember(line)
        self._file = path.open("a", encoding="utf-8")
        self._fsync = fsync

    @staticmethod
    def read(path: Path) -> list[Entry]:
        """Every post that was ever accepted, oldest first; a last line that was cut off by a crash is left out."""
        return [line for line in _lines(path) if isinstance(line, Entry)]

    def add(self, entry: Entry) -> Entry:
        """Accept: on disk when this returns."""
        self._write(entry)
        return entry

    def edit(self, entry: Entry, *, at: datetime) -> Entry:
        """Put this in place of the entry with the same id."""
        self._write(
            Change(
                change="edited",
                at=stamp(at),
                network=entry.network,
                remote_id=entry.remote_id,
                text=entry.text,
                link=entry.link,
                details=entry.details,
            )
        )
        return entry

    def delete(self, entry: Entry, *, at: datetime) -> None:
        """Show it no more; that it was accepted stays true."""
        self._write(Change(change="deleted", at=stamp(at), network=entry.network, remote_id=entry.remote_id))

    def accepted(self) -> list[Entry]:
        """Every post that was ever accepted, oldest first."""
        with self.lock:
            return list(self._accepted)

    def serial(self) -> int:
        """How many were ever accepted."""
        return len(self._accepted)

    def of(self, network: str = "", account: str = "") -> list[Entry]:
        """What a network shows of an account now, newest first."""
        with self.lock:
            return list(self._shown.newest(network, account))

    def newest(
        self, network: str, account: str, *, most: int, where: Callable[[Entry], bool] = lambda _entry: True
    ) -> list[Entry]:
        """The first of ``of`` for which ``where`` holds."""
        with self.lock:
            return list(islice(filter(where, self._shown.newest(network, account)), most))

    def get(self, network: str, remote_id: str) -> Entry | None:
        """The post with this id, if the network still shows it."""
        return self._shown.by_id.get((network, remote_id))

    def under(self, network: str, account: str, key: str) -> Entry | None:
        """The newest post of the account that came with this key, if the network still shows it."""
        return self.get(network, self._shown.by_key.get((network, account, key), ""))

    def at(self, path: str) -> Entry | None:
        """The post whose page is there."""
        return self._shown.by_id.get(self._shown.by_path.get(path, ("", "")))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: Entry | Change) -> None:
        with self.lock:
            self._file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
            self._file.flush()
            if self._fsync:
                os.fsync(self._file.fileno())
            self._remember(line)

    def _remember(self, line: Entry | Change) -> None:
        if isinstance(line, Entry):
            self._accepted.append(line)
            self._shown.add(line)
        elif line.change == "deleted":
            self._shown.take_out(line.network, line.remote_id)
        elif before := self.get(line.network, line.remote_id):
            edited = replace(before, text=line.text, link=line.link, details=line.details)
            self._shown.by_id[line.network, line.remote_id] = edited


class _Shown:
    """What the networks show now, found by id, by key, by page and by account."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[str, str], Entry] = {}
        self.by_key: dict[tuple[str, str, str], str] = {}
        self.by_path: dict[str, tuple[str, str]] = {}
        self._rows: dict[tuple[str, str], dict[tuple[str, str], None]] = {}  # dicts as sets that keep their order

    def add(self, entry: Entry) -> None:
        name = (entry.network, entry.remote_id)
        self.by_id[name] = entry
        self.by_path[entry.path] = name
        if entry.key:
            self.by_key[entry.network, entry.account, entry.key] = entry.remote_id
        for group in _groups(entry):
            self._rows.setdefault(group, {})[name] = None

    def take_out(self, network: str, remote_id: str) -> None:
        if entry := self.by_id.pop((network, remote_id), None):
            for group in _groups(entry):
                del self._rows[group][network, remote_id]

    def newest(self, network: str, account: str) -> Iterator[Entry]:
        return (self.by_id[name] for name in reversed(self._rows.get((network, account), {})))


def _groups(entry: Entry) -> tuple[tuple[str, str], ...]:
    return ("", ""), (entry.network, ""), (entry.network, entry.account)


def _mend(path: Path) -> None:
    """Cut off a last line that a crash left half written, so that the next one begins a line of its own."""
    if path.exists():
        whole = path.read_bytes()
        if whole and not whole.endswith(b"\n"):
            os.truncate(path, whole.rfind(b"\n") + 1)


def _lines(path: Path) -> Iterator[Entry | Change]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        row = json.loads(line)
        yield Change(**row) if "change" in row else Entry(**row)
