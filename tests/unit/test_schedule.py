"""When a share is due: every promise of a schedule holds, whatever else is booked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverberate import walltime
from reverberate.schedule import Daily, Quiet, Schedule, Slot, Taken, first_free, fixed, openings, parse_duration

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Schedule(quiet=Quiet.parse("22:00-07:00"))


def first_due(schedule: Schedule, *, now: datetime, zone: ZoneInfo = BERLIN) -> datetime:
    return first_free(schedule, zone=zone, since=now + schedule.delay).due


def slots(*texts: str) -> tuple[Slot, ...]:
    return tuple(slot for text in texts for slot in Slot.parse(text))


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

    assert first_due(Schedule(), now=now) == now


def test_a_delay_is_added() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    assert first_due(Schedule(delay=timedelta(minutes=10)), now=now) == now + timedelta(minutes=10)


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
    assert first_due(NIGHT, now=datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_quiet_hours_that_end_inside_a_gap_end_with_the_gap() -> None:
    """Berlin's clock jumps from 02:00 to 03:00 on 2026-03-29; 02:30 never comes."""
    rule = Schedule(quiet=Quiet.parse("23:00-02:30"))
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert first_due(rule, now=now) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_quiet_hours_that_end_twice_end_the_first_time() -> None:
    """On 2026-10-25, 02:30 comes twice in Berlin."""
    rule = Schedule(quiet=Quiet.parse("23:00-02:30"))
    now = datetime(2026, 10, 24, 22, tzinfo=UTC)

    assert first_due(rule, now=now) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "days", "clocks"),
    [
        ("Mon-Fri 09:00, 17:30", "01234", ["09:00", "17:30"]),
        ("Sun 02:30", "6", ["02:30"]),
        ("sat,sunday 9:05", "56", ["09:05"]),
        ("Fri-Mon 12:00", "0456", ["12:00"]),
        ("08:15", "0123456", ["08:15"]),
    ],
)
def test_slots_are_read(text: str, days: str, clocks: list[str]) -> None:
    found = Slot.parse(text)

    assert [f"{slot.clock:%H:%M}" for slot in found] == clocks
    assert all(slot.days == frozenset(map(int, days)) for slot in found)


@pytest.mark.parametrize(
    "text", ["", "Mon", "Mon-Fri", "Mon 25:00", "Mon 9", "S 09:00", "Noday 09:00", "Mon-Fri 09:00;"]
)
def test_what_is_no_slot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Slot.parse(text)


def shown(rule: Schedule, since: str, number: int) -> list[str]:
    """The next slots, as Berlin's clock shows them."""
    found = islice(openings(rule, zone=BERLIN, since=datetime.fromisoformat(since)), number)
    return [f"{one.due.astimezone(BERLIN):%a %d %H:%M%z}" for one in found]


def test_the_coming_slots_follow_the_clock_over_both_changes() -> None:
    weekly = Schedule(slots=slots("Sun 02:30"))

    assert shown(weekly, "2026-03-16T00:00+00:00", 3) == ["Sun 22 02:30+0100", "Sun 29 03:00+0200", "Sun 05 02:30+0200"]
    assert shown(weekly, "2026-10-12T00:00+00:00", 3) == ["Sun 18 02:30+0200", "Sun 25 02:30+0200", "Sun 01 02:30+0100"]


def test_a_slot_that_has_just_begun_is_still_one_and_its_second_coming_is_none() -> None:
    weekly = Schedule(slots=slots("Sun 02:30"))

    assert shown(weekly, "2026-10-25T00:30+00:00", 1) == ["Sun 25 02:30+0200"]
    assert shown(weekly, "2026-10-25T00:30:01+00:00", 1) == ["Sun 01 02:30+0100"]


def test_two_slots_that_fall_together_are_one() -> None:
    rule = Schedule(slots=slots("Sun 02:10, 02:30, 03:00, 03:01"))

    assert shown(rule, "2026-03-29T00:00+00:00", 3) == ["Sun 29 03:00+0200", "Sun 29 03:01+0200", "Sun 05 02:10+0200"]


def test_a_slot_in_quiet_hours_gives_its_share_when_they_end() -> None:
    rule = Schedule(slots=slots("Sun 02:30", "Mon-Fri 09:00"), quiet=Quiet.parse("22:00-07:00"))

    assert shown(rule, "2026-01-03T12:00+00:00", 2) == ["Sun 04 07:00+0100", "Mon 05 09:00+0100"]


def test_a_slot_takes_one_share() -> None:
    rule, now = Schedule(slots=slots("09:00, 17:00")), datetime(2026, 1, 5, 12, tzinfo=UTC)
    first = first_free(rule, zone=BERLIN, since=now)
    assert first.wall is not None
    second = first_free(rule, zone=BERLIN, since=now, taken=Taken([first.due], frozenset({first.wall})))

    assert (first.wall, second.wall) == (datetime(2026, 1, 5, 17), datetime(2026, 1, 6, 9))  # noqa: DTZ001 - on the wall


