"""When a share is due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.schedule import Quiet, Schedule, first_due, parse_duration

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Schedule(quiet=Quiet.parse("22:00-07:00"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("0s", 0), ("1d1h1m1s", 90061)]
)
def test_a_length_of_time_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-5m", "1w", "1.5h", "10m later"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00-07:61", "08:00-08:00", "", "22:00"])
def test_what_are_no_quiet_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Quiet.parse(text)


def test_without_rules_a_share_is_due_at_once() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert first_due(Schedule(), zone=BERLIN, now=now) == now


def test_a_delay_is_added() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert first_due(Schedule(delay=timedelta(minutes=10)), zone=BERLIN, now=now) == now + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-05T21:30+00:00", "2026-01-06T06:00+00:00"),  # 22:30 in Berlin: until 7 tomorrow
        ("2026-01-06T01:00+00:00", "2026-01-06T06:00+00:00"),  # 02:00 in Berlin: until 7 today
        ("2026-01-06T06:00+00:00", "2026-01-06T06:00+00:00"),  # 07:00: the end is no longer quiet
        ("2026-07-05T20:00+00:00", "2026-07-06T05:00+00:00"),  # 22:00 in summer: the start is quiet
        ("2026-03-28T22:00+00:00", "2026-03-29T05:00+00:00"),  # the night in which the clock is put forward
        ("2026-10-24T21:00+00:00", "2026-10-25T06:00+00:00"),  # the night in which it is put back
    ],
)
def test_quiet_hours_are_waited_out_on_the_bloggers_clock(now: str, due: str) -> None:
    assert first_due(NIGHT, zone=BERLIN, now=datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_quiet_hours_that_end_inside_a_gap_end_with_the_gap() -> None:
    """Berlin's clock jumps from 02:00 to 03:00 on 2026-03-29; 02:30 never comes."""
    rule = Schedule(quiet=Quiet.parse("23:00-02:30"))
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert first_due(rule, zone=BERLIN, now=now) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_quiet_hours_that_end_twice_end_the_first_time() -> None:
    """On 2026-10-25, 02:30 comes twice in Berlin."""
    rule = Schedule(quiet=Quiet.parse("23:00-02:30"))
    now = datetime(2026, 10, 24, 22, tzinfo=UTC)

    assert first_due(rule, zone=BERLIN, now=now) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(
    now=st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    start=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    hours=st.integers(1, 23),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_a_due_time_is_never_early_never_quiet_and_at_most_a_day_away(
    now: datetime, start: time, hours: int, zone: str
) -> None:
    end = time((start.hour + hours) % 24, start.minute)
    quiet, site = Quiet(start, end), ZoneInfo(zone)

    due = first_due(Schedule(quiet=quiet), zone=site, now=now)

    assert now <= due <= now + timedelta(hours=26)
    assert due == now or not quiet.holds(due.astimezone(site).time()) or due.astimezone(site).fold
