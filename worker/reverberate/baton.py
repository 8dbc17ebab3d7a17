"""The baton: of many threads, one thinks at a time.

Python runs one thread at a time anyway, and a hundred that all want to be it spend more on changing places than on
their work. So who thinks holds the baton, and lends it to the others while it waits for something: a network, the
database, a lock. The baton is a courtesy and protects nothing: from a thread that keeps it for longer than PATIENCE
while others wait, such as a plug-in that waits in its own way, it is taken away.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 0.1
"""Seconds for which one thread may keep it while others wait, and at the most twice as long."""

_Asks: TypeAlias = tuple[int, threading.Lock]
"""A thread's number, and what it waits at."""

_mine = threading.local()
"""This thread's: ``baton``, the one that it holds; None while it is lent, or where there is none."""


class Baton:
    """Held by one thread at a time: by those that were at something before those that begin."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._holder = 0  # a thread's number; 0 is nobody
        self._handed = 0  # how often it changed hands
        self._back: deque[_Asks] = deque()
        self._begin: deque[_Asks] = deque()
        self._free = threading.Event()
        self._free.set()
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._take_away, name="baton", daemon=True)
        self._watch.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it while the block runs, but for the times when it is lent."""
        self.take(begins=True)
        try:
            yield
        finally:
            self.give()

    def take(self, *, begins: bool = False) -> None:
        """Wait for it; who ``begins`` something waits for those who are at something."""
        gate = threading.Lock()
        gate.acquire()
        with self._mutex:
            (self._begin if begins else self._back).append((threading.get_ident(), gate))
            if not self._holder:
                self._free.clear()
                self._hand_on()
        gate.acquire()
        _mine.baton = self

    def give(self) -> None:
        """Hand it on."""
        _mine.baton = None
        with self._mutex:
            if self._holder == threading.get_ident():  # else it was taken away
                self._hand_on()

    def lull(self, seconds: float) -> None:
        """Wait until nobody thinks, but not for longer."""
        self._free.wait(seconds)

    def close(self) -> None:
        """Take it away from nobody any more."""
        self._closed.set()
        self._watch.join()

    def _hand_on(self) -> None:
        queue = self._back or self._begin
        self._holder, gate = queue.popleft() if queue else (0, None)
        self._handed += 1
        if gate:
            gate.release()
        else:
            self._free.set()

    def _take_away(self) -> None:
        seen = -1
        while not self._closed.wait(PATIENCE):
            with self._mutex:
                if self._handed == seen and (self._back or self._begin):
                    self._hand_on()
                seen = self._handed


class _Lent:
    """See ``lent``."""

    __slots__ = ("_baton",)

    def __enter__(self) -> None:
        self._baton: Baton | None = getattr(_mine, "baton", None)
        if self._baton:
            self._baton.give()

    def __exit__(self, *_: object) -> None:
        if self._baton:
            self._baton.take()


def lent() -> _Lent:
    """While the block waits for something, others think; nothing happens in a thread that has no baton."""
    return _Lent()


@contextmanager
def waiting_for(lock: Any) -> Iterator[None]:
    """Hold a lock under which others wait for something themselves."""
    while not lock.acquire(blocking=False):
        with lent():
            lock.acquire()
            lock.release()  # and then for the baton; with the lock in hand it would keep from it those who have the baton
    try:
        yield
    finally:
        lock.release()
