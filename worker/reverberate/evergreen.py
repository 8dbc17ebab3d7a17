"""Evergreen posts: shared again after a while, in other words, until a date.

A further share is planned a day before its time, so that the rules of then decide, and new posts have their slots first.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reverberate.model import ShareState
from reverberate.schedule import AGAIN
from reverberate.service import Planned, new_share
from reverberate.store import bookings, marks, posts, shares
from reverberate.timetable import Timetable
from reverberate.walltime import DAY, day_start, instant, wall_of

if TYPE_CHECKING:
    from datetime import datetime

    from reverberate.config_tables import Evergreen
    from reverberate.schedule import Moment
    from reverberate.service import Service
    from reverberate.store import Transaction
    from reverberate.store.bookings import Original

LEAD = timedelta(days=1)
STRIDE = timedelta(hours=1)
"""So much is looked at at once: the originals of an hour, or of all the time that the service was off."""


def plan_again(service: Service) -> int:
    """Plan the further shares whose time is near; how many."""
    now, number = service.now(), 0
    for name, account in service.config.accounts.items():
        for after in account.evergreen.after if account.evergreen else ():
            number += _look(service, name, account.evergreen, after, now=now) if account.evergreen else 0
    return number


def _look(service: Service, account: str, rule: Evergreen, after: timedelta, *, now: datetime) -> int:
    mark, upto = f"evergreen {account} {int(after.total_seconds())}", now - after + LEAD
    with service.store.read() as tx:
        begin, _ = marks.get(tx, mark)
    if begin is not None and upto - begin < STRIDE:
        return 0
    with service.store.write() as tx:
        posts.lock(tx)
        begin, _ = marks.get(tx, mark)  # another dispatcher may have been here
        begin = begin or now - after  # what was out long before the rule came is left alone
        if begin >= upto:
            return 0
        marks.put(tx, mark, at=upto)
        found = bookings.originals(tx, account, since=begin, until=upto)
        again = _Again(service, tx, Timetable(tx, service.config.zone), account, rule, after, now)
        return sum(again.plan(original) for original in found)


@dataclass(frozen=True, slots=True)
class _Again:
    """Plans further shares on one account, in one transaction."""

    service: Service
    tx: Transaction
    table: Timetable
    account: str
    rule: Evergreen
    after: timedelta
    now: datetime

    def plan(self, original: Original) -> bool:
        """Whether it will be shared again: where the post, the account's rule and the date allow it."""
        state, reason, said = self.service.fate(original.post, self.account)
        if not said.evergreen or state is ShareState.SKIPPED:
            return False
        zone, key = self.service.config.zone, uuid.uuid4().hex
        moment = self._moment(original, key)
        if self.rule.until is not None and moment.due >= day_start(self.rule.until, zone):
            return False
        planned = Planned(state=state, moment=moment, reason=reason)
        name = f"{AGAIN}{self.after // DAY}d"
        new = new_share(original.post_id, self.account, planned, key=key, zone=zone.key, slot=name)
        shares.plan(self.tx, [new], now=self.now)
        return True

    def _moment(self, original: Original, key: str) -> Moment:
        """At the same time of day as the first, whatever the clock did meanwhile; later where that is too soon."""
        schedule, zone = self.service.accounts.get(self.account).schedule, self.service.config.zone
        wall = wall_of(original.wanted, zone) + self.after
        wished, least = instant(wall, zone), max(original.last + self.rule.cooldown, self.now)
        if wished < least:
            return self.table.place(self.account, schedule, since=least, key=key)
        return self.table.place(self.account, schedule, since=wished, wall=wall, key=key)
