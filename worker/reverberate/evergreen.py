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
FEW = 20
"""Accounts that one transaction looks after, so that no delivery waits long for it."""
MARK = "evergreen "


def plan_again(service: Service) -> int:
    """Plan the further shares whose time is near; how many."""
    now = service.now()
    asked, number = _asked(service, now=now), 0
    for start in range(0, len(asked), FEW):
        with service.store.write() as tx:
            posts.lock(tx)
            number += sum(_look(service, tx, *one, now=now) for one in asked[start : start + FEW])
    return number


def _asked(service: Service, *, now: datetime) -> list[tuple[str, Evergreen, timedelta]]:
    """The accounts, their rules and lengths of time for which there is a stride to look at."""
    with service.store.read() as tx:
        done = marks.under(tx, MARK)
    rules = [(name, one.evergreen) for name, one in service.config.accounts.items() if one.evergreen]
    every = [(name, rule, after) for name, rule in rules for after in rule.after]
    return [(name, rule, after) for name, rule, after in every if _open(done.get(_mark(name, after)), after, now=now)]


def _open(done: datetime | None, after: timedelta, *, now: datetime) -> bool:
    return done is None or now - after + LEAD - done >= STRIDE


def _mark(account: str, after: timedelta) -> str:
    return f"{MARK}{account} {int(after.total_seconds())}"


def _look(service: Service, tx: Transaction, account: str, rule: Evergreen, after: timedelta, *, now: datetime) -> int:
    begin, _ = marks.get(tx, _mark(account, after))  # another dispatcher may have been here
    begin, upto = begin or now - after, now - after + LEAD  # what was out long before the rule came is left alone
    if begin >= upto:
        return 0
    marks.put(tx, _mark(account, after), at=upto)
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
