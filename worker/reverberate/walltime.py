"""Between a clock on the wall and an instant: pure; what daylight saving skips and repeats is decided here, once.

A time that is skipped is the first instant after the gap; a time that comes twice is the first of the two.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the zone's clocks show ``wall`` (naive).

    It never goes back: a later wall time is never an earlier instant.
    """
    local = wall.replace(tzinfo=zone, fold=0)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _gap_end(local.replace(fold=1).astimezone(UTC), found, zone)


def _gap_end(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's clock jumps."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after.replace(microsecond=0)


def wall_of(at: datetime, zone: ZoneInfo) -> datetime:
    """What the zone's clocks show at an instant, to the second (naive)."""
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day of the zone begins."""
    return instant(datetime.combine(day, time()), zone)


def day_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Begin and end of the zone's day in which an instant lies; a day may have 23 or 25 hours."""
    day = at.astimezone(zone).date()
    if at >= (end := day_start(day + DAY, zone)):  # a clock that was put back over midnight
        return end, day_start(day + 2 * DAY, zone)
    return day_start(day, zone), end


def read(text: str) -> datetime:
    """``2026-12-24 09:00`` (naive: on the blogger's clock), or the same with an offset, as ``...T09:00+01:00`` or ``Z``.

    Raises:
        ValueError: it is neither, or only a date.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or ":" not in text:
        raise ValueError(f'a time is written like "2026-12-24 09:00", not {text!r}')
    return found
