"""A person's doors: each opens from the states that it says, and from no other; and what is told of a share is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import status
from reverberate.config import SourceConfig
from reverberate.desk import Desk
from reverberate.errors import ReverberateError
from reverberate.model import Message, Picture, Receipt, ShareState
from reverberate.service import Service
from reverberate.store import claims, endings, journal, posts, shares
from support.plugins import SOURCES, BoxSettings
from support.world import get, make_accounts, make_config, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.store import Store

S = ShareState
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DOORS: dict[str, tuple[Callable[[Desk, int], None], set[ShareState], ShareState]] = {
    "retry": (lambda desk, n: desk.retry(n), {S.REFUSED, S.SKIPPED, S.CANCELLED, S.HELD, S.SCHEDULED}, S.SCHEDULED),
    "approve": (lambda desk, n: desk.approve(n), {S.HELD}, S.SCHEDULED),
    "cancel": (lambda desk, n: desk.cancel(n), {S.HELD, S.SCHEDULED}, S.CANCELLED),
    "reschedule": (lambda desk, n: desk.reschedule(n, NOW), {S.HELD, S.SCHEDULED}, S.SCHEDULED),
    "sent": (lambda desk, n: desk.resolve_sent(n, permalink="https://x.example/1"), {S.UNSURE}, S.SENT),
    "resend": (lambda desk, n: desk.resolve_resend(n), {S.UNSURE}, S.SCHEDULED),
    "give up": (lambda desk, n: desk.resolve_give_up(n), {S.UNSURE}, S.CANCELLED),
}


def put(store: Store, share_id: int, state: ShareState) -> None:
    with store.write() as tx:
        tx.execute(shares.shares.update().where(shares.shares.c.id == share_id).values(state=state, tries=3))


@pytest.mark.parametrize("state", list(ShareState))
@pytest.mark.parametrize("door", list(DOORS))
def test_a_door_opens_from_its_states_alone(store: Store, door: str, state: ShareState) -> None:
    (share_id,) = plan(store, accounts=["a"])
    put(store, share_id, state)
    opened, doors, to = DOORS[door]
    desk = Desk(store, now=lambda: NOW)
    if state in doors:
        opened(desk, share_id)
        assert get(store, share_id).state is to
        assert (get(store, share_id).tries == 0) == (door in {"retry", "approve"})
    else:
        with pytest.raises(ReverberateError, match=f"share {share_id} is {state}"):
            opened(desk, share_id)
        assert get(store, share_id).state is state


def test_a_share_that_is_on_its_way_has_no_door(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    now = datetime.now(UTC)
    wish = claims.Claim(share_id=share_id, kind="send", state=S.SCHEDULED, message=Message(parts=("x",), link="y"))
    with store.write() as tx:
        claims.claim(tx, [wish], owner="w", lease=now + timedelta(seconds=10), now=now)

    with pytest.raises(ReverberateError, match="is sending"):
        Desk(store).cancel(share_id)


def test_a_share_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(ReverberateError, match="there is no share 77"):
        Desk(store).cancel(77)


def test_a_retried_share_is_rendered_anew(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    now = datetime.now(UTC)
    wish = claims.Claim(share_id=share_id, kind="send", state=S.SCHEDULED, message=Message(parts=("x",), link="y"))
    with store.write() as tx:
        claims.claim(tx, [wish], owner="w", lease=now, now=now)
        endings.settle(
            tx, [endings.Ending(share_id=share_id, fence=1, now=now, state=S.REFUSED, outcome="refused", words="no")]
        )
    Desk(store).retry(share_id)

    with store.read() as tx:
        assert shares.message(tx, share_id) is None


def test_the_story_of_a_share_is_whole(store: Store) -> None:
    (share_id,) = plan(store, accounts=["a"])
    now = datetime.now(UTC)
    picture = Picture(digest="d" * 64, mime="image/png", width=2, height=1, size=9, alt="a dot")
    message = Message(parts=("one", "two"), link="https://x.example/", pictures=(picture,), notes=("cut",))
    wish = claims.Claim(share_id=share_id, kind="send", state=S.SCHEDULED, message=message)
    receipt = Receipt(remote_id="1", permalink="https://net.example/1")
    ending = endings.Ending(share_id=share_id, fence=1, now=now, state=S.SENT, outcome="receipt", receipt=receipt)
    with store.write() as tx:
        claims.claim(tx, [wish], owner="w", lease=now, now=now)
        endings.settle(tx, [ending])
        share = shares.get(tx, share_id)
        assert share is not None
        story = status.story(tx, share)

    assert story["message"]["pictures"] == [{"mime": "image/png", "width": 2, "height": 1, "bytes": 9, "alt": "a dot"}]
    assert [attempt["outcome"] for attempt in story["attempts"]] == ["receipt"]
    assert [event["kind"] for event in story["events"]] == ["share sent"]
    assert (story["permalink"], story["message"]["parts"]) == ("https://net.example/1", ["one", "two"])


def test_the_overview_tells_of_accounts_sources_and_lateness(store: Store) -> None:
    plan(store, accounts=["a", "gone"])
    config = make_config(["a"])
    source = SourceConfig(name="blog", type="box", settings=BoxSettings(url="x"), every=timedelta(minutes=5))
    config = replace(config, sources={"blog": source})
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    with store.write() as tx:
        journal.pause(tx, "a", now=NOW, why="reconnect it")
        known = posts.newest(tx, limit=1, source="")[0]
    told = status.overview(service, now=datetime.now(UTC) + timedelta(minutes=1))

    by_name = {account["name"]: account for account in told["accounts"]}
    assert (by_name["a"]["why"], by_name["a"]["shares"]) == ("reconnect it", {"scheduled": 1})
    assert by_name["gone"]["network"] is None
    assert [source["name"] for source in told["sources"]] == ["blog"]
    assert told["lateness"] == pytest.approx(60, abs=5), "the paused account's share is not late, the other one is"
    assert status.post(known)["title"] == "A post"
