"""Turns, budgets, lateness, breakers, steps, crashes: what an account's shares may count on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import delivery as module
from reverberate.errors import OutOfCredit, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Message, Receipt, ShareState
from reverberate.networks.parts import Part, Threading
from reverberate.policy import CRASHES, TRIPS
from reverberate.schedule import Pace
from reverberate.store import claims, endings, journal, pictures, shares, turns
from reverberate.store.turns import Allowance
from support.plugins import NETWORKS, Toy
from support.world import PlainRenderer, get, plan, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.delivery import Courier
    from reverberate.model import Delivery, Post
    from reverberate.rendering import Draft, Voice
    from reverberate.store import Store

pytestmark = pytest.mark.usefixtures("toy")
HOUR = timedelta(hours=1)


def deliver(courier: Courier, ids: list[int]) -> None:
    courier.deliver(ids)
    assert courier.drain(20)


def shift(store: Store, share_id: int, **values: object) -> None:
    """Change a share's row as time or a fault would."""
    with store.write() as tx:
        tx.execute(shares.shares.update().where(shares.shares.c.id == share_id).values(values))


def test_an_account_with_a_min_gap_speaks_once_and_the_others_get_turns_of_their_own(
    store: Store, courier: Callable[..., Courier]
) -> None:
    ids = plan(store, accounts=["a"], number=4)
    began = datetime.now(UTC)
    deliver(courier(paces={"min_gap": Pace(HOUR)}), ids)

    assert states(store) == {"sent": 1, "scheduled": 3}
    turns_given = [(get(store, one).due - began) / HOUR for one in ids[1:]]
    assert turns_given == pytest.approx([1, 2, 3], abs=0.05)
    assert "waits its turn" in get(store, ids[1]).reason
    assert get(store, ids[1]).tries == 0


def test_a_rate_lets_a_burst_through_and_then_one_at_a_time(store: Store, courier: Callable[..., Courier]) -> None:
    ids = plan(store, accounts=["a"], number=5)
    deliver(courier(paces={"rate": Pace.parse("3/3h")}), ids)

    assert states(store) == {"sent": 3, "scheduled": 2}
    assert get(store, ids[4]).due - get(store, ids[3]).due == HOUR


def test_two_workers_share_one_turn(store: Store, courier: Callable[..., Courier]) -> None:
    ids = plan(store, accounts=["a"], number=6)
    first, second = (courier(paces={"min_gap": Pace(HOUR)}) for _ in range(2))
    first.deliver(ids[:3])
    second.deliver(ids[3:])
    assert first.drain(10)
    assert second.drain(10)

    assert states(store) == {"sent": 1, "scheduled": 5}
    assert len({get(store, one).due for one in ids}) == 6


def priced(price: int) -> type[Toy]:
    class Priced(Toy):
        script = []
        accepted = []
        settle = timedelta(0)

        def price(self, message: Message) -> int:
            del message
            return price

    NETWORKS._loaded["toy"] = Priced
    return Priced


def test_a_budget_is_never_overdrawn_and_the_rest_waits_for_the_next_month(
    store: Store, courier: Callable[..., Courier]
) -> None:
    toy = priced(200_000)
    ids = plan(store, accounts=["a"], number=4)
    deliver(courier(budget=500_000), ids)

    assert len(toy.accepted) == 2
    waiting = get(store, ids[3])
    assert (waiting.state, waiting.due.day, waiting.due.hour) == (ShareState.SCHEDULED, 1, 0)
    assert "budget" in waiting.reason
    with store.read() as tx:
        assert turns.spent(tx, now=datetime.now(UTC)) == {"a": 400_000}


def test_what_certainly_was_not_posted_costs_nothing(store: Store, courier: Callable[..., Courier]) -> None:
    toy = priced(200_000)
    toy.script.extend([Transient("down", after=timedelta(0)), Unsure("lost")])
    deliver(courier(budget=10**9), plan(store, accounts=["a"], number=2))

    with store.read() as tx:
        assert turns.spent(tx, now=datetime.now(UTC)) == {"a": 200_000}, "the unsure one may have been posted"


def test_a_share_that_could_not_be_tried_for_a_day_is_skipped_and_says_so(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    late, tried = plan(store, accounts=["a"], number=2)
    shift(store, late, wanted=datetime.now(UTC) - timedelta(hours=25))
    shift(store, tried, wanted=datetime.now(UTC) - timedelta(hours=25), tries=1)
    deliver(courier(), [late, tried])

    assert get(store, late).state is ShareState.SKIPPED
    assert "25 hours late" in get(store, late).reason
    assert get(store, tried).state is ShareState.SENT, "one that is being retried follows the retry policy"
    assert len(toy.accepted) == 1


@pytest.mark.parametrize("outcome", [RateLimited("slow down"), Unauthorised("reconnect"), OutOfCredit("pay")])
def test_being_told_to_wait_is_no_try(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], outcome: Exception
) -> None:
    toy.script.append(outcome)  # type: ignore[arg-type]  # an outcome
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    share = get(store, share_id)
    assert (share.state, share.tries) == (ShareState.SCHEDULED, 0)


