"""When a share is due: pure, on the blogger's own clock; what is booked already is an argument.

What an account's schedule promises, always: nothing in its ``quiet`` hours, ``min_gap`` between two of its posts, no
more than ``max_per_day`` of them on a day of its zone, one share a slot. A share that finds no room goes to the next.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from reverberate.walltime import DAY, day_of, instant, wall_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
NONE = timedelta(0)
AGAIN = "again after "
"""How the slots of further shares of a post begin."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def parse_duration(text: str) -> timedelta:
    """``"90s"``, ``"10m"``, ``"1h30m"``, ``"2d"`` as a timedelta.

    Raises:
        ValueError: it is none of these.
    """
    if not re.fullmatch(r"(\d+[dhms])+", text):
        raise ValueError(f'a length of time is written like "10m", "1h30m" or "2d", not {text!r}')
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", text)))


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which an account does not speak; may pass midnight."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Quiet:
        """``"22:00-07:00"``.

        Raises:
            ValueError: it is no such span, or an empty one.
        """
        match = re.fullmatch(r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})", text.strip())
        if not match:
            raise ValueError(f'quiet hours are written like "22:00-07:00", not {text!r}')
        start, end = (time.fromisoformat(clock.zfill(5)) for clock in match.groups())
        if start == end:
            raise ValueError("quiet hours must not cover the whole day")
        return cls(start, end)

    def over(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """What the clock shows when the quiet hours end in which this instant lies (naive); None if it lies in none."""
        today = at.astimezone(zone).date()
        for day in (today - DAY, today, today + DAY):  # the last: a clock that was put back over midnight
            end = datetime.combine(day if self.start < self.end else day + DAY, self.end)
            if instant(datetime.combine(day, self.start), zone) <= at < instant(end, zone):
                return end
        return None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of day, on some days of the week (0 is Monday)."""

    days: frozenset[int]
    clock: time

    @classmethod
    def parse(cls, text: str) -> list[Slot]:
        """``"Mon-Fri 09:00, 17:30"``, ``"Sat,Sun 11:00"``, ``"08:15"`` (every day).

        Raises:
            ValueError: it is no such time.
        """
        match = re.fullmatch(r"\s*([A-Za-z][A-Za-z,\s-]*?)?\s*(\d{1,2}:\d{2}(?:\s*,\s*\d{1,2}:\d{2})*)\s*", text)
        if not match:
            raise ValueError(f'a slot is written like "Mon-Fri 09:00, 17:30", not {text!r}')
        days = frozenset(_days(match[1])) if match[1] else frozenset(range(7))
        return [cls(days, time.fromisoformat(clock.strip().zfill(5))) for clock in match[2].split(",")]

    def __str__(self) -> str:
        """As it may be written."""
        names = "" if len(self.days) == 7 else ",".join(DAYS[day] for day in sorted(self.days)) + " "
        return f"{names}{self.clock:%H:%M}"


def _days(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        yield from (day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0)))


def _day(word: str) -> int:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    meant = [
        number for number, name in enumerate(names) if len(word.strip()) > 1 and name.startswith(word.strip().lower())
    ]
    if not meant:
        raise ValueError(f"a day is one of {', '.join(DAYS)}, not {word.strip()!r}")
    return meant[0]


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``burst`` at once, and then one in every ``interval``."""

    interval: timedelta
    burst: int = 1

    @classmethod
    def parse(cls, text: str) -> Pace:
        """``"300/3h"``, ``"50/day"``, ``"1/10m"``.

        Raises:
            ValueError: it is no such rate.
        """
        match = re.fullmatch(r"\s*([1-9]\d{0,5})\s*/\s*(\S+)\s*", text)
        words = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d", "week": "7d", "month": "30d"}
        if not match:
            raise ValueError(f'a rate is written like "300/3h" or "50/day", not {text!r}')
        span = parse_duration(words.get(match[2], match[2]))
        if not span:
            raise ValueError("a rate needs a span of time")
        return cls(span / int(match[1]), int(match[1]))

    def taken(self, full: datetime | None, *, now: datetime) -> datetime | None:
        """When the burst is whole again if one goes now; None if none may go now. ``full`` is that of before."""
        base = max(full or now, now)
        return None if base - now > self.interval * (self.burst - 1) else base + self.interval

    def next_turn(self, full: datetime, booked: datetime) -> datetime:
        """When the next one may go that has to wait; ``booked`` is the last turn that was given away so."""
        return max(full - self.interval * (self.burst - 1), booked + self.interval)


@dataclass(frozen=True, slots=True)
class Daily:
    """At most ``number`` on a day of the zone: as Pace, with what went today counted in seconds after its end."""

    number: int
    zone: ZoneInfo

    def taken(self, full: datetime | None, *, now: datetime) -> datetime | None:
        """The count if one goes now; None if none may go any more today. ``full`` is the count before."""
        _, end = day_of(now, self.zone)
        base = max(full or end, end)
        return None if base - end >= timedelta(seconds=self.number) else base + timedelta(seconds=1)

    def next_turn(self, full: datetime, booked: datetime) -> datetime:  # noqa: ARG002 - as Pace; all wait for the same midnight
        """When tomorrow begins."""
        return day_of(full, self.zone)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When an account speaks.

    Attributes:
        delay: how long after the post came in, at the least.
        slots: at these times only, one share each; whenever it is allowed when there are none.
        quiet: not in these hours; a slot in them gives its share when they end.
        min_gap: at least so long between two shares.
        max_per_day: at most so many on a day of the zone, or None.
        jitter: later than planned by up to so long, each share by its own length.
    """

    delay: timedelta = NONE
    slots: tuple[Slot, ...] = ()
    quiet: Quiet | None = None
    min_gap: timedelta = NONE
    max_per_day: int | None = None
    jitter: timedelta = NONE

    @property
    def booked(self) -> bool:
        """Whether it matters what else is planned."""
        return bool(self.slots or self.min_gap or self.max_per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a share is due.

    Attributes:
        due: the instant (UTC).
        wall: what the zone's clock shows then, before ``spread`` (naive); None where no clock was looked at.
        spread: how long after that.
        fixed: whether a person chose the moment; the schedule is then not asked.
    """

    due: datetime
    wall: datetime | None = None
    spread: timedelta = NONE
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What is booked already: the instants in order, and the slots (what the clock shows) that were given away."""

    instants: Sequence[datetime] = ()
    walls: frozenset[datetime] = field(default_factory=frozenset)


NOTHING = Taken()


def fixed(at: datetime, zone: ZoneInfo) -> Moment:
    """The moment that a person named: a naive time is on the zone's clock."""
    if at.tzinfo is not None:
        return Moment(due=at.astimezone(UTC), fixed=True)
    return Moment(due=instant(at, zone), wall=at, fixed=True)


def openings(schedule: Schedule, *, zone: ZoneInfo, since: datetime) -> Iterator[Moment]:
    """The slots from ``since`` on, without end, each strictly later than the one before.

    Two slots that fall together (in a gap of daylight saving, or at the end of quiet hours) are one.
    """
    day, last = since.astimezone(zone).date() - 2 * DAY, None  # a slot may be moved by a night, or by a skipped day
    while schedule.slots:
        for clock in sorted({slot.clock for slot in schedule.slots if day.weekday() in slot.days}):
            found = _opening(datetime.combine(day, clock), schedule.quiet, zone)
            if found.due >= since and (last is None or found.due > last):
                yield found
                last = found.due
        day += DAY


def _opening(wall: datetime, quiet: Quiet | None, zone: ZoneInfo) -> Moment:
    at = instant(wall, zone)
    end = quiet.over(at, zone) if quiet else None
    return Moment(due=at, wall=wall) if end is None else Moment(due=instant(end, zone), wall=end)


def first_free(
    schedule: Schedule,
    *,
    zone: ZoneInfo,
    since: datetime,
    wall: datetime | None = None,
    after: datetime | None = None,
    taken: Taken = NOTHING,
    key: str = "",
) -> Moment:
    """The first moment from ``since`` on at which every promise of the schedule holds.

    Args:
        schedule: the account's.
        zone: the zone whose clock it means.
        since: not before this.
        wall: what the clock shows then, where that is what was meant.
        after: not before this either, jitter and all.
        taken: what is booked already, from two days and ``min_gap`` before that on.
        key: makes the share's own jitter, always the same; "" makes none.
    """
    spread = _jitter(schedule.jitter, key)
    begin = max(since, after or since)
    if not schedule.slots:
        wished = Moment(due=since + spread, wall=wall, spread=spread if wall else NONE)
        return _allowed(schedule, zone, wished if wished.due >= begin else Moment(due=begin), taken)
    for opening in openings(schedule, zone=zone, since=begin):
        if opening.wall not in taken.walls:
            for late in dict.fromkeys((spread, NONE)):
                if _later(schedule, zone, opening.due + late, taken) is None:
                    return replace(opening, due=opening.due + late, spread=late)
    raise AssertionError("slots have no end")


def _jitter(most: timedelta, key: str) -> timedelta:
    if not most or not key:
        return NONE
    drawn = int.from_bytes(sha256(key.encode()).digest()[:8])
    return timedelta(seconds=drawn % (int(most.total_seconds()) + 1))


def _allowed(schedule: Schedule, zone: ZoneInfo, found: Moment, taken: Taken) -> Moment:
    while (later := _later(schedule, zone, found.due, taken)) is not None:
        found = later
    return found


def _later(schedule: Schedule, zone: ZoneInfo, at: datetime, taken: Taken) -> Moment | None:
    """A later moment that is worth a try, because a promise does not hold at this one; None if all hold."""
    if schedule.quiet and (end := schedule.quiet.over(at, zone)):
        return Moment(due=instant(end, zone), wall=end)
    if near := _too_near(at, schedule.min_gap, taken.instants):
        return Moment(due=near + schedule.min_gap)
    if schedule.max_per_day is not None:
        start, end = day_of(at, zone)
        if bisect_left(taken.instants, end) - bisect_left(taken.instants, start) >= schedule.max_per_day:
            return Moment(due=end, wall=wall_of(end, zone))
    return None


def _too_near(at: datetime, gap: timedelta, instants: Sequence[datetime]) -> datetime | None:
    """The last booked instant that is less than ``gap`` away."""
    if not gap:
        return None
    last = bisect_left(instants, at + gap) - 1
    return instants[last] if last >= 0 and at - instants[last] < gap else None
