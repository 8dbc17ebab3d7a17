"""Clocks that jump, floods of due shares: late at the worst, never twice, never lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate.delivery import Courier
from reverberate.store import claims, endings, shares
from support.world import make_accounts, make_config, plan, states, until

if TYPE_CHECKING:
    from reverberate.store import Store
    from support.plugins import Toy


class Jumpy:
    """The wall clock of a machine whose time is set while it works."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1), -timedelta(hours=1), -timedelta(days=1)])
def test_a_clock_that_jumps_makes_nothing_twice_and_loses_nothing(
    store: Store, toy: type[Toy], jump: timedelta
) -> None:
    clock = Jumpy()
    ids = plan(store, accounts=["a", "b", "c"], number=20)
    wait = (timedelta(0),) * 9
    config = make_config(["a", "b", "c"], retry=wait, max_late=timedelta(days=30))
    one = Courier(store, make_accounts(config), senders=8, now=clock)
    try:
        one.deliver(ids[:30])
        until(lambda: len(toy.accepted) > 5)
        clock.off = jump
        with store.write() as tx:
            endings.sweep(tx, now=clock(), settle=lambda _: timedelta(0))
        assert one.drain(20)
        clock.off = max(jump, timedelta(0))  # a clock that went back comes to where it was
        for _ in range(4):
            one.deliver(ids)
            assert one.drain(20)
    finally:
        one.close()

    assert states(store) == {"sent": 60}
    assert len({held.key for held in toy.accepted}) == len(toy.accepted) == 60


@pytest.mark.heavy
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_thousand_shares_that_are_due_in_the_same_second_are_drained(store: Store, toy: type[Toy]) -> None:
    """On fifty accounts; what is due elsewhere at the same time does not wait for the end of it."""
    accounts = [f"a{n}" for n in range(50)]
    plan(store, accounts=accounts, number=200)
    config = make_config([*accounts, "small"])
    one = Courier(store, make_accounts(config), senders=32)
    began = time.monotonic()
    small: float | None = None
    try:
        while states(store).get("sent", 0) < 10_001:
            if small is None and len(toy.accepted) > 500:
                plan(store, accounts=["small"])
                small = time.monotonic()
            with store.write() as tx:
                ids = claims.take_due(tx, now=datetime.now(UTC), limit=100)
            if ids:
                one.deliver(ids)
            else:
                time.sleep(0.05)
            assert time.monotonic() - began < 100, states(store)
    finally:
        one.close()

    with store.read() as tx:
        (share,) = shares.find(tx, account="small")
    assert share.state == "sent"
    assert len({held.key for held in toy.accepted}) == len(toy.accepted) == 10_001