def test_what_was_on_its_way_when_its_account_was_paused_waits_too(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    def meanwhile(delivery: Delivery) -> Receipt:
        del delivery
        with store.write() as tx:
            journal.pause(tx, "a", now=datetime.now(UTC), why="by another worker")
        raise Transient("down")

    toy.script.append(meanwhile)
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    assert (get(store, share_id).state, get(store, share_id).wake) == (ShareState.SCHEDULED, None)


def test_a_network_that_does_not_work_rests_with_all_accounts_on_its_host_and_one_share_tries_it_again(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reverberate.accounts._host", lambda account: "same" if account.name != "c" else "other")
    ids = plan(store, accounts=["a"], number=TRIPS)
    others = plan(store, accounts=["b", "c"])
    toy.script.extend(Transient("down") for _ in range(TRIPS))
    one = courier("a", "b", "c")
    deliver(one, ids)

    with store.read() as tx:
        known = journal.account_states(tx)
    assert known["a"].failures == TRIPS
    assert known["a"].rest_until == known["b"].rest_until is not None
    assert "c" not in known
    deliver(one, others)
    assert [get(store, share_id).state for share_id in others] == [ShareState.SCHEDULED, ShareState.SENT]

    shift(store, others[0], due=datetime.now(UTC), wake=datetime.now(UTC))
    deliver(one, [others[0]])
    with store.read() as tx:
        assert journal.account(tx, "b").rest_until is None, "it worked: the account goes on"


def test_a_share_over_which_workers_die_waits_for_a_person(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    for crash in range(1, CRASHES + 1):
        now = datetime.now(UTC) + timedelta(minutes=crash)
        state = get(store, share_id).state
        kind = "send" if state is ShareState.SCHEDULED else "look"
        wish = claims.Claim(share_id=share_id, kind=kind, state=state, message=Message(parts=("x",), link="y"))
        with store.write() as tx:
            assert claims.claim(tx, [wish], owner="w", lease=now + timedelta(seconds=10), now=now)
        with store.write() as tx:
            endings.sweep(tx, now=now + timedelta(seconds=11), settle=lambda _: timedelta(0))

    share = get(store, share_id)
    assert (share.state, share.wake, share.crashes) == (ShareState.UNSURE, None, CRASHES)
    assert "workers died" in share.reason


class Chain(Threading):
    """A network of threads that fails at a part when told to."""

    name, title, assurance = "toy", "Toy", Assurance.READABLE
    limit, Settings, settle = Toy.limit, Toy.Settings, timedelta(0)
    accepted: list[str]
    fails: list[int]

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        del delivery
        if part.number in self.fails:
            self.fails.remove(part.number)
            raise Unsure("the answer was lost")
        self.accepted.append(f"{part.text} after {part.parent.remote_id if part.parent else '-'}")
        return Receipt(remote_id=part.text)

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        del delivery
        there = [one for one in self.accepted if one.startswith(f"{part.text} ")]
        return Receipt(remote_id=part.text) if there else None


class Threaded(PlainRenderer):
    def draft(self, post: Post, voice: Voice) -> Draft:
        from dataclasses import replace  # noqa: PLC0415 - only here

        draft = super().draft(post, voice)
        return replace(draft, message=replace(draft.message, parts=("one", "two", "three")))


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> type[Chain]:
    class Own(Chain):
        accepted: list[str] = []
        fails: list[int] = []

    monkeypatch.setitem(NETWORKS._loaded, "toy", Own)
    monkeypatch.setattr("support.world.PlainRenderer", Threaded)
    return Own


def test_a_thread_is_posted_in_order_and_its_parts_are_kept(
    store: Store, courier: Callable[..., Courier], chain: type[Chain]
) -> None:
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    assert chain.accepted == ["one after -", "two after one", "three after two"]
    share = get(store, share_id)
    assert (share.state, share.receipt) == (ShareState.SENT, Receipt(remote_id="one"))
    with store.read() as tx:
        steps = claims.steps_of(tx, [share_id])[share_id]
    assert {name: step.answer["remote_id"] for name, step in steps.items()} == {
        "part 1": "one",
        "part 2": "two",
        "part 3": "three",
    }


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_thread_that_broke_off_goes_on_with_the_missing_part(
    store: Store, courier: Callable[..., Courier], chain: type[Chain], part: int
) -> None:
    chain.fails.append(part)
    (share_id,) = plan(store, accounts=["a"])
    one = courier(retry=(timedelta(0),) * 5)
    for _ in range(5):
        deliver(one, [share_id])

    assert chain.accepted == ["one after -", "two after one", "three after two"]
    assert get(store, share_id).state is ShareState.SENT


def test_a_thread_that_is_refused_in_the_middle_says_how_much_of_it_is_there(
    store: Store, courier: Callable[..., Courier], chain: type[Chain]
) -> None:
    def refuse(self: Chain, delivery: Delivery, part: Part) -> Receipt:
        if part.number == 2:
            raise Refused("too long")
        return Chain.post(self, delivery, part)

    chain.post = refuse  # type: ignore[method-assign]  # for this test
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    share = get(store, share_id)
    assert (share.state, share.reason) == (ShareState.REFUSED, "too long; 2 of 3 parts of the thread are there")


def test_a_worker_that_lost_its_claim_posts_no_further_part(
    store: Store, courier: Callable[..., Courier], chain: type[Chain]
) -> None:
    (share_id,) = plan(store, accounts=["a"])

    def lose(self: Chain, delivery: Delivery, part: Part) -> Receipt:
        with store.write() as tx:
            endings.sweep(tx, now=datetime.now(UTC) + timedelta(minutes=1), settle=lambda _: HOUR)
        return Chain.post(self, delivery, part)

    chain.post = lose  # type: ignore[method-assign]  # for this test
    deliver(courier(), [share_id])

    assert chain.accepted == ["one after -"]
    assert get(store, share_id).state is ShareState.UNSURE


def test_a_step_is_kept_whoever_holds_the_share_and_says_whether_that_is_still_us(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    now = datetime.now(UTC)
    message = Message(parts=("x",), link="y")
    for fence, owner in ((1, "first"), (2, "second")):
        state = get(store, share_id).state
        kind = "send" if state is ShareState.SCHEDULED else "look"
        wish = claims.Claim(share_id=share_id, kind=kind, state=state, message=message)
        with store.write() as tx:
            assert (
                claims.claim(tx, [wish], owner=owner, lease=now + timedelta(seconds=1), now=now)[share_id][0] == fence
            )
            assert claims.record(tx, share_id, fence, f"part {fence}", {"remote_id": owner}, now=now)
            now += timedelta(seconds=2)
            if fence == 1:
                endings.sweep(tx, now=now, settle=lambda _: timedelta(0))
    with store.write() as tx:
        assert not claims.record(tx, share_id, 1, "part 3", {"remote_id": "late"}, now=now)
        steps = claims.steps_of(tx, [share_id])[share_id]

    assert set(steps) == {"part 1", "part 2", "part 3"}


def test_a_process_that_slept_past_its_claim_sends_nothing(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Calls(toy):  # type: ignore[valid-type,misc]  # a class made by the fixture
        def send(self, delivery: Delivery) -> Receipt:
            monkeypatch.setattr(module, "boot_clock", lambda: time.monotonic() + 3600)
            self.session.get("http://127.0.0.1:9/")
            return self.accept(delivery)

    NETWORKS._loaded["toy"] = Calls
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    assert toy.accepted == []
    assert "not running for a while" in get(store, share_id).reason


def test_pictures_are_kept_once_and_forgotten_in_time(store: Store) -> None:
    from reverberate.model import Picture  # noqa: PLC0415 - only here

    picture = Picture(digest="d" * 64, mime="image/png", width=1, height=1, size=3)
    now = datetime.now(UTC)
    with store.write() as tx:
        pictures.keep(tx, picture, b"abc", now=now)
        pictures.keep(tx, picture, b"abc", now=now)
        assert pictures.load(tx, picture.digest) == b"abc"
        assert pictures.forget(tx, before=now) == 0
        assert pictures.forget(tx, before=now + HOUR) == 1
        assert pictures.load(tx, picture.digest) is None


def test_money_that_comes_back_is_counted_back(store: Store) -> None:
    now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    allowance = Allowance(account="a", price=300, budget=500)
    with store.write() as tx:
        assert turns.check(tx, allowance, now=now) is None
        turns.take(tx, [allowance], now=now)
        later = turns.check(tx, allowance, now=now)
        assert later is not None
        assert later.due == datetime(2027, 1, 1, tzinfo=UTC)
        turns.add(tx, "a", -300, now=now)
        assert turns.check(tx, allowance, now=now) is None
