"""After posting: what is out is edited or taken back once a person or the blog wants it, whatever dies meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reverberate import status
from reverberate.chores import _illustrated, ask, differs
from reverberate.config import SourceConfig
from reverberate.desk import Desk
from reverberate.errors import Outcome, RateLimited, Refused, ReverberateError, Transient, Unauthorised, Unsure
from reverberate.model import Card, Message, Picture, Post, Receipt, ShareState
from reverberate.service import Service
from reverberate.sources.base import Look
from reverberate.store import chores, claims, endings, journal, posts, shares
from reverberate.tasks import Poller
from support.plugins import NETWORKS, SOURCES, Box, BoxSettings, Toy
from support.world import get, make_accounts, make_config, plan, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.delivery import Courier
    from reverberate.model import Chore, Delivery
    from reverberate.store import Store

S = ShareState
HOUR = timedelta(hours=1)


class Kept(Toy):
    """A toy network that can edit and delete, as its script says."""

    does: list[Outcome | None] = []

    def _do(self) -> None:
        outcome = type(self).does.pop(0) if type(self).does else None
        if outcome is not None:
            raise outcome

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        self._do()
        at = next(n for n, held in enumerate(self.accepted) if held.key == receipt.remote_id)
        self.accepted[at] = replace(delivery, key=receipt.remote_id)
        return replace(receipt, permalink=f"{receipt.permalink}?edited")

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        assert delivery.message.parts
        self._do()
        self.accepted[:] = [held for held in self.accepted if held.key != receipt.remote_id]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> type[Kept]:
    """A network of this test's own."""

    class Own(Kept):
        script = []
        accepted = []
        does = []
        settle = timedelta(0)

    monkeypatch.setitem(NETWORKS._loaded, "toy", Own)
    return Own


def deliver(courier: Courier, ids: list[int]) -> None:
    courier.deliver(ids)
    assert courier.drain(20)


def sent(store: Store, courier: Courier, *, title: str = "A post") -> int:
    (share_id,) = plan(store, accounts=["a"], title=title)
    deliver(courier, [share_id])
    assert get(store, share_id).state is S.SENT
    return share_id


def want(store: Store, share_id: int, kind: str, **more: str) -> None:
    ask(store, make_accounts(make_config("a")), share_id, kind, now=datetime.now(UTC), **more)


def due(store: Store, later: timedelta = timedelta(0)) -> list[int]:
    with store.write() as tx:
        return claims.take_due(tx, now=datetime.now(UTC) + later, limit=100)


def all_of(store: Store, share_id: int) -> list[Chore]:
    with store.read() as tx:
        return chores.of_share(tx, share_id)


def told(store: Store, share_id: int) -> list[str]:
    with store.read() as tx:
        return [f"{e.kind}: {e.words}" for e in journal.events_of(tx, share_id)]


def at_once(store: Store, share_id: int) -> None:
    """Let time pass until the chore is due."""
    now = datetime.now(UTC)
    with store.write() as tx:
        mine = chores.chores.update().where(chores.chores.c.share_id == share_id, chores.chores.c.ended.is_(None))
        tx.execute(mine.values(due=now, wake=now))


