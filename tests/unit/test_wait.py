"""How long a server asks us to stay away, in whichever dialect, and never for longer than is sane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reverberate.policy import LONGEST_WAIT, wait_until

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAMES = ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset-after", "x-ratelimit-reset", "ratelimit-reset")
IN_90 = NOW + timedelta(seconds=90)
EPOCH = int(IN_90.timestamp())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    [
        "90",
        " 90 ",
        "90.0",
        "9e1",
        "+90",
        str(EPOCH),
        f"{EPOCH}.0",
        "Mon, 05 Jan 2026 12:01:30 GMT",
        "Monday, 05-Jan-26 12:01:30 GMT",
        "Mon Jan  5 12:01:30 2026",
        "Mon, 05 Jan 2026 13:01:30 +0100",
        "Mon, 05 Jan 2026 12:01:30 -0000",
        "2026-01-05T12:01:30Z",
        "2026-01-05T12:01:30.000Z",
        "2026-01-05T12:01:30.000000+00:00",
        "2026-01-05T07:01:30-05:00",
        "2026-01-05T12:01:30",
        "2026-01-05 12:01:30Z",
        "20260105T120130Z",
    ],
)
def test_every_dialect_is_understood_under_every_name(name: str, value: str) -> None:
    """An instant without a zone is UTC, and so is what we make of every other."""
    for spelt in (name, name.title(), name.upper()):
        found = wait_until({spelt: value}, now=NOW)
        assert found == IN_90
        assert found.utcoffset() == timedelta(0)


def test_parts_of_a_second_count() -> None:
    assert wait_until({"X-RateLimit-Reset-After": "0.25"}, now=NOW) == NOW + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "10", "X-RateLimit-Reset": "20"}, 20),
        ({"Retry-After": "30", "X-RateLimit-Reset": "20"}, 30),
        ({"Retry-After": "soon", "x-rate-limit-reset": str(EPOCH)}, 90),
        ({"Retry-After": "0", "RateLimit-Reset": "-5"}, 0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "7"}, 7),
    ],
)
def test_the_latest_that_can_be_read_counts(headers: dict[str, str], seconds: float) -> None:
    assert wait_until(headers, now=NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        "86401",
        "999999999",
        str(EPOCH * 1000),  # milliseconds
        str(EPOCH * 1_000_000),
        "1e300",
        "9" * 300,
        "Fri, 31 Dec 2999 23:59:59 GMT",
        "9999-12-31T23:59:59Z",
    ],
)
def test_an_absurd_wait_is_cut(value: str) -> None:
    assert wait_until({"Retry-After": value}, now=NOW) == NOW + LONGEST_WAIT


def test_a_day_is_not_absurd() -> None:
    assert wait_until({"Retry-After": "86399"}, now=NOW) == NOW + timedelta(seconds=86399)


@pytest.mark.parametrize("value", ["1700000000", "Tue, 14 Nov 2023 22:13:20 GMT", "2023-11-14T22:13:20Z"])
def test_an_instant_that_is_past_says_that_we_may_come_now(value: str) -> None:
    assert wait_until({"Retry-After": value}, now=NOW) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


UNREADABLE = [
    "",
    "  ",
    "soon",
    "-1",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "9" * 5000,
    "12:30",
    "Mon, 32 Jan 2026 12:00:00 GMT",
    "Mon, 05 Jan 99999999999999999999 12:00:00 GMT",
    "Mon, 05 Jan 2026 12:00:00 +99999999999999999999",
    "Mon, 05 Jan 2026 12:00:00 +9999",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-05T12:00:00+25:00",
    "\x00",
    "90, 90",
    "90;w=60",
]


@pytest.mark.parametrize("value", UNREADABLE)
def test_what_cannot_be_read_is_ignored(value: str) -> None:
    assert wait_until({"Retry-After": value}, now=NOW) is None
    assert wait_until({"Retry-After": value, "X-RateLimit-Reset": "5"}, now=NOW) == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("headers", [{}, {"Date": "Mon, 05 Jan 2026 12:01:30 GMT"}, {"X-RateLimit-Limit": "300"}])
def test_a_server_that_does_not_say_leaves_it_to_us(headers: dict[str, str]) -> None:
    assert wait_until(headers, now=NOW) is None


NUMBERS = st.one_of(st.integers(), st.floats(), st.decimals()).map(str)
INSTANTS = st.datetimes(timezones=st.timezones() | st.none())
NEARLY = st.from_regex(r"(Mon, )?\d{1,30} Jan \d{1,30} \d{1,3}:\d{1,3}(:\d{1,30})? ([+-]\d{1,30}|GMT|[A-Z]{1,4})")
VALUES = st.one_of(st.text(), NUMBERS, INSTANTS.map(lambda one: one.isoformat()), INSTANTS.map(format_datetime), NEARLY)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
@example({"retry-after": "Mon, 05 Jan 2026 12:00:00 +99999999999999999999"})
@example({"retry-after": "0001-01-01T00:00:00+23:59", "ratelimit-reset": "9999-12-31T23:59:59-23:59"})
def test_whatever_a_server_says_we_know_when_to_come_and_it_is_within_a_day(headers: dict[str, str]) -> None:
    """Never an exception, never for ever, always an instant in UTC."""
    found = wait_until(headers, now=NOW)

    assert found is None or (found <= NOW + LONGEST_WAIT and found.utcoffset() == timedelta(0))


@given(st.integers(min_value=0, max_value=86400))
def test_seconds_mean_what_they_say(seconds: int) -> None:
    assert wait_until({"Retry-After": str(seconds)}, now=NOW) == NOW + timedelta(seconds=seconds)


@given(st.integers(min_value=-86400, max_value=86400))
def test_all_dialects_agree_on_an_instant(seconds: int) -> None:
    instant = NOW + timedelta(seconds=seconds)
    spellings = (str(int(instant.timestamp())), instant.isoformat(), format_datetime(instant, usegmt=True))

    assert {wait_until({"Retry-After": one}, now=NOW) for one in spellings} == {instant}
