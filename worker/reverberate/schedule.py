"""When a share is due: pure, in the blogger's own time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


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

    def holds(self, clock: time) -> bool:
        """Whether it is quiet at that time of day."""
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When an account speaks: after ``delay``, but not in its ``quiet`` hours."""

    delay: timedelta = timedelta(0)
    quiet: Quiet | None = None


def first_due(schedule: Schedule, *, zone: ZoneInfo, now: datetime) -> datetime:
    """The first instant (UTC) from ``now + delay`` on at which the account may speak."""
    due = now + schedule.delay
    local = due.astimezone(zone)
    if schedule.quiet is None or not schedule.quiet.holds(local.timetz().replace(tzinfo=None)):
        return due
    end = _at(local.date(), schedule.quiet.end, zone)
    return end if end > due else _at(local.date() + timedelta(days=1), schedule.quiet.end, zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """That time on that day; in a gap of daylight saving the first instant after it, in a fold the first of the two."""
    wall = datetime.combine(day, clock, tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _gap_end(wall.replace(fold=1).astimezone(UTC), instant, zone)


def _gap_end(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's clock jumps."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after.replace(microsecond=0)
