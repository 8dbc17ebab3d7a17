"""What a dispatcher does aside never keeps it waiting, and never runs twice at once."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from reverberate.dispatcher import Aside, Beside
from support.world import until

if TYPE_CHECKING:
    import pytest


def test_what_is_slow_is_not_begun_again_before_it_ends() -> None:
    began: list[int] = []
    go_on = threading.Event()

    def slow() -> None:
        began.append(1)
        go_on.wait(10)

    one = Aside("slow thing", 0.0, slow)
    beside = Beside()
    for _ in range(3):
        one.begin(beside)
    until(lambda: began == [1])
    go_on.set()
    beside.join()
    one.begin(beside)
    beside.join()

    assert began == [1, 1]


def test_it_is_not_done_before_its_time() -> None:
    done: list[int] = []
    one = Aside("rare thing", 3600.0, lambda: done.append(1))
    beside = Beside()
    for _ in range(2):
        one.begin(beside)
        beside.join()

    assert done == [1]


def test_one_that_fails_says_so_and_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    one = Aside("broken thing", 0.0, lambda: 1 / 0)
    beside = Beside()
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            one.begin(beside)
            beside.join()

    assert [record.getMessage() for record in caplog.records] == ["the broken thing failed"] * 2