def test_a_deleted_share_is_gone_there_and_cancelled_here(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    before = get(store, share_id)
    want(store, share_id, "delete")
    assert due(store) == [share_id], "handed over as shares are"
    deliver(hand, [share_id])

    share = get(store, share_id)
    assert kept.accepted == []
    assert (share.state, share.reason, share.receipt) == (S.CANCELLED, "deleted on the network", None)
    assert [(one.outcome, one.tries) for one in all_of(store, share_id)] == [("done", 1)]
    assert f"share deleted: https://toy.example/{share_id}" in told(store, share_id)
    with store.read() as tx:
        story = status.story(tx, share)
    assert [(a["kind"], a["outcome"]) for a in story["attempts"]] == [("send", "receipt"), ("delete", "receipt")]
    assert story["chores"][0]["outcome"] == "done"
    Desk(store).retry(share_id)
    deliver(hand, [share_id])
    assert get(store, share_id).state is S.SENT, "retried, it is a new post"
    assert get(store, share_id).key != before.key


def test_an_edited_share_says_the_new_words_and_is_still_sent(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    want(store, share_id, "edit", text="Other words")
    deliver(hand, due(store))

    share = get(store, share_id)
    assert [held.message.parts for held in kept.accepted] == [("Other words",)]
    assert share.state is S.SENT
    assert share.receipt == Receipt(remote_id=share.key, permalink=f"https://toy.example/{share_id}?edited")
    with store.read() as tx:
        assert shares.message(tx, share_id).parts == ("Other words",)  # type: ignore[union-attr]  # it was sent
    want(store, share_id, "edit", text="Other words")
    deliver(hand, due(store))
    assert [one.outcome for one in all_of(store, share_id)] == ["done", "same"]


def test_words_that_do_not_fit_are_refused_with_the_count(store: Store, courier: Callable[..., Courier]) -> None:
    hand = courier()
    share_id = sent(store, hand)
    want(store, share_id, "edit", text="x" * 501)
    deliver(hand, due(store))

    assert "edit refused: the text is 501 characters long, and 500 are allowed" in told(store, share_id)


def test_the_door_opens_for_what_is_sent_alone(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    for state in set(S) - {S.SENT}:
        with store.write() as tx:
            tx.execute(shares.shares.update().where(shares.shares.c.id == share_id).values(state=state))
        for kind in ("edit", "delete"):
            with pytest.raises(ReverberateError, match=f"share {share_id} is {state}"):
                want(store, share_id, kind)

    assert all_of(store, share_id) == []


def test_a_network_that_cannot_is_said_at_once_with_the_place(
    store: Store, courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    share_id = sent(store, courier())
    monkeypatch.setitem(NETWORKS._loaded, "toy", Toy)

    with pytest.raises(ReverberateError, match=rf"Toy lets us not delete posts .*https://toy.example/{share_id}"):
        want(store, share_id, "delete")


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_what_only_its_owner_has_seen_is_not_taken_for_gone(
    store: Store, courier: Callable[..., Courier], kept: type[Kept], kind: str
) -> None:
    kept.script = [Unsure("the answer was lost")]
    hand = courier("a", settle=timedelta(0))
    share_id = lost_and_seen(store, hand)

    with pytest.raises(ReverberateError, match=r"never told us which post it is .*https://toy.example/1"):
        want(store, share_id, kind)
    with store.write() as tx:  # as the blog asks
        chores.ask(tx, [(share_id, "a")], kind, by="update", now=datetime.now(UTC))
    deliver(hand, [share_id])
    assert [(one.outcome, one.tries) for one in all_of(store, share_id)] == [("refused", 0)]
    assert get(store, share_id).state is S.SENT


def lost_and_seen(store: Store, courier: Courier) -> int:
    """A share whose answer was lost, and that its owner has seen on the network."""
    (share_id,) = plan(store, accounts=["a"])
    deliver(courier, [share_id])
    with store.write() as tx:
        tx.execute(shares.shares.update().values(state=S.UNSURE, wake=None))
    Desk(store).resolve_sent(share_id, permalink="https://toy.example/1")
    return share_id


@pytest.mark.parametrize("outcome", [Transient("away"), Unsure("the answer was lost")])
def test_what_may_or_may_not_be_done_is_done_again_later(
    store: Store, courier: Callable[..., Courier], kept: type[Kept], outcome: Outcome
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    kept.does = [outcome]
    want(store, share_id, "delete")
    deliver(hand, due(store))
    (chore,) = all_of(store, share_id)
    assert (chore.outcome, chore.tries, get(store, share_id).state) == ("", 1, S.SENT)
    assert due(store) == [], "not before its time"
    at_once(store, share_id)
    deliver(hand, due(store))

    assert get(store, share_id).state is S.CANCELLED


def test_tries_that_are_used_up_are_told(store: Store, courier: Callable[..., Courier], kept: type[Kept]) -> None:
    hand = courier(retry=(HOUR,))
    share_id = sent(store, hand)
    kept.does = [Transient("away"), Transient("still away")]
    want(store, share_id, "delete")
    for _ in range(2):
        deliver(hand, due(store))
        at_once(store, share_id)

    assert "delete refused: gave up after 2 tries: still away" in told(store, share_id)
    assert get(store, share_id).state is S.SENT


def test_a_dead_token_pauses_the_account_and_the_chore_waits_for_its_owner(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    kept.does = [Unauthorised("the token is dead", status=401)]
    want(store, share_id, "delete")
    deliver(hand, due(store))
    with store.read() as tx:
        assert journal.account(tx, "a").paused_why == "the token is dead"
    assert due(store, later=HOUR) == []
    want(store, share_id, "edit", text="while it is paused")
    assert due(store, later=HOUR) == []
    Desk(store).resume("a")
    deliver(hand, due(store))

    assert get(store, share_id).state is S.CANCELLED
    assert [(one.kind, one.outcome, one.tries) for one in all_of(store, share_id)] == [
        ("delete", "done", 1),
        ("edit", "dropped", 0),
    ], "a deletion goes first, and being told to reconnect is no try"


def test_a_rate_limit_rests_the_account(store: Store, courier: Callable[..., Courier], kept: type[Kept]) -> None:
    hand = courier()
    share_id = sent(store, hand)
    until = datetime.now(UTC) + HOUR
    kept.does = [RateLimited("slowly", status=429, until=until)]
    want(store, share_id, "delete")
    deliver(hand, due(store))

    (chore,) = all_of(store, share_id)
    assert (chore.due, chore.tries) == (until, 0)
    with store.read() as tx:
        assert journal.account(tx, "a").rest_until == until


def test_a_refusal_leaves_the_share_as_it_is(store: Store, courier: Callable[..., Courier], kept: type[Kept]) -> None:
    hand = courier()
    share_id = sent(store, hand)
    kept.does = [Refused("not yours", status=403)]
    want(store, share_id, "edit", text="Other words")
    deliver(hand, due(store))

    assert get(store, share_id).state is S.SENT
    assert "edit refused: not yours" in told(store, share_id)


def test_a_worker_that_dies_over_a_chore_leaves_it_to_another(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    want(store, share_id, "delete")
    now = datetime.now(UTC)
    with store.write() as tx:
        (work,) = claims.work(tx, [share_id])
        assert work.chore is not None
        dead = {"fence": work.share.fence, "owner": "dead", "lease": now - HOUR, "now": now}
        assert chores.claim(tx, work.chore, **dead) == work.share.fence + 1
        assert chores.claim(tx, work.chore, **dead) is None, "one worker at a time"
    kept.accepted.clear()  # it was done, and nobody could write that down
    with store.write() as tx:
        assert endings.any_expired(tx, now=now)
        assert endings.sweep(tx, now=now, settle=lambda _: timedelta(0)) == [], "no share is in doubt"
    assert get(store, share_id).state is S.SENT
    assert get(store, share_id).lease is None
    assert due(store) == []
    assert due(store, later=chores.AGAIN + timedelta(seconds=1)) == [share_id], "it comes again by itself"
    at_once(store, share_id)
    deliver(hand, due(store))

    assert get(store, share_id).state is S.CANCELLED
    with store.read() as tx:
        kinds = [(a.kind, a.outcome) for a in journal.attempts_of(tx, share_id)]
    assert kinds == [("send", "receipt"), ("delete", ""), ("delete", "receipt")], "the intent of the dead one is there"


@pytest.fixture
def wanted(store: Store, courier: Callable[..., Courier]) -> Wanted:
    """A share that is to be deleted, as several workers have read of it."""
    share_id = sent(store, courier())
    want(store, share_id, "delete")
    with store.read() as tx:
        (work,) = claims.work(tx, [share_id])
    assert work.chore is not None
    return Wanted(store, work.chore, work.share.fence)


class Wanted(NamedTuple):
    """A chore, as it was read."""

    store: Store
    chore: Chore
    fence: int

    def claim(self, owner: str, fence: int, *, lease: timedelta = HOUR) -> int | None:
        """Try to take it in hand."""
        now = datetime.now(UTC)
        with self.store.write() as tx:
            return chores.claim(tx, self.chore, fence=fence, owner=owner, lease=now + lease, now=now)

    def settle(self, fence: int, came: str = "", *, outcome: str = "transient") -> bool:
        """Write what it came to: done, or to be done again at once."""
        now = datetime.now(UTC)
        told = chores.Finish(chore=self.chore, fence=fence, now=now, outcome=outcome, came=came, due=now, key="new")
        with self.store.write() as tx:
            return chores.settle(tx, told)


def test_nobody_takes_what_another_has_in_hand_however_fresh_its_knowledge(wanted: Wanted) -> None:
    held = wanted.claim("first", wanted.fence)
    assert held is not None

    assert wanted.claim("second", held) is None


def test_nobody_takes_what_was_worked_on_since_it_was_read(wanted: Wanted) -> None:
    held = wanted.claim("first", wanted.fence)
    assert held is not None
    assert wanted.settle(held)

    assert wanted.claim("second", wanted.fence) is None
    assert wanted.claim("third", held) == held + 1


def test_who_was_overtaken_writes_nothing_over_the_other_s_head(wanted: Wanted) -> None:
    slow = wanted.claim("slow", wanted.fence, lease=-HOUR)
    assert slow is not None
    with wanted.store.write() as tx:
        endings.sweep(tx, now=datetime.now(UTC), settle=lambda _: timedelta(0))
    at_once(wanted.store, wanted.chore.share_id)
    quick = wanted.claim("quick", slow)
    assert quick == slow + 1

    assert wanted.settle(slow, "done") is False
    share = get(wanted.store, wanted.chore.share_id)
    assert (share.state, share.owner, share.fence) == (S.SENT, "quick", quick)
    assert wanted.settle(quick, "done")
    assert get(wanted.store, wanted.chore.share_id).state is S.CANCELLED


def test_a_step_that_is_told_after_a_deletion_is_not_built_on(wanted: Wanted) -> None:
    sent_under, share_id = wanted.fence, wanted.chore.share_id
    held = wanted.claim("quick", wanted.fence)
    assert held is not None
    assert wanted.settle(held, "done", outcome="receipt")
    with wanted.store.write() as tx:
        assert claims.record(tx, share_id, sent_under, "part 2", {"remote_id": "2"}, now=datetime.now(UTC)) is False
        assert claims.steps_of(tx, [share_id]) == {}
        assert claims.record(tx, share_id, held + 1, "part 2", {"remote_id": "3"}, now=datetime.now(UTC)) is False
        assert claims.steps_of(tx, [share_id])[share_id]["part 2"].answer == {"remote_id": "3"}, "of a later post"


@pytest.mark.parametrize(("wrote", "ended"), [(True, ""), (False, "refused")])
def test_a_plug_in_that_fails_once_it_has_written_is_asked_again(
    store: Store, courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch, *, wrote: bool, ended: str
) -> None:
    class Broken(Kept):
        def delete(self, delivery: Delivery, receipt: Receipt) -> None:
            del delivery, receipt
            self.session.wrote = wrote
            raise ValueError("a plug-in may be wrong")

    share_id = sent(store, courier())
    monkeypatch.setitem(NETWORKS._loaded, "toy", Broken)
    want(store, share_id, "delete")
    deliver(courier(), [share_id])

    (chore,) = all_of(store, share_id)
    assert (chore.outcome, chore.tries) == (ended, 1)
    assert "the plug-in failed: ValueError" in chore.reason


def test_a_worker_that_lost_its_claim_changes_nothing(store: Store, courier: Callable[..., Courier]) -> None:
    share_id = sent(store, courier())
    want(store, share_id, "delete")
    now = datetime.now(UTC)
    with store.write() as tx:
        (work,) = claims.work(tx, [share_id])
        assert work.chore is not None
        fence = chores.claim(tx, work.chore, fence=work.share.fence, owner="slow", lease=now - HOUR, now=now)
        assert fence is not None
        endings.sweep(tx, now=now, settle=lambda _: timedelta(0))
        late = chores.Finish(chore=work.chore, fence=fence, now=now, outcome="receipt", came="done", key="new")

        assert chores.settle(tx, late) is False
    assert get(store, share_id).state is S.SENT
    assert all_of(store, share_id)[0].outcome == ""


def test_the_poller_finds_a_chore_whose_word_was_lost(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand = courier()
    share_id = sent(store, hand)
    want(store, share_id, "delete")
    poller = Poller(store, hand, grace=timedelta(0))
    try:
        poller.poll()
        assert hand.drain(20)
    finally:
        poller.stop()

    assert kept.accepted == []


# --- the blog changed a post


def changed(store: Store, title: str, *, url: str = "", **account: object) -> Service:
    """A service on a blog that shows the post under another title."""
    config = make_config("a", **account)
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    with store.read() as tx:
        (known,) = posts.newest(tx)
    post = replace(known.post, title=title, url=url or known.post.url, updated=datetime.now(UTC))
    assert service.publish(post).new is False
    return service


def published(store: Store, courier: Callable[..., Courier], **account: object) -> tuple[Courier, int]:
    """A published post that is sent."""
    config = make_config("a", **account)
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    service.publish(Post(url="https://blog.example/1", title="A psot", text="Words. " * 40))
    hand = courier("a", **account)
    deliver(hand, due(store))
    (share,) = _shares(store)
    assert share.state is S.SENT
    return hand, share.id


def _shares(store: Store) -> list[shares.Share]:
    with store.read() as tx:
        return list(reversed(shares.find(tx)))


def test_an_update_is_ignored_unless_the_account_says_otherwise(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    _, share_id = published(store, courier)
    changed(store, "A post")

    assert all_of(store, share_id) == []
    assert kept.accepted[0].message.parts[0].startswith("A psot")
    with store.read() as tx:
        assert posts.newest(tx)[0].post.title == "A post", "what is stored follows the blog"


def test_an_update_edits_what_is_there(store: Store, courier: Callable[..., Courier], kept: type[Kept]) -> None:
    hand, share_id = published(store, courier, on_update="edit")
    changed(store, "A post", on_update="edit")
    deliver(hand, due(store))

    assert [held.message.parts[0].split("\n")[0] for held in kept.accepted] == ["A post"]
    assert [(one.by, one.outcome) for one in all_of(store, share_id)] == [("update", "done")]


def test_a_change_that_no_reader_sees_changes_nothing(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand, share_id = published(store, courier, on_update="edit")
    service = changed(store, "A psot", on_update="edit")
    assert all_of(store, share_id) == [], "another time stamp is no change at all"
    with store.read() as tx:
        post = posts.newest(tx)[0].post
    service.publish(replace(post, summary="Of which the template says nothing."))
    deliver(hand, due(store))

    assert [one.outcome for one in all_of(store, share_id)] == ["same"]
    assert len(kept.accepted) == 1
    assert not [words for words in told(store, share_id) if "edit" in words]


def test_an_update_that_comes_while_the_last_is_worked_on_is_not_lost(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand, share_id = published(store, courier, on_update="edit")
    changed(store, "Second", on_update="edit")
    edit = kept.edit

    def meanwhile(self: Kept, delivery: Delivery, receipt: Receipt) -> Receipt:
        kept.edit = edit  # type: ignore[method-assign]  # put back
        changed(store, "Third", on_update="edit")
        return edit(self, delivery, receipt)

    kept.edit = meanwhile  # type: ignore[method-assign]  # for one call
    for _ in range(2):
        deliver(hand, due(store))

    assert kept.accepted[0].message.parts[0].startswith("Third")
    assert [one.outcome for one in all_of(store, share_id)] == ["done"]


def test_a_network_that_cannot_edit_leaves_the_share_and_says_so(
    store: Store, courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plain(Toy):
        script, accepted = [], []

    monkeypatch.setitem(NETWORKS._loaded, "toy", Plain)
    hand, share_id = published(store, courier, on_update="edit")
    changed(store, "A post", on_update="edit")
    deliver(hand, due(store))

    assert "edit refused: the blog changed the post, and Toy lets us not edit what is there" in told(store, share_id)
    assert get(store, share_id).state is S.SENT


def test_a_repost_is_one_more_share_in_the_new_words(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    hand, share_id = published(store, courier, on_update="repost")
    for title in ("A pots", "A post"):  # the second change comes before the new share is sent
        changed(store, title, on_update="repost")
        deliver(hand, [share_id])
    assert [(share.slot, share.state) for share in _shares(store)] == [("", S.SENT), ("update 1", S.SCHEDULED)]
    deliver(hand, due(store))

    assert [held.message.parts[0].split("\n")[0] for held in kept.accepted] == ["A psot", "A post"]
    changed(store, "A post again", on_update="repost")
    deliver(hand, due(store))
    assert [share.slot for share in _shares(store)] == ["", "update 1", "update 2"]


def test_a_share_that_was_not_sent_yet_says_what_the_blog_says_then(
    store: Store, courier: Callable[..., Courier], kept: type[Kept]
) -> None:
    config = make_config("a")
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    service.publish(Post(url="https://blog.example/1", title="A psot", text="Words. " * 40))
    changed(store, "A post")
    deliver(courier("a"), due(store))

    assert kept.accepted[0].message.parts[0].startswith("A post")


def test_an_edit_waits_for_a_share_that_is_not_settled(store: Store, courier: Callable[..., Courier]) -> None:
    hand, share_id = published(store, courier, on_update="edit")
    with store.write() as tx:
        tx.execute(shares.shares.update().where(shares.shares.c.id == share_id).values(state=S.UNSURE))
    changed(store, "A post", on_update="edit")
    deliver(hand, due(store))
    (chore,) = all_of(store, share_id)
    assert (chore.outcome, chore.reason) == ("", "waits: the share is unsure")
    Desk(store).resolve_give_up(share_id)
    at_once(store, share_id)
    deliver(hand, due(store))

    assert [one.outcome for one in all_of(store, share_id)] == ["dropped"]


def test_a_new_design_of_the_blog_is_no_update_of_every_post(store: Store, courier: Callable[..., Courier]) -> None:
    def post(number: int, more: str = "") -> Post:
        return Post(url=f"https://blog.example/{number}", title=f"Post {number}{more}", text=f"Words {number}. " * 40)

    config = make_config("a", on_update="edit")
    blog = SourceConfig(name="blog", type="box", settings=BoxSettings(url="x"), every=HOUR, flood=2, backfill=9)
    config = replace(config, sources={"blog": blog})
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    Box.looks = [Look(posts=tuple(post(n, more) for n in range(3))) for more in ("", " | My blog")]
    service.look("blog")
    deliver(courier("a"), due(store))
    assert states(store) == {"sent": 3}
    service.look("blog")

    assert [all_of(store, share.id) for share in _shares(store)] == [[], [], []]
    with store.read() as tx:
        noted = [e for e in journal.events_of(tx, None) if e.kind == "updates left alone"]  # type: ignore[arg-type]  # of no share
    assert [e.words for e in noted] == ["3 posts changed at once; what is shared of them is left as it is"]


def test_only_the_source_that_brought_a_post_may_change_it(store: Store, courier: Callable[..., Courier]) -> None:
    _, share_id = published(store, courier, on_update="edit")
    with store.write() as tx:
        (known,) = posts.newest(tx)
        tx.execute(posts.tables.posts.update().values(source="blog"))
    changed(store, "Told otherwise", on_update="edit")

    assert all_of(store, share_id) == []
    with store.read() as tx:
        assert posts.newest(tx)[0].post == known.post


def test_a_picture_that_cannot_be_had_now_is_no_change() -> None:
    picture = Picture(digest="d" * 64, mime="image/png", width=1, height=1, size=1)
    card = Card(url="u", title="t", picture=picture)
    old = Message(parts=("x",), link="u", card=card, pictures=(picture,))
    bare = Message(parts=("x",), link="u", card=replace(card, picture=None))

    assert differs(old, bare)
    assert not differs(old, _illustrated(bare, old))
    assert not differs(old, replace(old, notes=("shortened",), language="en"))
