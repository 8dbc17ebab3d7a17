"""What a dispatcher does aside never keeps it waiting, and never runs twice at once."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from reverberate.dispatcher import Aside
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
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            one.begin(pool)
        until(lambda: began == [1])
        go_on.set()
        until(lambda: not one.busy.locked())
        one.begin(pool)

    assert began == [1, 1]


def test_it_is_not_done_before_its_time() -> None:
    done: list[int] = []
    one = Aside("rare thing", 3600.0, lambda: done.append(1))
    with ThreadPoolExecutor(3) as pool:
        one.begin(pool)
        until(lambda: not one.busy.locked())
        one.begin(pool)

    assert done == [1]


def test_one_that_fails_says_so_and_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    one = Aside("broken thing", 0.0, lambda: 1 / 0)
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.ERROR):
        for number in range(2):
            one.begin(pool)
            until(lambda number=number: len(caplog.records) == number + 1 and not one.busy.locked())

    assert [record.getMessage() for record in caplog.records] == ["the broken thing failed"] * 2
