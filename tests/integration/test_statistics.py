"""Reactions are asked for on a schedule, within budgets, by one asker; and added up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from reverberate.errors import Outcome, Refused, Transient
from reverberate.model import Reactions, Receipt
from reverberate.service import Service
from reverberate.statistics import ASKS, Statistics, flat, report
from reverberate.store import reactions
from support.plugins import NETWORKS, SOURCES, Toy
from support.world import make_accounts, make_config, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.delivery import Courier
    from reverberate.store import Store


class Counting(Toy):
    """A toy that tells what people made of its posts."""

    answers: ClassVar[list[Reactions | Outcome]] = []
    asked: ClassVar[list[str]] = []

    def reactions(self, receipt: Receipt) -> Reactions:
        """The next of ``answers``; one like when there is none."""
        self.asked.append(receipt.remote_id)
        step = self.answers.pop(0) if self.answers else Reactions(likes=1)
        if isinstance(step, Outcome):
            raise step
        return step


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    class Own(Counting):
        script, accepted, answers, asked = [], [], [], []
        settle = timedelta(0)

    monkeypatch.setitem(NETWORKS._loaded, "toy", Own)
    return Own


def sent(courier: Callable[..., Courier], store: Store, *names: str, number: int = 1) -> None:
    """So many posts, shared to these accounts."""
    one = courier(*names)
    one.deliver(plan(store, accounts=names, number=number))
    assert one.drain(20)


def asker(store: Store, names: tuple[str, ...] = ("a", "b"), **more: Any) -> Statistics:
    return Statistics(store, make_accounts(make_config(names)), **more)


def rows(store: Store, **wanted: Any) -> list[Any]:
    with store.read() as tx:
        return list(reactions.rows(tx, **wanted))


def test_a_share_is_asked_for_six_times_in_a_month(
    store: Store, courier: Callable[..., Courier], counting: type[Counting]
) -> None:
    counting.answers = [Reactions(likes=n, reposts=0, replies=None) for n in range(6)]
    sent(courier, store, "a")
    start, clock = datetime.now(UTC), [datetime.now(UTC)]
    statistics = asker(store, now=lambda: clock[0])
    for minutes in range(0, 40 * 24 * 60, 30):
        clock[0] = start + timedelta(minutes=minutes)
        statistics.run(threading.Event())

    series = rows(store, latest=False)
    assert [row.reactions.likes for row in series] == [0, 1, 2, 3, 4, 5]
    assert [(row.at - row.sent) // timedelta(hours=1) for row in series] == [a // timedelta(hours=1) for a in ASKS]
    (latest,) = rows(store)
    assert latest.reactions == Reactions(likes=5, reposts=0)


def test_a_budget_of_questions_is_kept_and_the_rest_waits(
    store: Store, courier: Callable[..., Courier], counting: type[Counting]
) -> None:
    sent(courier, store, "a", number=8)
    start = datetime.now(UTC) + timedelta(hours=1, minutes=1)
    clock = [start]
    statistics = asker(store, per_hour=3, now=lambda: clock[0])
    statistics.run(threading.Event())
    assert len(counting.asked) == 3
    for minutes in range(0, 121, 5):
        clock[0] = start + timedelta(minutes=minutes)
        statistics.run(threading.Event())

    assert len(counting.asked) == 8
    assert len(set(counting.asked)) == 8


def test_five_askers_ask_once(store: Store, courier: Callable[..., Courier], counting: type[Counting]) -> None:
    sent(courier, store, "a", number=10)
    later = datetime.now(UTC) + timedelta(hours=2)
    threads = [
        threading.Thread(target=asker(store, now=lambda: later).run, args=(threading.Event(),)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(set(counting.asked)) == sorted(counting.asked)
    assert len(rows(store)) == 10


def test_what_cannot_be_read_now_is_asked_again_and_what_is_gone_is_not(
    store: Store, courier: Callable[..., Courier], counting: type[Counting]
) -> None:
    counting.answers = [Transient("503"), Refused("404 gone", status=404)]
    sent(courier, store, "a", number=2)
    start, clock = datetime.now(UTC), [datetime.now(UTC)]
    statistics = asker(store, now=lambda: clock[0])
    for hours in range(1, 60):
        clock[0] = start + timedelta(hours=hours, minutes=1)
        statistics.run(threading.Event())

    assert len(rows(store)) == 1
    assert counting.asked.count(max(counting.asked, key=counting.asked.count)) >= 3
    assert min(counting.asked.count(one) for one in set(counting.asked)) == 1


def test_accounts_that_should_not_be_asked_are_not(
    store: Store, courier: Callable[..., Courier], counting: type[Counting]
) -> None:
    sent(courier, store, "a", "b")
    config = make_config(["a", "b"])
    off = replace(config.accounts["a"], statistics=False)
    accounts = make_accounts(replace(config, accounts={"a": off, "b": config.accounts["b"]}))
    later = datetime.now(UTC) + timedelta(hours=2)
    Statistics(store, accounts, now=lambda: later).run(threading.Event())

    assert [row.account for row in rows(store)] == ["b"]


def test_reactions_add_up_by_account_post_and_hour(
    store: Store, courier: Callable[..., Courier], counting: type[Counting]
) -> None:
    sent(courier, store, "a", "b", number=2)
    later = datetime.now(UTC) + timedelta(hours=2)
    asker(store, now=lambda: later).run(threading.Event())
    config = make_config(["a", "b"])
    since = datetime.now(UTC) - timedelta(days=1)
    found = report(Service(config, store, make_accounts(config), sources=SOURCES), since=since)

    assert [(one["account"], one["shares"], one["likes"]) for one in found["accounts"]] == [("a", 2, 2), ("b", 2, 2)]
    assert [(one["shares"], one["likes"], one["reposts"]) for one in found["posts"]] == [(2, 2, 0)] * 2
    assert sum(one["likes"] for one in found["hours"]) == 4
    assert [one["likes"] for one in flat(rows(store, account="a"))] == [1, 1]
