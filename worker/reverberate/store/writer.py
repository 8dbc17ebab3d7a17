"""Group commit: many threads hand in what they want written, one thread commits all that waits in one transaction.

A caller goes on only when its own row is durable. So a hundred senders cost about as many disk flushes as one, and a
crash leaves no more shares in doubt than were in flight.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from reverberate.store import shares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from reverberate.model import Message
    from reverberate.store import Store
    from reverberate.store.shares import Claim, Ending

    Effect: TypeAlias = "Callable[[Connection], None]"

log = logging.getLogger(__name__)
MOST = 500
"""So many wishes at the most in one transaction."""

_Wish: TypeAlias = "tuple[Claim | tuple[Ending, Effect | None], Future[Any]]"


class Writer:
    """One worker's only writer."""

    def __init__(self, store: Store, *, owner: str, lease: timedelta, now: Callable[[], datetime]) -> None:
        self._store, self._owner, self._lease, self._now = store, owner, lease, now
        self._queue: SimpleQueue[_Wish | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def claim(self, claim: Claim) -> tuple[int, Message] | None:
        """The fence and the frozen message, durable; None if the share is not ours to take.

        Raises:
            StoreError: the database did not take it; nothing is claimed.
        """
        future: Future[tuple[int, Message] | None] = Future()
        self._queue.put((claim, future))
        return future.result()

    def settle(self, ending: Ending, effect: Effect | None = None) -> bool:
        """Whether the ending, and ``effect`` with it, was written; False if the share was no longer ours.

        Raises:
            StoreError: the database did not take it.
        """
        future: Future[bool] = Future()
        self._queue.put(((ending, effect), future))
        return future.result()

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            wishes, ended = [first], False
            while len(wishes) < MOST and not self._queue.empty():
                wish = self._queue.get()
                if wish is None:
                    ended = True
                    break
                wishes.append(wish)
            self._commit(wishes)
            if ended:
                return

    def _commit(self, wishes: Sequence[_Wish]) -> None:
        try:
            results = self._write([wish for wish, _ in wishes])
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers, who wait for it
            self._one_by_one(wishes, error)
            return
        for (_, future), result in zip(wishes, results, strict=True):
            future.set_result(result)

    def _one_by_one(self, wishes: Sequence[_Wish], error: Exception) -> None:
        """One bad wish must not fail its neighbours."""
        if len(wishes) == 1:
            wishes[0][1].set_exception(error)
            return
        log.warning("a transaction of %d failed, writing one by one: %s", len(wishes), error)
        for wish in wishes:
            self._commit([wish])

    def _write(self, wishes: Sequence[Claim | tuple[Ending, Effect | None]]) -> list[Any]:
        claims = [wish for wish in wishes if isinstance(wish, shares.Claim)]
        endings = [wish for wish in wishes if not isinstance(wish, shares.Claim)]
        now = self._now()
        with self._store.write() as tx:
            won = shares.claim(tx, claims, owner=self._owner, lease=now + self._lease, now=now) if claims else {}
            ours = shares.settle(tx, [ending for ending, _ in endings]) if endings else set()
            for ending, effect in endings:
                if effect and ending.share_id in ours:
                    effect(tx)
        return [
            won.get(wish.share_id) if isinstance(wish, shares.Claim) else wish[0].share_id in ours for wish in wishes
        ]
