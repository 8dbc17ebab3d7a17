"""Posts come in once, and become one share on each account."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate.config import SourceConfig
from reverberate.errors import ReverberateError, SourceError
from reverberate.model import Post, Share, ShareState
from reverberate.schedule import Quiet, Schedule
from reverberate.service import Service
from reverberate.sources.base import Look
from reverberate.store import journal, posts, shares
from support.plugins import SOURCES, Box, BoxSettings
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.store import Store

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LONG = "A text that is long enough to be nobody else's. " * 5


class Clock:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def a_post(number: int, **more: object) -> Post:
    values = {"guid": f"tag:blog.example,2026:{number}", "text": f"{LONG} {number}", "title": f"Post {number}"} | more
    return Post(url=f"https://blog.example/{number}", **values)  # type: ignore[arg-type]  # the test's own shorthand


@pytest.fixture(autouse=True)
def box() -> Iterator[list[Look | Exception]]:
    """What the source shows, look by look."""
    Box.looks = []
    yield Box.looks
    Box.looks = []


def make(store: Store, *, clock: Clock | None = None, accounts: str = "a b", **more: object) -> Service:
    source = {"backfill": 0, "flood": 10, "every": timedelta(minutes=5)}
    source |= {key: more.pop(key) for key in list(more) if key in source}
    config = make_config(accounts.split(), **more)
    blog = SourceConfig(name="blog", type="box", settings=BoxSettings(url="x"), **source)  # type: ignore[arg-type]  # as above
    config = replace(config, sources={"blog": blog})
    now = clock or Clock()
    return Service(config, store, make_accounts(config), sources=SOURCES, now=now, chance=lambda: 0.5)


def planned(store: Store) -> list[Share]:
    with store.read() as tx:
        return list(reversed(shares.find(tx, limit=1000)))


def test_the_first_look_shares_nothing(store: Store, box: list[Look | Exception]) -> None:
    box.append(Look(posts=(a_post(1), a_post(2))))
    looked = make(store).look("blog")

    assert (looked.baseline, looked.seen, looked.new) == (True, 2, 0)
    assert planned(store) == []
    with store.read() as tx:
        assert [known.post.title for known in posts.newest(tx)] == ["Post 2", "Post 1"]


def test_backfill_shares_the_newest_of_the_first_look(store: Store, box: list[Look | Exception]) -> None:
    box.append(Look(posts=tuple(a_post(n) for n in range(5))))
    make(store, accounts="a", backfill=2).look("blog")

    with store.read() as tx:
        titles = [posts.get(tx, share.post_id).post.title for share in shares.find(tx)]  # type: ignore[union-attr]  # planned
    assert titles == ["Post 4", "Post 3"]


def test_a_new_post_becomes_one_share_on_each_account(store: Store, box: list[Look | Exception]) -> None:
    old, new = a_post(1), a_post(2)
    box += [Look(posts=(old,)), Look(posts=(old, new)), Look(posts=(old, new)), Look(unchanged=True)]
    service = make(store)
    news = [service.look("blog").new for _ in range(4)]

    assert news == [0, 1, 0, 0]
    assert [(share.account, share.state, share.due) for share in planned(store)] == [
        ("a", ShareState.SCHEDULED, NOW),
        ("b", ShareState.SCHEDULED, NOW),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"guid": "a new guid"},
        {"title": "A corrected title"},
        {"text": "rewritten"},
        {"guid": "", "title": "Neu"},
    ],
)
def test_an_edited_post_is_the_same_post(store: Store, box: list[Look | Exception], change: dict[str, str]) -> None:
    box += [Look(), Look(posts=(a_post(1),)), Look(posts=(replace(a_post(1), **change),))]
    service = make(store)
    news = [service.look("blog").new for _ in range(3)]

    assert news == [0, 1, 0]
    assert len(planned(store)) == 2


def test_a_blog_that_moved_is_not_shared_again(store: Store, box: list[Look | Exception]) -> None:
    moved = [replace(a_post(n), guid=f"new-{n}", url=f"https://new.example/{n}/") for n in range(3)]
    box += [Look(), Look(posts=tuple(a_post(n) for n in range(3))), Look(posts=tuple(moved))]
    service = make(store)

    assert [service.look("blog").new for _ in range(3)] == [0, 3, 0]


def test_a_flood_waits_for_approval(store: Store, box: list[Look | Exception]) -> None:
    box += [Look(), Look(posts=tuple(a_post(n) for n in range(4)))]
    service = make(store, flood=3)
    service.look("blog")
    service.look("blog")

    assert {share.state for share in planned(store)} == {ShareState.HELD}
    assert "flood guard: 4 new posts at once from blog" in planned(store)[0].reason


def test_a_rule_skips_and_says_so(store: Store) -> None:
    service = make(store, when="no")
    service.publish(a_post(1))

    assert [(share.state, share.reason) for share in planned(store)] == [
        (ShareState.SKIPPED, "the account's rule does not hold: no")
    ] * 2


def test_a_rule_that_cannot_be_read_holds_and_says_so(store: Store) -> None:
    make(store, when="if only").publish(a_post(1))

    assert {(share.state, share.reason) for share in planned(store)} == {
        (ShareState.HELD, "rule 'if only': cannot be read")
    }


def test_a_schedule_moves_the_due_time(store: Store) -> None:
    schedule = Schedule(delay=timedelta(hours=1), quiet=Quiet.parse("12:30-20:00"))
    make(store, schedule=schedule).publish(a_post(1))

    assert {share.due for share in planned(store)} == {datetime(2026, 1, 5, 20, tzinfo=UTC)}


def test_a_post_published_by_hand_is_recognised_in_the_feed(store: Store, box: list[Look | Exception]) -> None:
    service = make(store)
    box += [Look(), Look(posts=(a_post(1),))]
    service.look("blog")
    first = service.publish(replace(a_post(1), guid="", url="https://blog.example/1/?utm_source=me"))

    assert first.new
    assert service.look("blog").new == 0
    assert not service.publish(a_post(1)).new
    assert len(planned(store)) == 2


def test_publish_takes_only_the_accounts_that_are_asked_for(store: Store) -> None:
    make(store).publish(a_post(1), accounts=["b"])

    assert [share.account for share in planned(store)] == ["b"]


def test_publish_to_an_unknown_account_stores_nothing(store: Store) -> None:
    with pytest.raises(ReverberateError, match="no account 'c'"):
        make(store).publish(a_post(1), accounts=["c"])

    assert planned(store) == []


def test_a_source_in_trouble_is_asked_ever_more_seldom_and_says_why(store: Store, box: list[Look | Exception]) -> None:
    clock = Clock()
    service = make(store, clock=clock)
    box += [SourceError("blog: 404")] * 3 + [Look()]
    waits = []
    for _ in range(3):
        assert service.look("blog").trouble == "blog: 404"
        with store.read() as tx:
            waits.append(journal.source(tx, "blog").next_look)
    service.look("blog")
    with store.read() as tx:
        after = journal.source(tx, "blog")

    assert [wait - NOW for wait in waits if wait] == [timedelta(minutes=n) for n in (1, 2, 4)]
    assert (after.failures, after.trouble) == (0, "")


def test_a_source_says_itself_when_to_come_again(store: Store, box: list[Look | Exception]) -> None:
    box.append(Look(wait=timedelta(hours=1), memory={"etag": "x"}))
    make(store).look("blog")
    with store.read() as tx:
        state = journal.source(tx, "blog")

    assert (state.next_look, state.memory) == (NOW + timedelta(hours=1), {"etag": "x"})


def test_two_looks_at_the_same_time_plan_once(store: Store, box: list[Look | Exception]) -> None:
    box.append(Look())
    service = make(store)
    service.look("blog")
    box += [Look(posts=(a_post(1),))] * 4
    threads = [threading.Thread(target=service.look, args=("blog",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(planned(store)) == 2
