"""Forgetting what is old: ``keep`` of ``[service]``. A few rows at a time, so that no delivery waits for it.

Posts, their identities and their shares stay for ever: what was shared once is never shared again.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate.store import forget

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from reverberate.store import Store, Transaction

log = logging.getLogger(__name__)
FEW = 200
"""Rows that one transaction forgets."""
PAUSE = 0.05
"""Seconds between two of them, which are the deliveries'."""


class Retention:
    """Forgets in one store what is older than ``keep``."""

    every = timedelta(hours=1)

    def __init__(
        self, store: Store, *, keep: timedelta, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._keep, self._now = store, keep, now

    def run(self, stop: threading.Event) -> None:
        """Forget all that is old enough, unless stopped meanwhile."""
        before = self._now() - self._keep
        forgotten = 0
        for step in (self._stories, self._events, self._notices, self._pictures):
            for number in step(before):
                forgotten += number
                if stop.wait(PAUSE):
                    return
        if forgotten:
            log.info("forgot %d rows that are older than %d days", forgotten, self._keep.days)

    def _stories(self, before: datetime) -> Iterator[int]:
        number = 0
        while True:
            with self._store.read() as tx:
                found = forget.attempts_after(tx, number, before=before, limit=FEW)
            if not found:
                return
            number = found[-1].id
            if over := sorted({one.share_id for one in found if one.over}):
                with self._store.write() as tx:
                    forget.stories(tx, over)
            yield len(over)

    def _events(self, before: datetime) -> Iterator[int]:
        yield from self._some(lambda tx: forget.old_events(tx, before=before, limit=FEW), forget.drop_events)

    def _notices(self, before: datetime) -> Iterator[int]:
        yield from self._some(lambda tx: forget.old_notices(tx, before=before, limit=FEW), forget.drop_notices)

    def _some(
        self, find: Callable[[Transaction], list[int]], drop: Callable[[Transaction, Sequence[int]], None]
    ) -> Iterator[int]:
        while True:
            with self._store.read() as tx:
                found = find(tx)
            if not found:
                return
            with self._store.write() as tx:
                drop(tx, found)
            yield len(found)

    def _pictures(self, before: datetime) -> Iterator[int]:
        with self._store.read() as tx:
            old = forget.old_pictures(tx, before=before)
        for start in range(0, len(old), 20):  # they are large
            with self._store.write() as tx:
                forget.drop_pictures(tx, old[start : start + 20])
            yield len(old[start : start + 20])
