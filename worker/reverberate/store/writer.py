"""Group commit: many threads hand in what they want written, one thread commits all that waits in one transaction.

A share goes on only when its own row is durable. So a hundred of them cost about as many disk flushes as one, and a
crash leaves no more shares in doubt than were in flight.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from reverberate.baton import lent
from reverberate.failpoints import reach
from reverberate.store import claims, endings
from reverberate.store.aftermath import Aftermath, apply
from reverberate.store.claims import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from reverberate.model import JSON
    from reverberate.store import Store
    from reverberate.store.endings import Ending


log = logging.getLogger(__name__)
MOST = 500
"""So many wishes at the most in one transaction."""
CLAIMS = 32
"""So many claims at the most in one: a crash leaves in doubt what is claimed and was not sent."""
GATHER = 0.03
"""Seconds to wait at the most for more, while those who make wishes are at it: a transaction costs more than its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an attempt came to, and what it means for its account."""

    ending: Ending
    aftermath: Aftermath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that is done, which the share's later steps build on."""

    share_id: int
    fence: int
    name: str
    answer: Mapping[str, JSON]


Wish: TypeAlias = Claim | Settlement | Done
Then: TypeAlias = "Callable[[Any, Exception | None], None]"
"""What is called with what came of a wish."""


class Writer:
    """One worker's only writer."""

    def __init__(
        self,
        store: Store,
        *,
        owner: str,
        lease: timedelta,
        now: Callable[[], datetime],
        lull: Callable[[float], object],
    ) -> None:
        """A writer of this owner's claims; ``lull`` waits while more wishes are being made, at the most so many seconds."""
        self._store, self._owner, self._lease, self._now, self._lull = store, owner, lease, now, lull
        self._queue: SimpleQueue[tuple[Wish, Then] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def write(self, wish: Wish, then: Then) -> None:
        """Have it written, and ``then`` called, by the writer's thread, when it is durable or cannot be.

        Of a ``Claim`` comes the fence and the frozen message, or None if the share is not ours to take. Of a
        ``Settlement`` and of a ``Done`` comes whether the share was still ours. Or the StoreError: nothing is written.
        """
        self._queue.put((wish, then))

    def written(self, wish: Wish) -> Any:
        """What comes of it, waited for. Raises StoreError."""
        came, told = threading.Event(), []

        def then(value: Any, error: Exception | None) -> None:
            told.append((value, error))
            came.set()

        self.write(wish, then)
        with lent():
            came.wait()
        ((value, error),) = told
        if error:
            raise error
        return value

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        waiting: deque[tuple[Wish, Then]] = deque()
        ended = False
        while not ended or waiting:
            if not waiting:
                ended = self._take(waiting)
            if not ended:
                self._lull(GATHER)
            while not ended and not self._queue.empty():
                ended = self._take(waiting)
            if waiting:
                self._commit(_picked(waiting))

    def _take(self, waiting: deque[tuple[Wish, Then]]) -> bool:
        """Put one more there, waited for; whether it was the end."""
        if wish := self._queue.get():
            waiting.append(wish)
        return wish is None

    def _commit(self, wishes: Sequence[tuple[Wish, Then]]) -> None:
        try:
            results = self._write([wish for wish, _ in wishes])
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers, who wait for it
            self._one_by_one(wishes, error)
            return
        for (_, then), result in zip(wishes, results, strict=True):
            then(result, None)

    def _one_by_one(self, wishes: Sequence[tuple[Wish, Then]], error: Exception) -> None:
        """One bad wish must not fail its neighbours."""
        if len(wishes) == 1:
            wishes[0][1](None, error)
            return
        log.warning("a transaction of %d failed, writing one by one: %s", len(wishes), error)
        for wish in wishes:
            self._commit([wish])

    def _write(self, wishes: Sequence[Wish]) -> list[Any]:
        wanted = [wish for wish in wishes if isinstance(wish, Claim)]
        ended = [wish for wish in wishes if isinstance(wish, Settlement)]
        done = [wish for wish in wishes if isinstance(wish, Done)]
        now = self._now()
        with self._store.write() as tx:
            kept = {
                (one.share_id, one.name): claims.record(tx, one.share_id, one.fence, one.name, one.answer, now=now)
                for one in done
            }
            won = claims.claim(tx, wanted, owner=self._owner, lease=now + self._lease, now=now) if wanted else {}
            ours = endings.settle(tx, [one.ending for one in ended]) if ended else set()
            apply(tx, [one.aftermath for one in ended if one.aftermath and one.ending.share_id in ours])
            _pass(wanted, done, ended, "before commit")
        _pass(wanted, done, ended, "after commit")

        def result(wish: Wish) -> Any:
            match wish:
                case Claim():
                    return won.get(wish.share_id)
                case Settlement():
                    return wish.ending.share_id in ours
                case Done():
                    return kept[wish.share_id, wish.name]

        return [result(wish) for wish in wishes]


def _picked(waiting: deque[tuple[Wish, Then]]) -> list[tuple[Wish, Then]]:
    """What goes into the next transaction, taken out of what waits."""
    picked: list[tuple[Wish, Then]] = []
    left: list[tuple[Wish, Then]] = []
    claimed = 0
    while waiting and len(picked) < MOST:
        one = waiting.popleft()
        is_claim = isinstance(one[0], Claim)
        if is_claim and claimed == CLAIMS:
            left.append(one)
        else:
            picked.append(one)
            claimed += is_claim
    waiting.extendleft(reversed(left))
    return picked


def _pass(wanted: Sequence[object], done: Sequence[object], ended: Sequence[object], when: str) -> None:
    for what, wishes in (("claim", wanted), ("step", done), ("settle", ended)):
        if wishes:
            reach(f"{what}: {when}")
