"""What a server says of itself is asked once for all of its accounts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from reverberate.errors import Transient, Unauthorised
from reverberate.networks.known import AGAIN, Known
from support.world import at_once

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_twenty_that_ask_at_the_same_time_ask_once() -> None:
    known, asked = Known(), []

    def ask() -> str:
        asked.append(1)
        time.sleep(0.05)
        return "4.3"

    found = at_once(lambda: known.kept("version", ask, now=lambda: NOW, holds=DAY))

    assert found == ["4.3"] * 20
    assert len(asked) == 1


def test_an_answer_is_asked_for_again_when_it_is_too_old() -> None:
    known, now, answers = Known(), [NOW], iter(["4.3", "4.4"])

    def look() -> str:
        return known.kept("version", lambda: next(answers), now=lambda: now[0], holds=DAY)

    assert look() == "4.3"
    now[0] += DAY
    assert look() == "4.3"
    now[0] += timedelta(seconds=1)
    assert look() == "4.4"


def test_a_server_in_trouble_is_left_alone_for_a_moment_and_asked_again_then() -> None:
    known, now, asked = Known(), [NOW], []

    def ask() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise Transient("it is away")
        return "4.3"

    def look() -> str:
        return known.kept("version", ask, now=lambda: now[0], holds=DAY)

    for _ in range(3):
        with pytest.raises(Transient, match="it is away"):
            look()
    assert len(asked) == 1
    now[0] += AGAIN + timedelta(seconds=1)
    assert look() == "4.3"


def test_one_accounts_trouble_is_no_answer_for_the_others() -> None:
    known = Known()

    def refused() -> str:
        raise Unauthorised("401")

    with pytest.raises(Unauthorised):
        known.kept("version", refused, now=lambda: NOW, holds=DAY)
    assert known.kept("version", lambda: "4.3", now=lambda: NOW, holds=DAY) == "4.3"
