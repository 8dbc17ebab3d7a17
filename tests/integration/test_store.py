"""The store keeps its promises on both databases."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from reverberate.errors import StoreError
from reverberate.model import Card, Image, Message, Post, Receipt, ShareState, SourceState
from reverberate.store import Store, claims, endings, journal, posts, shares
from reverberate.store.claims import Claim
from reverberate.store.endings import Ending
from reverberate.store.shares import NewShare
from reverberate.store.writer import Settlement, Writer

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

NOW = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
POST = Post(
    url="https://blog.example/a",
    title="Ein Tag im März 🎉",
    tags=("a", "b"),
    images=(Image(url="https://blog.example/a.png", alt="a picture"),),
    published=NOW,
    extra={"reverberate": {"skip": ["x"]}, "n": 1, "deep": [{"a": None}]},
)
MESSAGE = Message(parts=("one", "two"), link=POST.url, card=Card(url=POST.url, title="t"), notes=("cut",))


def add(tx: Connection, *, account: str = "a", due: datetime = NOW, number: int = 1) -> list[int]:
    """Plan shares of as many posts; their numbers."""
    for index in range(number):
        post_id = posts.add(tx, POST, source="s", now=NOW)
        shares.plan(
            tx, [NewShare(post_id=post_id, account=account, due=due, key=f"{account}{post_id}{index}")], now=NOW
        )
    return sorted(share.id for share in shares.find(tx, account=account, limit=1000))


def wish(share_id: int, kind: str = "send", state: ShareState = ShareState.SCHEDULED) -> Claim:
    return Claim(share_id=share_id, kind=kind, state=state, message=MESSAGE)


def take(store: Store, *wishes: Claim, owner: str = "w", now: datetime = NOW) -> dict[int, tuple[int, Message]]:
    with store.write() as tx:
        return claims.claim(tx, wishes, owner=owner, lease=now + timedelta(seconds=10), now=now)


def ending(share_id: int, fence: int, state: ShareState = ShareState.SENT, **more: object) -> Ending:
    receipt = Receipt(remote_id="r", permalink="https://n.example/r") if state is ShareState.SENT else None
    values = {"outcome": "receipt", "receipt": receipt, "now": LATER} | more
    return Ending(share_id=share_id, fence=fence, state=state, **values)  # type: ignore[arg-type]  # the tests' own shorthand


def get(store: Store, share_id: int) -> shares.Share:
    with store.read() as tx:
        share = shares.get(tx, share_id)
    assert share is not None
    return share


def test_a_post_comes_back_as_it_was(store: Store) -> None:
    with store.write() as tx:
        post_id = posts.add(tx, POST, source="s", now=NOW)
    with store.read() as tx:
        known = posts.get(tx, post_id)

    assert known is not None
    assert (known.post, known.seen, known.source) == (POST, NOW, "s")


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half_way() -> None:
        with store.write() as tx:
            add(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()

    with store.read() as tx:
        assert shares.find(tx) == []


def test_the_same_share_is_planned_once(store: Store) -> None:
    with store.write() as tx:
        (first,) = add(tx)
        post_id = shares.get(tx, first).post_id  # type: ignore[union-attr]  # just planned
        shares.plan(tx, [NewShare(post_id=post_id, account="a", due=LATER, key="other")], now=LATER)
        shares.plan(tx, [NewShare(post_id=post_id, account="a", slot="again", due=LATER, key="third")], now=LATER)

        assert len(shares.find(tx, account="a")) == 2


def test_a_share_is_claimed_by_one_of_twenty(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    won: list[int] = []

    def claim() -> None:
        won.extend(take(store, wish(share_id)))

    threads = [threading.Thread(target=claim) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert won == [share_id]


def test_a_claim_freezes_the_message_and_journals_the_intent(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)

    assert take(store, wish(share_id)) == {share_id: (1, MESSAGE)}

    share = get(store, share_id)
    with store.read() as tx:
        (attempt,) = journal.attempts_of(tx, share_id)
    assert (share.state, share.tries, share.first_try, share.owner) == (ShareState.SENDING, 1, NOW, "w")
    assert (attempt.number, attempt.kind, attempt.started, attempt.ended) == (1, "send", NOW, None)


def test_the_first_message_stays_whatever_a_later_claim_renders(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        endings.settle(tx, [ending(share_id, 1, ShareState.SCHEDULED, due=LATER, outcome="transient")])
    other = Claim(share_id=share_id, kind="send", state=ShareState.SCHEDULED, message=Message(parts=("new",), link="x"))

    assert take(store, other, now=LATER) == {share_id: (2, MESSAGE)}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE shares SET state = 'cancelled'", "cancelled"),
        ("UPDATE shares SET due = due + 60000000", "moved to later"),
        ("UPDATE shares SET wake = NULL", "its account is paused"),
        ("UPDATE shares SET lease = due", "another worker has it"),
    ],
)
def test_a_share_that_is_not_to_be_sent_cannot_be_claimed(store: Store, change: str, why: str) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
        tx.execute(text(change))

    assert take(store, wish(share_id)) == {}, why


def test_a_receipt_ends_a_share(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        assert endings.settle(tx, [ending(share_id, 1)]) == {share_id}

    share = get(store, share_id)
    assert (share.state, share.wake, share.lease, share.owner) == (ShareState.SENT, None, None, "")
    assert share.receipt == Receipt(remote_id="r", permalink="https://n.example/r")


def test_a_worker_that_lost_its_claim_cannot_write_a_state(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        endings.sweep(tx, now=NOW + timedelta(minutes=1), settle=lambda _: timedelta(0))
    late = ending(share_id, 1, ShareState.SCHEDULED, due=LATER, outcome="transient")
    with store.write() as tx:
        assert endings.settle(tx, [late]) == set()

    assert get(store, share_id).state is ShareState.UNSURE


def test_a_receipt_that_comes_late_is_still_the_truth(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        endings.sweep(tx, now=NOW + timedelta(minutes=1), settle=lambda _: timedelta(0))
        assert endings.settle(tx, [ending(share_id, 1)]) == {share_id}

    assert get(store, share_id).state is ShareState.SENT


def test_a_late_receipt_does_not_disturb_another_workers_claim(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    much_later = NOW + timedelta(minutes=1)
    with store.write() as tx:
        endings.sweep(tx, now=much_later, settle=lambda _: timedelta(0))
    take(store, wish(share_id, "look", ShareState.UNSURE), owner="v", now=much_later)
    with store.write() as tx:
        assert endings.settle(tx, [ending(share_id, 1)]) == set()
        (first, _) = journal.attempts_of(tx, share_id)

    assert first.outcome == "receipt", "the journal keeps what the first worker saw"


def test_the_sweep_questions_dead_claims_only(store: Store) -> None:
    with store.write() as tx:
        first, second = add(tx, number=2)
    take(store, wish(first))
    take(store, wish(second), owner="alive", now=NOW + timedelta(seconds=30))
    swept_at = NOW + timedelta(seconds=20)
    with store.write() as tx:
        assert endings.sweep(tx, now=swept_at, settle=lambda _: timedelta(seconds=5)) == [first]
        assert endings.sweep(tx, now=swept_at, settle=lambda _: timedelta(seconds=5)) == []

    assert get(store, first).due == swept_at + timedelta(seconds=5)
    assert get(store, second).state is ShareState.SENDING


def test_a_living_worker_keeps_its_claims(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        assert claims.renew(tx, [share_id], owner="w", lease=NOW + timedelta(minutes=5)) == {share_id}
        assert claims.renew(tx, [share_id], owner="somebody else", lease=NOW) == set()
        assert endings.sweep(tx, now=NOW + timedelta(minutes=1), settle=lambda _: timedelta(0)) == []


def test_due_shares_are_handed_over_oldest_first_and_again_if_nobody_claims_them(store: Store) -> None:
    with store.write() as tx:
        add(tx, due=NOW + timedelta(hours=1))
        early, *_ = add(tx, account="b", due=NOW)
        assert claims.next_wake(tx) == NOW
        assert claims.take_due(tx, now=NOW, limit=10) == [early]
        assert claims.take_due(tx, now=NOW, limit=10) == []
        assert claims.take_due(tx, now=NOW + claims.RING_AGAIN, limit=10) == [early]


def test_the_poller_sees_what_was_handed_over_and_not_claimed(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
        claims.take_due(tx, now=NOW, limit=10)

        assert claims.overdue(tx, before=NOW + timedelta(seconds=1), limit=10) == [share_id]
        assert claims.overdue(tx, before=NOW - timedelta(seconds=1), limit=10) == []


def test_a_paused_account_is_silent_until_it_is_resumed(store: Store) -> None:
    with store.write() as tx:
        first, *_ = add(tx)
        journal.pause(tx, "a", now=NOW, why="token revoked")
        add(tx, number=1)
        assert claims.take_due(tx, now=LATER, limit=10) == []
        assert claims.overdue(tx, before=LATER, limit=10) == []
        assert journal.account(tx, "a").paused_why == "token revoked"
        journal.resume(tx, "a", now=LATER)

        assert len(claims.take_due(tx, now=LATER, limit=10)) == 2
        assert journal.account(tx, "a").paused is None
    assert get(store, first).due == NOW


def test_a_resting_account_moves_its_shares_and_no_others(store: Store) -> None:
    with store.write() as tx:
        (resting,) = add(tx)
        (other,) = add(tx, account="b")
        journal.rest(tx, "a", until=LATER, now=NOW, why="rate limit")
        assert claims.take_due(tx, now=NOW, limit=10) == [other]
        planned_meanwhile = add(tx)[-1]
        assert claims.take_due(tx, now=LATER - timedelta(seconds=9), limit=10) == []

        assert {resting, planned_meanwhile} <= set(claims.take_due(tx, now=LATER, limit=10))


def test_a_door_opens_only_from_its_states(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
        change = {"to": ShareState.CANCELLED, "now": NOW, "reason": "by hand"}
        assert not shares.change(tx, share_id, doors=[ShareState.HELD], **change)
        assert shares.change(tx, share_id, doors=[ShareState.SCHEDULED], **change)

    assert get(store, share_id).wake is None


def test_a_door_stays_shut_while_a_worker_has_the_share(store: Store) -> None:
    with store.write() as tx:
        (share_id,) = add(tx)
    take(store, wish(share_id))
    with store.write() as tx:
        doors = list(ShareState)
        assert not shares.change(tx, share_id, doors=doors, to=ShareState.CANCELLED, now=NOW, reason="by hand")


def test_identities_lead_to_the_first_post_that_had_them(store: Store) -> None:
    with store.write() as tx:
        first, second = (posts.add(tx, POST, source="s", now=NOW) for _ in range(2))
        posts.identify(tx, first, ["x", "y"])
        posts.identify(tx, second, ["y", "z"])

        assert posts.known(tx, ["x", "y", "z", "none"]) == {"x": first, "y": first, "z": second}


def test_sources_are_taken_in_turn_and_by_one(store: Store) -> None:
    with store.write() as tx:
        journal.register_sources(tx, ["a", "b"], now=NOW)
        assert journal.sources_due(tx, now=NOW)
        assert journal.take_sources(tx, now=NOW, limit=10) == ["a", "b"]
        assert journal.take_sources(tx, now=NOW, limit=10) == []
        journal.save_source(tx, SourceState(name="a", memory={"etag": "1"}, next_look=LATER, baselined=NOW))
        journal.register_sources(tx, ["b"], now=NOW)

        assert journal.source(tx, "a").next_look is None, "it left the config"
        assert journal.source(tx, "a").memory == {"etag": "1"}


def test_opening_twice_at_the_same_time_migrates_once(database_url: str) -> None:
    errors: list[BaseException] = []

    def open_it() -> None:
        try:
            Store(database_url).close()
        except BaseException as error:  # noqa: BLE001 - the test reports whatever it is
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


def test_a_store_that_is_up_to_date_opens_beside_a_long_write(database_url: str) -> None:
    """A worker begins while another process holds the database: it waits for nobody's lock."""
    other = Store(database_url)
    with other.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = version_num"))
        began = time.monotonic()
        Store(database_url).close()
        assert time.monotonic() - began < 10
    other.close()


