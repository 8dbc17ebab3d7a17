"""Lanes: one share of an account at a time, all accounts side by side, and no thread that waits for the database."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import logs
from reverberate.baton import Baton, lent
from reverberate.errors import StoreError
from reverberate.lanes import Lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.lanes import Job
    from reverberate.store.writer import Then


def work(number: int, account: str) -> Any:
    return SimpleNamespace(share=SimpleNamespace(id=number, account=account))


@contextmanager
def lanes(
    handle: Callable[[Any], Job], *, threads: int, takes: float = 0.0, answer: Callable[[Any], Any] = lambda wish: wish
) -> Iterator[Lanes]:
    """Lanes whose writer needs so long for each wish."""
    writer = ThreadPoolExecutor(200)

    def written(wish: Any, then: Then) -> None:
        time.sleep(takes)
        try:
            value = answer(wish)
        except StoreError as error:
            then(None, error)
        else:
            then(value, None)

    baton = Baton()
    made = Lanes(handle, lambda wish, then: writer.submit(written, wish, then) and None, baton=baton, threads=threads)
    try:
        yield made
    finally:
        made.close(5)
        baton.close()
        writer.shutdown()


@pytest.mark.parametrize("seed", range(6))
def test_every_share_is_delivered_once_and_in_its_accounts_order(seed: int) -> None:
    chance, done, busy = random.Random(seed), list[Any](), set[str]()  # noqa: S311 - a seed, not a secret
    given: dict[str, list[int]] = {}

    def handle(one: Any) -> Job:
        account = one.share.account
        assert account not in busy
        busy.add(account)
        assert (yield ("claim", one.share.id)) == ("claim", one.share.id)
        if chance.random() < 0.3:
            with lent():
                time.sleep(chance.random() * 0.005)
        elif chance.random() < 0.02:
            time.sleep(0.05)  # a plug-in that lends nothing
        yield ("settle", one.share.id)
        busy.discard(account)
        done.append((account, one.share.id))

    with lanes(handle, threads=8, takes=0.001) as made:
        for number in range(400):
            account = f"a{chance.randrange(25)}"
            given.setdefault(account, []).append(number)
            made.add([work(number, account)] * 2)  # whoever is here already stays where it is
            if chance.random() < 0.1:
                time.sleep(chance.random() * 0.01)
        assert made.drain(20)

    assert {account: [n for a, n in done if a == account] for account in given} == given


def test_more_shares_than_threads_wait_for_the_database_at_the_same_time() -> None:
    def handle(one: Any) -> Job:
        yield one

    began = time.monotonic()
    with lanes(handle, threads=2, takes=0.2) as made:
        made.add(work(number, f"a{number}") for number in range(50))
        assert made.drain(10)

    assert time.monotonic() - began < 2, "two at a time would need five seconds"


def test_as_many_networks_are_waited_for_at_the_same_time_as_there_are_threads() -> None:
    at_once = threading.Barrier(20, timeout=5)

    def handle(_: Any) -> Job:
        with lent():
            at_once.wait()
        yield

    with lanes(handle, threads=20) as made:
        made.add(work(number, f"a{number}") for number in range(20))
        assert made.drain(10)


def test_what_the_database_does_not_take_is_told_to_its_share_alone(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def handle(one: Any) -> Job:
        try:
            yield one
        except StoreError as error:
            told.append(f"{one.share.id}: {error}")
            raise

    def answer(one: Any) -> Any:
        if one.share.id == 2:
            raise StoreError("the disk is full")

    with lanes(handle, threads=2, answer=answer) as made:
        made.add([work(1, "a"), work(2, "b"), work(3, "b")])
        assert made.drain(5)

    assert told == ["2: the disk is full"]
    assert "share 2: left for later: the disk is full" in caplog.text


def test_a_plug_in_that_raises_stops_neither_its_lane_nor_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []

    def handle(one: Any) -> Job:
        if one.share.id == 1:
            raise RuntimeError("what was not foreseen")
        yield
        done.append(one.share.id)

    with lanes(handle, threads=1) as made:
        made.add([work(1, "a"), work(2, "a"), work(3, "b")])
        assert made.drain(5)

    assert sorted(done) == [2, 3]
    assert "share 1: left for later" in caplog.text


def test_closing_finishes_what_is_under_way_and_begins_nothing() -> None:
    begun, may, log = threading.Event(), threading.Event(), list[str]()

    def handle(one: Any) -> Job:
        log.append(f"{one.share.id} begun")
        yield "claim"
        begun.set()
        with lent():
            may.wait(5)
        yield "settle"
        log.append(f"{one.share.id} done")

    with lanes(handle, threads=2, takes=0.01) as made:
        made.add([work(1, "a"), work(2, "a")])
        assert begun.wait(5)
        threading.Timer(0.2, may.set).start()
        made.close(5)
        assert (made.room(), made.unheld([7])) == (0, [])
        made.add([work(3, "c")])

    assert log == ["1 begun", "1 done"]


def test_what_is_logged_of_a_share_names_it_in_whichever_thread(caplog: pytest.LogCaptureFixture) -> None:
    def handle(one: Any) -> Job:
        logs.about(share=one.share.id)
        for _ in range(5):
            yield
            logging.getLogger("x").warning("%d", one.share.id)

    old = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logs.Masked)
    try:
        with lanes(handle, threads=4) as made:
            made.add(work(number, f"a{number}") for number in range(1, 9))
            assert made.drain(5)
    finally:
        logging.setLogRecordFactory(old)

    lines = [json.loads(logs.Lines().format(record)) for record in caplog.records if record.name == "x"]
    assert len(lines) == 40
    assert all(line["message"] == str(line["share"]) for line in lines)