def test_jitter_is_the_shares_own_and_always_the_same() -> None:
    rule, now = Schedule(slots=slots("09:00"), jitter=timedelta(minutes=5)), datetime(2026, 1, 5, tzinfo=UTC)
    dues = [first_free(rule, zone=BERLIN, since=now, key=key).due for key in ("a", "b", "c", "a")]
    nine = datetime(2026, 1, 5, 8, tzinfo=UTC)

    assert dues[0] == dues[3]
    assert len(set(dues)) == 3
    assert all(nine <= due <= nine + timedelta(minutes=5) for due in dues)


def test_a_time_that_a_person_names_is_on_their_clock_or_says_its_offset() -> None:
    on_the_wall = fixed(walltime.read("2026-03-29 02:30"), BERLIN)
    exact = fixed(walltime.read("2026-12-24T09:00-05:00"), BERLIN)

    assert (on_the_wall.due, on_the_wall.fixed) == (datetime(2026, 3, 29, 1, tzinfo=UTC), True)
    assert (exact.due, exact.wall) == (datetime(2026, 12, 24, 14, tzinfo=UTC), None)


@pytest.mark.parametrize("text", ["", "2026-12-24", "tomorrow", "09:00", "2026-13-01 09:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a time is written like"):
        walltime.read(text)


def test_a_day_has_as_many_turns_as_it_may_have_and_then_the_next_has_them() -> None:
    daily, now = Daily(2, BERLIN), datetime(2026, 10, 25, 12, tzinfo=UTC)
    once = daily.taken(now, now=now)
    twice = daily.taken(once, now=now)

    assert daily.taken(twice, now=now + timedelta(hours=10)) is None
    assert twice is not None
    assert daily.next_turn(twice, now) == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert daily.taken(twice, now=datetime(2026, 10, 25, 23, tzinfo=UTC)) is not None


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
ZONES += ["America/Nuuk", "Atlantic/Azores", "Asia/Beirut", "America/Havana", "Antarctica/Troll", "Pacific/Apia"]
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
RULES = st.builds(
    Schedule,
    delay=st.just(timedelta(0)),
    slots=st.lists(st.builds(Slot, st.frozensets(st.integers(0, 6), min_size=1), CLOCKS), max_size=5).map(tuple),
    quiet=st.none() | st.tuples(CLOCKS, CLOCKS).filter(lambda two: two[0] != two[1]).map(lambda two: Quiet(*two)),
    min_gap=st.sampled_from([0, 60, 1800, 7200, 90000, 200000]).map(lambda seconds: timedelta(seconds=seconds)),
    max_per_day=st.none() | st.integers(1, 4),
    jitter=st.sampled_from([0, 300, 7200]).map(lambda seconds: timedelta(seconds=seconds)),
)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
CHANGES = st.sampled_from([datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])


def heard(quiet: Quiet, at: datetime, zone: ZoneInfo) -> bool:
    """Whether quiet hours were begun and not ended, told by walking the last 50 hours minute by minute.

    Written in another way than the rule itself: each day's begin and end happen once, at the first minute at which the
    clock shows them or, where it jumps over them, at the first minute after the jump.
    """
    begin, silent = at - timedelta(hours=50), False
    done: set[tuple[date, time]] = set()
    before = begin.astimezone(zone).replace(tzinfo=None)
    for minute in range(1, 50 * 60 + 1):
        clock = (
            (begin + timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
        )
        passed = [
            (wall, edge)
            for day in {before.date(), clock.date()}
            for edge in (quiet.start, quiet.end)
            if before < (wall := datetime.combine(day, edge)) <= clock and (day, edge) not in done
        ]
        for wall, edge in sorted(passed, key=lambda one: one[0]):
            done.add((wall.date(), edge))
            silent = edge == quiet.start
        before = max(before, clock) if clock < before else clock
    return silent


@settings(deadline=None)
@given(rule=RULES, now=INSTANTS | CHANGES, zone=st.sampled_from(ZONES).map(ZoneInfo), number=st.integers(1, 12))
def test_every_promise_holds_for_every_share_and_none_starves(
    rule: Schedule, now: datetime, zone: ZoneInfo, number: int
) -> None:
    booked: list[datetime] = []
    walls: set[datetime] = set()
    for share in range(number):
        found = first_free(rule, zone=zone, since=now, taken=Taken(sorted(booked), frozenset(walls)), key=str(share))
        assert found.due >= now
        assert found.wall is None or found.due == walltime.instant(found.wall, zone) + found.spread
        assert not rule.slots or found.wall not in walls, "a slot was given twice"
        booked.append(found.due)
        walls |= {found.wall} if found.wall else set()

    days = [at.astimezone(zone).date() for at in booked]
    assert rule.max_per_day is None or max(map(days.count, days)) <= rule.max_per_day
    times = sorted(booked)
    assert all(later - earlier >= rule.min_gap for earlier, later in pairwise(times))
    longest = max(rule.min_gap, timedelta(days=1)) + timedelta(days=8 if rule.slots else 2)
    assert times[-1] <= now + rule.jitter + number * longest, "it starves"
    if rule.quiet is not None:
        assert not any(heard(rule.quiet, at, zone) for at in {times[0], times[-1]})
