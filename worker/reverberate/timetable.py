"""Who speaks when: gives shares their times, one after the other, by what is booked in the store.

A share keeps the time that it was given; one that is cancelled, skipped or refused frees it. Everything that places
shares does so under the lock of ``posts.lock``, so that no slot is given away twice.
"""

from __future__ import annotations

from bisect import insort
from datetime import timedelta
from typing import TYPE_CHECKING

from reverberate.schedule import NONE, NOTHING, Taken, first_free
from reverberate.store import bookings

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from reverberate.schedule import Moment, Schedule
    from reverberate.store import Transaction

PAGE = 1000
MARGIN = timedelta(hours=50)
"""What a decision may look at on either side of a moment: its whole day, which may have 25 hours."""


class Timetable:
    """The times of all accounts within one transaction; what it gives away is booked at once."""

    def __init__(self, tx: Transaction, zone: ZoneInfo, *, but: Collection[int] = ()) -> None:
        """``but`` are the numbers of shares whose own bookings do not count."""
        self._tx, self._zone, self._but = tx, zone, but
        self._given: dict[str, list[Moment]] = {}
        self._reached: dict[tuple[str, datetime], datetime] = {}

    def place(
        self,
        account: str,
        schedule: Schedule,
        *,
        since: datetime,
        wall: datetime | None = None,
        after: datetime | None = None,
        key: str = "",
    ) -> Moment:
        """The account's first free moment from ``since`` (and ``after``) on; those that ask alike get their turns."""
        after = max(filter(None, (after, self._reached.get((account, since)))), default=None)
        found = self._search(account, schedule, since, wall=wall, after=after, key=key)
        self._reached[account, since] = found.due - (found.spread if schedule.slots else NONE)
        return self.book(account, found)

    def book(self, account: str, moment: Moment) -> Moment:
        """Let the account speak then, whatever else is booked."""
        insort(self._given.setdefault(account, []), moment, key=lambda given: given.due)
        return moment

    def _search(
        self,
        account: str,
        schedule: Schedule,
        since: datetime,
        *,
        wall: datetime | None,
        after: datetime | None,
        key: str,
    ) -> Moment:
        margin, page = MARGIN + schedule.min_gap + schedule.jitter, PAGE
        while True:
            begin = max(since, after or since)
            taken, complete = self._taken(account, begin - margin, page) if schedule.booked else (NOTHING, None)
            found = first_free(schedule, zone=self._zone, since=since, wall=wall, after=after, taken=taken, key=key)
            if complete is None or found.due < complete - margin:
                return found
            if complete - margin > begin:  # all before that is full
                after = complete - margin
            else:
                page *= 2

    def _taken(self, account: str, since: datetime, limit: int) -> tuple[Taken, datetime | None]:
        rows, complete = bookings.booked(self._tx, account, since=since, limit=limit, but=self._but)
        rows += [(moment.due, moment.wall) for moment in self._given.get(account, ()) if moment.due >= since]
        walls = frozenset(wall for _, wall in rows if wall is not None)
        return Taken(sorted(due for due, _ in rows), walls), complete
