"""Every time zone, every change of its clock from 2024 to 2037, four times of day: the slots are right.

What is right is told in another way than the schedule tells it: never from a wall time to an instant, only from
instants to what the clock shows, on either side of the change.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

import pytest

from reverberate.schedule import Schedule, Slot, first_free, openings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reverberate.schedule import Moment

BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
STEP, AROUND, MINUTE = timedelta(days=5), timedelta(hours=36), timedelta(minutes=1)
DAILY = frozenset(range(7))
NAMES = sorted(available_timezones() - {"localtime", "Factory"})
REGIONS = sorted({name.split("/")[0] if "/" in name else "" for name in NAMES})


def shows(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clock shows."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """The instants at which the zone's offset changes, to the minute."""
    found, at, now = [], BEGIN, offset(BEGIN, zone)
    while at < END:
        after = offset(at + STEP, zone)
        if after != now:
            low, high = at, at + STEP
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                low, high = (middle, high) if offset(middle, zone) == now else (low, middle)
            found.append(high)
        at, now = at + STEP, after
    return found


def clocks(change: datetime, zone: ZoneInfo) -> set[time]:
    """Four times of day: where the gap or fold begins, within it, where it ends, and far from it."""
    begin, end = sorted((shows(change - MINUTE, zone) + MINUTE, shows(change, zone)))
    inside = begin + (end - begin) // 2 // MINUTE * MINUTE
    return {begin.time(), inside.time(), end.time(), (begin + timedelta(hours=9)).time()}


def right(change: datetime, clock: time, zone: ZoneInfo) -> list[datetime]:
    """The instants around a change at which the clock shows this time for the first time on its day, or has passed it.

    Before the change the clock runs at one offset, after it at another; a time that neither shows has been skipped.
    """
    before, after = offset(change - MINUTE, zone), offset(change, zone)
    found = []
    for days in range(-3, 4):
        wall = datetime.combine((change + timedelta(days=days)).date(), clock)
        early, late = ((wall - shift).replace(tzinfo=UTC) for shift in (before, after))
        shown = [at for at, valid in ((early, early < change), (late, late >= change)) if valid]
        found.append(min(shown, default=change))
    return sorted(at for at in found if change - AROUND <= at < change + AROUND)


def cases(region: str) -> Iterator[tuple[ZoneInfo, datetime, time]]:
    for name in NAMES:
        if (name.split("/")[0] if "/" in name else "") == region:
            zone = ZoneInfo(name)
            assert all(later - earlier > 2 * AROUND for earlier, later in pairwise(changes(zone))), "judged one by one"
            for change in changes(zone) or [datetime(2030, 6, 1, 12, tzinfo=UTC)]:
                yield from ((zone, change, clock) for clock in sorted(clocks(change, zone)))


@pytest.mark.parametrize("region", REGIONS)
def test_no_slot_is_lost_doubled_or_moved_by_any_change_of_any_clock(region: str) -> None:
    for zone, change, clock in cases(region):
        rule, wanted = Schedule(slots=(Slot(DAILY, clock),)), right(change, clock, zone)
        assert until(change + AROUND, openings(rule, zone=zone, since=change - AROUND)) == wanted, (zone, change, clock)
        for begin in (change - MINUTE, change, change + MINUTE):
            following = min(at for at in wanted if at >= begin)
            assert first_free(rule, zone=zone, since=begin).due == following, (zone, begin, clock)


def until(end: datetime, found: Iterable[Moment]) -> list[datetime]:
    return [one.due for one in takewhile(lambda one: one.due < end, found)]


def test_the_judge_agrees_with_a_clock_that_is_watched_minute_by_minute() -> None:
    """On one change of each kind: gap, fold, half an hour, two hours, over midnight, a skipped 00:00."""
    names = [
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "America/Havana",
        "Asia/Beirut",
        "America/Nuuk",
    ]
    for zone in map(ZoneInfo, names):
        for change in changes(zone)[4:6]:
            for clock in sorted(clocks(change, zone)):
                assert right(change, clock, zone) == watched(change, clock, zone), (zone.key, change.isoformat(), clock)


def watched(change: datetime, clock: time, zone: ZoneInfo) -> list[datetime]:
    at, found, done = change - AROUND - timedelta(days=1), [], set()
    before = shows(at - MINUTE, zone)
    while at < change + AROUND:
        now = shows(at, zone)
        for day in (before.date(), now.date()):
            wall = datetime.combine(day, clock)
            if day not in done and before < wall <= now:
                done.add(day)
                found.append(at)
        before, at = now, at + MINUTE
    return [at for at in found if at >= change - AROUND]