@pytest.mark.parametrize("way", ["read", "write"])
def test_what_is_out_when_a_store_is_closed_is_closed_when_it_comes_back(database_url: str, way: str) -> None:
    """A thread that outlives its service leaves the database no connection to forget."""
    store = Store(database_url)
    with getattr(store, way)() as tx:
        raw = tx.connection.driver_connection
        store.close()
        assert tx.execute(text("SELECT 1")).scalar_one() == 1

    with pytest.raises(Exception, match="closed"):
        raw.execute("SELECT 1")


def test_a_newer_schema_is_refused_in_one_line(database_url: str) -> None:
    store = Store(database_url)
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()

    with pytest.raises(StoreError, match="newer than this program"):
        Store(database_url)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "postgresql://u:hunter2@127.0.0.1:1/db"])
def test_a_database_that_cannot_be_used_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url)

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database, only some text that is long enough to be read as a header " * 20)

    with pytest.raises(StoreError, match=r"x\.db"):
        Store(f"sqlite:///{path}")


def test_sqlite_commits_durably(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    with store.read() as tx:
        assert tx.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert tx.execute(text("PRAGMA synchronous")).scalar_one() == 2
    store.close()


def test_what_comes_at_the_same_time_is_one_transaction_or_few(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.write() as tx:
        ids = add(tx, number=40)
    writer = Writer(store, owner="w", lease=timedelta(seconds=10), now=lambda: NOW, lull=time.sleep)
    sizes: list[int] = []
    write = Writer._write
    monkeypatch.setattr(Writer, "_write", lambda self, wishes: sizes.append(len(wishes)) or write(self, wishes))
    with ThreadPoolExecutor(40) as pool:
        won = list(pool.map(lambda share_id: writer.written(wish(share_id)), ids))
    writer.close()

    assert all(won)
    assert sum(sizes) == 40
    assert len(sizes) <= 10, sizes


def test_a_few_are_claimed_at_a_time_while_what_was_sent_is_written_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves in doubt what is claimed and was not sent; what was sent and is not written too."""
    monkeypatch.setattr("reverberate.store.writer.CLAIMS", 5)
    with store.write() as tx:
        ids = add(tx, number=40)
    fences = take(store, *map(wish, ids[:20]))
    gathered = threading.Event()
    writer = Writer(store, owner="w", lease=timedelta(seconds=10), now=lambda: NOW, lull=gathered.wait)
    written: list[list[tuple[str, int]]] = []
    write = Writer._write

    def noted(self: Writer, wishes: list[Claim | Settlement]) -> list[object]:
        kinds = [one.share_id if isinstance(one, Claim) else one.ending.share_id for one in wishes]
        written.append([(type(one).__name__, kind) for one, kind in zip(wishes, kinds, strict=True)])
        return write(self, wishes)

    monkeypatch.setattr(Writer, "_write", noted)
    came: list[tuple[object, object]] = []
    for old, new in zip(ids[:20], ids[20:], strict=True):
        writer.write(wish(new), lambda value, error: came.append((value, error)))
        writer.write(Settlement(ending=ending(old, fences[old][0])), lambda value, error: came.append((value, error)))
    gathered.set()
    writer.close()

    assert [len([kind for kind, _ in one if kind == "Claim"]) for one in written] == [5, 5, 5, 5]
    assert [number for kind, number in written[0] if kind == "Settlement"] == ids[:20]
    assert [number for one in written for kind, number in one if kind == "Claim"] == ids[20:]
    assert len(came) == 40
    assert all(value and not error for value, error in came)


def test_group_commit_gives_each_caller_its_own_result(store: Store) -> None:
    with store.write() as tx:
        ids = add(tx, number=30)
    writer = Writer(store, owner="w", lease=timedelta(seconds=10), now=lambda: NOW, lull=time.sleep)
    results: dict[int, bool] = {}

    def go(share_id: int) -> None:
        won = writer.written(wish(share_id))
        assert won is not None
        results[share_id] = writer.written(Settlement(ending=ending(share_id, won[0])))

    threads = [threading.Thread(target=go, args=(share_id,)) for share_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    assert results == dict.fromkeys(ids, True)
    with store.read() as tx:
        assert shares.counts(tx) == {("a", "sent"): 30}


def test_one_bad_wish_does_not_fail_its_neighbours(store: Store) -> None:
    with store.write() as tx:
        good, bad = add(tx, number=2)
    fences = take(store, wish(good), wish(bad))
    writer = Writer(store, owner="w", lease=timedelta(seconds=10), now=lambda: NOW, lull=time.sleep)
    outcomes: dict[int, object] = {}

    def go(share_id: int) -> None:
        more = {"reason": object()} if share_id == bad else {}  # nothing that a database takes
        try:
            outcomes[share_id] = writer.written(Settlement(ending=ending(share_id, fences[share_id][0], **more)))
        except StoreError:
            outcomes[share_id] = "refused"

    threads = [threading.Thread(target=go, args=(share_id,)) for share_id in (bad, good)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    assert outcomes == {good: True, bad: "refused"}
    assert get(store, bad).state is ShareState.SENDING


def test_a_worker_whose_knowledge_is_old_claims_nothing(store: Store) -> None:
    """Else it would post again what another worker's steps say is there."""
    with store.write() as tx:
        (share_id,) = add(tx)
    old = replace(wish(share_id), fence=get(store, share_id).fence)
    ((_, (fence, _)),) = take(store, wish(share_id), owner="another").items()
    with store.write() as tx:
        endings.settle(tx, [ending(share_id, fence, ShareState.SCHEDULED, due=LATER)])

    assert take(store, old, now=LATER) == {}
    assert take(store, replace(old, fence=fence), now=LATER) == {share_id: (fence + 1, MESSAGE)}


def test_a_sign_of_life_prolongs_only_what_is_in_hand(store: Store) -> None:
    with store.write() as tx:
        first, second = add(tx, number=2)
    take(store, wish(first), wish(second))
    with store.write() as tx:
        assert claims.renew(tx, [first], owner="w", lease=NOW + timedelta(minutes=5)) == {first}
        swept = endings.sweep(tx, now=NOW + timedelta(minutes=1), settle=lambda _: timedelta(0))

    assert swept == [second]


def test_a_connection_that_may_only_read_is_not_used_again(store: Store) -> None:
    """Made while the disk or the server could not be written to, it would stay so for its life."""
    only_read = (
        "PRAGMA query_only=ON" if store._engine.dialect.name == "sqlite" else "SET default_transaction_read_only=on"
    )
    with store.write() as tx:
        tx.execute(text(only_read))

    with pytest.raises(StoreError, match=r"read-?only"), store.write() as tx:
        add(tx)
    with store.write() as tx:
        assert add(tx)
