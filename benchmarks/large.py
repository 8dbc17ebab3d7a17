"""Stores for benchmarks: one with a thousand shares and one with a million, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from reverberate.model import Post
from reverberate.store import Store
from support.bulk import fill
from support.servers import postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

POSTS = int(os.environ.get("BENCH_POSTS", "100000"))
LITTLE = 100
ACCOUNTS = 10
ARTICLE = "Word after word, as articles go. " * 120
numbers = count(1)
ONLY = os.environ.get("BENCH_ON", "SQLite PostgreSQL").split()


@contextmanager
def pairs(**filled: Any) -> Iterator[Iterator[tuple[str, str, str]]]:
    """For each kind of database its name, and the addresses of a store of a thousand shares and of a million."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:

        def made() -> Iterator[tuple[str, str, str]]:
            for name in ONLY:
                little, many = (_address(name, size, folder, server) for size in ("little", "many"))
                _fill(name, little, LITTLE, **filled)
                _fill(name, many, POSTS, **filled)
                yield name, little, many

        yield made()


def _address(kind: str, name: str, folder: str, server: str) -> str:
    if kind == "SQLite":
        return f"sqlite:///{folder}/{name}.db"
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server.rsplit('/', 1)[0]}/{name}"


def _fill(kind: str, address: str, posts: int, **filled: Any) -> None:
    began, store = time.perf_counter(), Store(address)
    fill(store, posts=posts, accounts=ACCOUNTS, text=ARTICLE, **filled)
    store.close()
    say(f"{kind}: {posts * ACCOUNTS:,} shares of {posts:,} posts, made in {time.perf_counter() - began:.0f} s")


def new_post() -> Post:
    """One that nobody knows."""
    number = next(numbers)
    return Post(url=f"https://new.example/{number}", title=f"Number {number}", text=f"The {number}th. " * 250)


def at(times: Sequence[float], part: float) -> float:
    """The time, in milliseconds, that so large a part of them does not pass."""
    return sorted(times)[min(int(len(times) * part), len(times) - 1)] * 1000


def middle(times: Sequence[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(times) * 1000


def timed(do: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def beside(what: str, little: Callable[[], object], many: Callable[[], object]) -> None:
    """Do it on both in turns, until it took five seconds, and at most so often."""
    few: list[float] = []
    lots: list[float] = []
    while len(lots) < 30 and sum(lots) < 5:
        few.append(timed(little))
        lots.append(timed(many))
    numbers = (middle(lots), at(lots, 0.95), middle(few), at(few, 0.95))
    say("{:8.1f} {:8.1f} | {:8.1f} {:8.1f}  {}".format(*numbers, what))


def say(words: str) -> None:
    """A line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()
