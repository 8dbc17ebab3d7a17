"""The baton: one thinks at a time, and whoever keeps it too long loses it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from reverberate.baton import PATIENCE, Baton, lent, waiting_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def baton() -> Iterator[Baton]:
    made = Baton()
    yield made
    made.close()


def together(*doers: Callable[[], None]) -> None:
    threads = [threading.Thread(target=do) for do in doers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_one_thinks_at_a_time_while_any_number_wait(baton: Baton) -> None:
    thinking, waiting, most_thinking, most_waiting = 0, 0, 0, 0
    counted = threading.Lock()

    def do() -> None:
        nonlocal thinking, waiting, most_thinking, most_waiting
        with baton.held():
            for _ in range(5):
                thinking += 1
                most_thinking = max(most_thinking, thinking)
                time.sleep(0.0005)
                thinking -= 1
                with lent():
                    with counted:
                        waiting += 1
                        most_waiting = max(most_waiting, waiting)
                    time.sleep(0.02)
                    with counted:
                        waiting -= 1

    together(*[do] * 20)

    assert most_thinking == 1
    assert most_waiting > 5


def test_it_is_taken_from_one_that_waits_without_lending_it(baton: Baton) -> None:
    begun, came = threading.Event(), []

    def keeps() -> None:
        with baton.held():
            begun.set()
            time.sleep(PATIENCE * 8)
            came.append("the one that kept it")

    def wants() -> None:
        begun.wait()
        with baton.held():
            came.append("the other")

    together(keeps, wants)

    assert came == ["the other", "the one that kept it"]


def test_who_lost_it_takes_it_from_nobody_when_it_ends(baton: Baton) -> None:
    begun, taken, ended = threading.Event(), threading.Event(), threading.Event()
    held_by_one: list[bool] = []

    def keeps() -> None:
        with baton.held():
            begun.set()
            taken.wait()
        ended.set()

    def wants() -> None:
        begun.wait()
        with baton.held():
            taken.set()
            ended.wait()
            held_by_one.append(baton._holder == threading.get_ident())

    together(keeps, wants)

    assert held_by_one == [True]


def test_who_was_at_something_goes_on_before_others_begin(baton: Baton) -> None:
    order: list[str] = []
    baton.take()

    def begins() -> None:
        with baton.held():
            order.append("begins")

    def goes_on() -> None:
        baton.take()
        order.append("goes on")
        baton.give()

    first = threading.Thread(target=begins)
    first.start()
    while not baton._begin:
        time.sleep(0.001)
    second = threading.Thread(target=goes_on)
    second.start()
    while not baton._back:
        time.sleep(0.001)
    baton.give()
    first.join(5)
    second.join(5)

    assert order == ["goes on", "begins"]


def test_it_is_lent_while_a_lock_is_waited_for(baton: Baton) -> None:
    lock, held = threading.Lock(), threading.Event()
    began = time.monotonic()

    def owner() -> None:
        with baton.held(), waiting_for(lock):
            held.set()
            for _ in range(20):
                with lent():
                    time.sleep(0.001)

    def other() -> None:
        held.wait()
        with baton.held(), waiting_for(lock):
            pass

    together(owner, other)

    assert not lock.locked()
    assert time.monotonic() - began < PATIENCE * 10


def test_who_waits_for_it_keeps_no_lock_from_others(baton: Baton) -> None:
    """Or one wait would lead to the next: each that came for the lock would find it held by one that waits."""
    lock, ended = threading.Lock(), threading.Event()
    lock.acquire()

    def wants() -> None:
        with baton.held(), waiting_for(lock):
            ended.set()

    thread = threading.Thread(target=wants)
    thread.start()
    while not thread.ident or baton._holder == thread.ident:
        time.sleep(0.001)
    with baton.held():
        lock.release()
        while not baton._back:
            time.sleep(0.001)
        free = lock.acquire(blocking=False)
        assert not ended.is_set()
        lock.release()
    thread.join(5)

    assert (free, ended.is_set()) == (True, True)


def test_a_lull_lasts_until_nobody_thinks(baton: Baton) -> None:
    ended: list[float] = []

    def waits() -> None:
        baton.lull(10)
        ended.append(time.monotonic())

    baton.take()
    thread = threading.Thread(target=waits)
    thread.start()
    time.sleep(0.05)
    assert not ended
    gave = time.monotonic()
    baton.give()
    thread.join(5)

    assert 0 <= ended[0] - gave < 2


def test_a_lull_takes_no_longer_than_it_may_and_no_time_where_nobody_thinks(baton: Baton) -> None:
    began = time.monotonic()
    baton.lull(10)
    assert time.monotonic() - began < 2
    with baton.held():
        began = time.monotonic()
        baton.lull(0.05)
        assert 0.04 < time.monotonic() - began < 2
    baton.lull(10)
    assert time.monotonic() - began < 4


def test_a_thread_without_one_lends_nothing() -> None:
    with lent(), waiting_for(threading.Lock()):
        pass
