"""Every list with each filter, and the one screen: asked over HTTP among a million shares and among a thousand, in turns."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from bench_delivery import child
from large import ACCOUNTS, at, middle, pairs, say

from reverberate.store import Store, tokens
from support.servers import free_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "60"))
PATIENCE = 300
"""Seconds in which a web door must answer, however busy the machine is."""
MOST = 100
"""Milliseconds that the 95th percentile of a list may take."""
SHARES = (
    "",
    "state=refused",
    "state=cancelled",
    "state=sent&state=scheduled",
    "account=a3",
    "source=s2",
    "post=77",
    "account=a3&state=sent",
    "source=s2&state=refused",
    "account=a3&source=s2",
    "account=a3&source=publish",
    "post=77&account=a3&source=s2",
    "since={since}&until={until}",
    "account=a3&since={since}&until={until}",
    "source=s2&since={since}&until={until}",
    "account=a3&source=s2&state=sent&since={since}&until={until}",
)
POSTS = ("", "source=s2", "source=publish", "since={since}&until={until}", "source=s2&since={since}&until={until}")
EVENTS = (
    "",
    "account=a3",
    "source=s2",
    "kind=share%20refused",
    "share=777",
    "post=77",
    "account=a3&kind=share%20refused",
    "account=a3&kind=nothing",
    "account=a3&source=s2",
    "account=a3&kind=share%20sent&share=777",
    "since={since}&until={until}",
    "account=a3&since={since}&until={until}",
)
LISTS = {"shares": SHARES, "posts": POSTS, "events": EVENTS}
OTHERS = (
    "/api/status",
    "/api/shares/777",
    "/api/posts/77",
    "/api/posts/77/why/a3",
    "/api/accounts",
    "/api/accounts/a3",
    "/api/accounts/a3/schedule?limit=10",
    "/api/sources",
    "/api/stats?days=7",
    "/api/stats?days=90&account=a3",
    "/status.json",
    "/metrics",
    "/healthz",
)


@dataclass
class Door:
    """A web door and what it is asked with."""

    address: str
    keys: Iterator[str]
    told: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, path: str) -> requests.Response:
        """One question; the next token's turn, for each may ask so often only."""
        headers = {"Authorization": f"Bearer {next(self.keys)}"}
        answer = self.session.get(self.address + path.format(**self.told), headers=headers, timeout=PATIENCE)
        answer.raise_for_status()
        return answer


def main() -> int:
    """Measure and print; 1 where a list takes too long."""
    slow: list[str] = []
    with pairs() as databases:
        for name, *addresses in databases:
            with ExitStack() as stack:
                little, many = (stack.enter_context(serving(address)) for address in addresses)
                slow += [f"{name}: {question}" for question in measured(name, little, many)]
    for one in slow:
        say(f"more than {MOST} ms: {one}")
    return 1 if slow else 0


@contextmanager
def serving(database: str) -> Iterator[Door]:
    """The real web door on that database, in a process of its own."""
    port, store = free_port(), Store(database)
    with store.write() as tx:
        keys = [tokens.create(tx, f"bench-{n}", tokens.Scope.READ, now=datetime.now(UTC)) for n in range(50)]
    store.close()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "reverberate.toml"
        accounts = (f'[accounts.a{number}]\nnetwork = "memory"\n' for number in range(ACCOUNTS))
        feeds = (f'[sources.s{number}]\ntype = "feed"\nurl = "http://127.0.0.1:9/{number}"\n' for number in range(5))
        own = f'[service]\nlisten = "127.0.0.1:{port}"\n'
        config.write_text(own + "".join(accounts) + "".join(feeds), encoding="utf-8")
        with child(sys.executable, "-m", "reverberate", "--config", str(config), "web", DATABASE_URL=database) as web:
            door = Door(f"http://127.0.0.1:{port}", cycle(keys))
            until_answered(door, web)
            door.told = places(door)
            yield door


def until_answered(door: Door, web: subprocess.Popen[bytes]) -> None:
    """Until it says that it lives."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            door.ask("/healthz")
        except requests.ConnectionError:
            if web.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def places(door: Door) -> dict[str, str]:
    """A week in the midst of what was sent, and cursors that lead deep into each list."""
    first = door.ask("/api/posts?limit=1").json()["items"][0]
    span = timedelta(minutes=10 * first["id"])  # so long ago the first post was seen
    now = datetime.now(UTC)
    middle_of = now - span / 2
    told = {"since": middle_of, "until": middle_of + min(timedelta(days=7), span / 10)}
    stamps = {name: instant.strftime("%Y-%m-%dT%H:%M:%SZ") for name, instant in told.items()}
    for name in LISTS:
        until = stamps["until"] if name != "events" else now.strftime("%Y-%m-%dT%H:%M:%SZ")
        stamps[name] = door.ask(f"/api/{name}?limit=1&until={until}").json()["next"]
    return stamps


def questions() -> Iterator[str]:
    """All that is asked: each list from its beginning and from a place deep inside."""
    yield from OTHERS
    for name, filters in LISTS.items():
        for one in filters:
            yield f"/api/{name}?{one}".rstrip("?")
            yield f"/api/{name}?{one}{'&' if one else ''}cursor={{{name}}}"
    yield "/api/shares?limit=200"


def measured(name: str, little: Door, many: Door) -> Iterator[str]:
    """Ask each question often, of both doors in turns; say what it took, and give those that took too long."""
    took: dict[str, tuple[list[float], list[float]]] = {question: ([], []) for question in questions()}
    for _ in range(ROUNDS):
        for question, (few, lots) in took.items():
            for door, times in ((little, few), (many, lots)):
                began = time.perf_counter()
                door.ask(question)
                times.append(time.perf_counter() - began)
    say(f"{name}: milliseconds among a million: median, p95 | among a thousand: median, p95")
    for question, (few, lots) in took.items():
        numbers = (middle(lots), at(lots, 0.95), middle(few), at(few, 0.95))
        say("{:8.1f} {:8.1f} | {:8.1f} {:8.1f}  {}".format(*numbers, question))
        if numbers[1] >= MOST > numbers[3] and not question.startswith("/api/stats"):  # else the machine is slow
            yield question


if __name__ == "__main__":
    sys.exit(main())
