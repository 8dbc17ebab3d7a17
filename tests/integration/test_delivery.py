"""A courier delivers each share once, and one account's trouble stays its own."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import ConfigError, Outcome, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Receipt, ShareState
from reverberate.networks.base import Network
from reverberate.schedule import Moment
from reverberate.store import claims, endings, journal, shares
from reverberate.tasks import Poller
from support.plugins import NETWORKS, Toy
from support.world import PlainRenderer, get, make_accounts, make_config, plan, states, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.delivery import Courier
    from reverberate.model import Delivery, Post
    from reverberate.rendering import Draft, Voice
    from reverberate.store import Store


pytestmark = pytest.mark.usefixtures("toy")


def deliver(courier: Courier, ids: list[int]) -> None:
    courier.deliver(ids)
    assert courier.drain(20)


def test_every_share_arrives_once_and_in_order(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> None:
    ids = plan(store, accounts=["a", "b", "c"], number=20)
    deliver(courier(), ids)

    assert states(store) == {"sent": 60}
    assert len({held.key for held in toy.accepted}) == len(toy.accepted) == 60
    order = [held.serial for held in toy.accepted if held.key.startswith("b-")]
    assert order == sorted(order)


def test_a_sent_share_tells_its_permalink_and_its_story(store: Store, courier: Callable[..., Courier]) -> None:
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    share = get(store, share_id)
    with store.read() as tx:
        (attempt,) = journal.attempts_of(tx, share_id)
        message = shares.message(tx, share_id)
        account = journal.account(tx, "a")
    assert share.receipt == Receipt(remote_id=share.key, permalink=f"https://toy.example/{share_id}")
    assert (attempt.outcome, attempt.kind, attempt.ended is not None) == ("receipt", "send", True)
    assert message is not None
    assert message.parts == ("A post\nhttps://blog.example/0/0",)
    assert account.last_success is not None


def test_the_same_share_given_often_arrives_once(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> None:
    ids = plan(store, accounts=["a"], number=5)
    first, second = courier(), courier()
    threads = [threading.Thread(target=one.deliver, args=(ids,)) for one in (first, second) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.drain(10)
    assert second.drain(10)

    assert sorted(held.serial for held in toy.accepted) == ids


def test_a_slow_account_does_not_delay_the_others(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    gate = threading.Event()

    class Slow(toy):  # type: ignore[valid-type,misc]  # a class made by the fixture
        def send(self, delivery: Delivery) -> Receipt:
            if self.account == "a":
                gate.wait(10)
            return self.accept(delivery)

    NETWORKS._loaded["toy"] = Slow
    ids = plan(store, accounts=["a", "b", "c"], number=10)
    one = courier()
    one.deliver(ids)
    until(lambda: states(store).get("sent", 0) == 20)
    gate.set()
    assert one.drain(10)

    assert states(store) == {"sent": 30}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Refused("too long"), ShareState.REFUSED),
        (Transient("no route"), ShareState.SCHEDULED),
        (Unsure("answer lost"), ShareState.UNSURE),
        (RateLimited("slow down"), ShareState.SCHEDULED),
        (Unauthorised("revoked"), ShareState.SCHEDULED),
    ],
)
def test_each_outcome_leads_to_its_state_and_is_journalled(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], outcome: Outcome, state: ShareState
) -> None:
    toy.script.append(outcome)
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    share = get(store, share_id)
    with store.read() as tx:
        (attempt,) = journal.attempts_of(tx, share_id)
    assert (share.state, attempt.outcome, attempt.words) == (state, type(outcome).__name__.lower(), outcome.words)
    assert outcome.words in share.reason


def test_an_account_without_permission_is_paused_and_loses_no_share(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    toy.script.append(Unauthorised("token revoked"))
    ids = plan(store, accounts=["a"], number=3)
    one = courier()
    deliver(one, ids)
    assert states(store) == {"scheduled": 3}
    with store.write() as tx:
        assert claims.overdue(tx, before=datetime.now(UTC), limit=10) == []
        journal.resume(tx, "a", now=datetime.now(UTC))
    deliver(one, ids)

    assert states(store) == {"sent": 3}


def test_a_rate_limit_moves_the_accounts_other_shares_too(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    until_then = datetime.now(UTC) + timedelta(hours=1)
    toy.script.append(RateLimited("slow down", until=until_then))
    ids = plan(store, accounts=["a"], number=3)
    deliver(courier(), ids)

    assert toy.accepted == []
    assert {get(store, share_id).due for share_id in ids} == {until_then}


def test_a_lost_answer_is_looked_up_and_not_sent_again(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    def lose(delivery: Delivery) -> Receipt:
        toy.accepted.append(delivery)
        raise Unsure("the answer was lost")

    toy.script.append(lose)
    (share_id,) = plan(store, accounts=["a"])
    one = courier()
    deliver(one, [share_id])
    assert get(store, share_id).state is ShareState.UNSURE
    deliver(one, [share_id])

    assert get(store, share_id).state is ShareState.SENT
    assert len(toy.accepted) == 1


def test_a_message_that_never_arrived_is_sent_again_after_two_looks(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.script.append(Unsure("the answer was lost"))
    (share_id,) = plan(store, accounts=["a"])
    one = courier(retry=(timedelta(0),) * 9)
    for _ in range(4):
        deliver(one, [share_id])

    with store.read() as tx:
        story = [(a.kind, a.outcome) for a in journal.attempts_of(tx, share_id)]
    assert story == [("send", "unsure"), ("look", "nothing"), ("look", "nothing"), ("send", "receipt")]
    assert len(toy.accepted) == 1


def test_every_attempt_sends_the_same_bytes(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> None:
    seen: list[Delivery] = []

    def fail(delivery: Delivery) -> Receipt:
        seen.append(delivery)
        raise Transient("no route", after=timedelta(0))

    toy.script.append(fail)
    (share_id,) = plan(store, accounts=["a"])
    one = courier()
    deliver(one, [share_id])
    with store.write() as tx:
        now = datetime.now(UTC)
        doors = [ShareState.SCHEDULED]
        shares.change(tx, share_id, doors=doors, to=ShareState.SCHEDULED, now=now, reason="", when=Moment(due=now))
    deliver(one, [share_id])

    (first,), (second,) = seen, toy.accepted
    assert (first.key, first.message, first.planned) == (second.key, second.message, second.planned)
    assert (first.attempt, second.attempt) == (1, 2)


@pytest.mark.parametrize(("wrote", "state"), [(False, ShareState.REFUSED), (True, ShareState.UNSURE)])
def test_a_plug_in_that_breaks_is_judged_by_whether_it_had_written(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], wrote: bool, state: ShareState
) -> None:
    class Broken(toy):  # type: ignore[valid-type,misc]  # a class made by the fixture
        def send(self, delivery: Delivery) -> Receipt:
            del delivery
            self.session.wrote = wrote
            raise KeyError("token=hunter2")

    NETWORKS._loaded["toy"] = Broken
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier(), [share_id])

    assert get(store, share_id).state is state
    assert "hunter2" not in get(store, share_id).reason


def test_a_blind_network_asks_its_owner(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> None:
    class Blind(Toy):
        assurance = Assurance.BLIND
        script = [Unsure("the answer was lost")]
        find = None  # type: ignore[assignment]  # it cannot

    NETWORKS._loaded["toy"] = Blind
    (share_id,) = plan(store, accounts=["a"])
    one = courier()
    deliver(one, [share_id])
    deliver(one, [share_id])

    share = get(store, share_id)
    assert (share.state, share.wake, share.tries) == (ShareState.UNSURE, None, 1)
    assert "check" in share.reason


@pytest.mark.parametrize(
    ("title", "accounts", "reason"),
    [("broken template", ["a"], "toy.txt: line 1"), ("A post", ["gone"], "no account 'gone'")],
)
def test_what_a_person_must_mend_holds_the_share(
    store: Store, courier: Callable[..., Courier], title: str, accounts: list[str], reason: str
) -> None:
    ids = plan(store, accounts=accounts, title=title)
    good = plan(store, accounts=["b"])
    deliver(courier(), ids + good)

    share = get(store, ids[0])
    assert (share.state, share.tries) == (ShareState.HELD, 0)
    assert reason in share.reason
    assert get(store, good[0]).state is ShareState.SENT


def test_a_cancelled_share_is_not_sent_even_if_it_was_handed_over(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    gate, ids = threading.Event(), plan(store, accounts=["a"], number=2)

    def slowly(delivery: Delivery) -> Receipt:
        gate.wait(10)
        return Receipt(remote_id=delivery.key)

    toy.script.append(slowly)
    one = courier()
    one.deliver(ids)
    until(lambda: get(store, ids[0]).state is ShareState.SENDING)
    with store.write() as tx:
        doors, now = [ShareState.SCHEDULED], datetime.now(UTC)
        assert shares.change(tx, ids[1], doors=doors, to=ShareState.CANCELLED, now=now, reason="by hand")
    gate.set()
    assert one.drain(10)

    assert get(store, ids[1]).state is ShareState.CANCELLED
    assert toy.accepted == []


def test_a_courier_that_closes_finishes_what_is_on_its_way_and_leaves_the_rest(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    started = threading.Event()

    def slowly(delivery: Delivery) -> Receipt:
        started.set()
        time.sleep(0.2)
        return toy.accept(object.__new__(toy), delivery)

    toy.script.append(slowly)
    ids = plan(store, accounts=["a"], number=3)
    one = courier()
    one.deliver(ids)
    assert started.wait(5)
    one.close()
    one.deliver(ids)

    assert states(store) == {"sent": 1, "scheduled": 2}
    assert one.room() == 0


def test_the_poller_delivers_what_nobody_rang_for(store: Store, courier: Callable[..., Courier]) -> None:
    ids = plan(store, accounts=["a", "b"], number=5)
    one = courier()
    poller = Poller(store, one, grace=timedelta(0))
    try:
        until(lambda: states(store) == {"sent": len(ids)})
    finally:
        poller.stop()


def test_a_living_worker_keeps_a_long_call_its_own(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reverberate.delivery.LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr("reverberate.delivery.HEARTBEAT", 0.1)
    gate = threading.Event()

    def slowly(delivery: Delivery) -> Receipt:
        gate.wait(10)
        return Receipt(remote_id=delivery.key)

    toy.script.append(slowly)
    (share_id,) = plan(store, accounts=["a"])
    one = courier()
    one.deliver([share_id])
    time.sleep(1.2)
    with store.write() as tx:
        assert endings.sweep(tx, now=datetime.now(UTC), settle=lambda _: timedelta(0)) == []
    gate.set()
    assert one.drain(10)

    assert get(store, share_id).state is ShareState.SENT


def test_of_each_kind_of_network_one_template_is_tried_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first use of a template takes as long as thirty others, and the first post should not."""
    drafted: list[str] = []
    draft = PlainRenderer.draft

    def noted(self: PlainRenderer, post: Post, voice: Voice) -> Draft:
        drafted.append(voice.network)
        return draft(self, post, voice)

    monkeypatch.setattr(PlainRenderer, "draft", noted)
    make_accounts(make_config(["a", "b", "c"])).make_ready()
    assert drafted == ["toy"]


def test_networks_are_made_ahead_and_a_faulty_one_is_told_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(self: Toy, account: str, *given: object) -> None:
        made.append(account)
        if account == "b":
            raise ConfigError(["accounts.b: its secret is missing"])
        Network.__init__(self, account, *given)  # type: ignore[arg-type]  # the settings, as they come

    monkeypatch.setattr(Toy, "__init__", make)
    accounts = make_accounts(make_config(["a", "b", "c"]))
    accounts.make_ready()
    assert made == ["a", "b", "c"]
    accounts.network("c")
    assert made == ["a", "b", "c"]
    with pytest.raises(ConfigError, match="its secret is missing"):
        accounts.network("b")
