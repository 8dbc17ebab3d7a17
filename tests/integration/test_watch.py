"""Everything may be stopped, tallies are kept, and what is old is forgotten without being shared again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from reverberate import status
from reverberate.desk import Desk
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.errors import Refused, StoreError, Transient
from reverberate.model import Picture
from reverberate.retention import Retention
from reverberate.service import Service
from reverberate.store import claims, journal, pictures, watch
from reverberate.store.tables import attempts, events, messages, posts
from reverberate.store.tables import pictures as pictures_table
from support.plugins import SOURCES
from support.world import make_accounts, make_config, plan, states, until

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from sqlalchemy import Table

    from reverberate.delivery import Courier
    from reverberate.store import Store
    from support.plugins import Toy


def count(store: Store, table: Table) -> int:
    with store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_nothing_is_sent_while_all_is_stopped_and_all_of_it_afterwards(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    one, desk = courier("a"), Desk(store)
    desk.stop_all(why="a mistake in a template")
    ids = plan(store, accounts=["a"], number=3)
    one.deliver(ids)
    assert one.drain(10)
    config = make_config(["a"])
    (need,) = status.screen(Service(config, store, make_accounts(config), sources=SOURCES))["needs"]
    assert (need["what"], need["why"], need["mend"]) == ("everything", "a mistake in a template", "reverberate resume")
    with store.read() as tx:
        assert claims.next_wake(tx) is None
        assert claims.overdue(tx, before=datetime.now(UTC) + timedelta(days=1), limit=9) == []
    assert (states(store), toy.accepted) == ({"scheduled": 3}, [])

    assert desk.start_all() is True
    assert desk.start_all() is False
    one.deliver(ids)
    assert one.drain(10)
    assert states(store) == {"sent": 3}


def test_a_stop_is_heeded_within_a_second_in_full_flight(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    one, config = courier("a", "b"), make_config(["a", "b"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    dispatcher = Dispatcher(service, one.deliver, LocalBell())
    plan(store, accounts=["a", "b"], number=400)
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        until(lambda: len(toy.accepted) > 5)
        Desk(store).stop_all()
        time.sleep(0.5)
        then = len(toy.accepted)
        time.sleep(1)
        assert len(toy.accepted) == then < 800
        Desk(store).start_all()
        until(lambda: len(toy.accepted) > then)
        Desk(store).stop_all()
    finally:
        dispatcher.stop()
        thread.join(10)


def test_a_dispatcher_outlives_a_database_that_is_away_at_any_moment(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at the one between its work and its wait."""
    one, config = courier("a"), make_config(["a"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    dispatcher = Dispatcher(service, one.deliver, LocalBell())
    real, failed, odd = claims.next_wake, [], [0]

    def every_other_fails(tx: object) -> datetime | None:
        odd[0] += 1
        if odd[0] == 2:  # the first was asked for the work, this one for the wait
            failed.append(1)
            raise StoreError("the database is away")
        return real(tx)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(claims, "next_wake", every_other_fails)
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        until(lambda: bool(failed))
        plan(store, accounts=["a"])
        until(lambda: len(toy.accepted) == 1)
    finally:
        dispatcher.stop()
        thread.join(10)


def test_what_attempts_came_to_is_counted_with_how_late_it_was(
    store: Store, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    toy.script = [Refused("403 no")]
    one, ids = courier("a", "b"), plan(store, accounts=["a"]) + plan(store, accounts=["b"], number=3)
    for share_id in ids:
        one.deliver([share_id])
        assert one.drain(10)
    with store.read() as tx:
        found = watch.tallied(tx)

    numbers = {(one.account, one.what, one.key): one.number for one in found}
    assert numbers["a", "attempt", "refused"] == 1
    assert numbers["b", "attempt", "receipt"] == 3
    buckets, seconds = watch.histogram(found)["b"]
    assert sum(buckets.values()) == 3
    assert 0 < seconds < 60


def test_lateness_falls_into_the_bucket_that_bounds_it() -> None:
    assert watch.bucket(timedelta(seconds=-1)) == "1"
    assert watch.bucket(timedelta(seconds=1)) == "1"
    assert watch.bucket(timedelta(seconds=1.1)) == "2"
    assert watch.bucket(timedelta(days=2)) == "+Inf"


def test_a_pulse_tells_who_lives(store: Store) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    with store.write() as tx:
        watch.beat(tx, "one", "dispatcher", now=now)
        watch.beat(tx, "one", "dispatcher", now=now + timedelta(seconds=5))
        watch.beat(tx, "two", "worker", now=now - timedelta(minutes=5))
        assert [pulse.name for pulse in watch.alive(tx, since=now)] == ["one"]
        watch.bury(tx, before=now)
        watch.leave(tx, "one")
        assert watch.alive(tx, since=now - timedelta(days=1)) == []


def forgetful(store: Store, *, days: int) -> None:
    later = datetime.now(UTC) + timedelta(days=days)
    Retention(store, keep=timedelta(days=400), now=lambda: later).run(threading.Event())


def test_the_story_of_what_is_long_done_is_forgotten_and_that_it_was_done_is_not(
    store: Store, courier: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reverberate.retention.FEW", 7)
    one, ids = courier("a"), plan(store, accounts=["a"], number=30)
    one.deliver(ids)
    assert one.drain(60)
    picture = Picture(digest="d" * 64, mime="image/png", width=1, height=1, size=1)
    with store.write() as tx:
        pictures.keep(tx, picture, b"x", now=datetime.now(UTC))
        journal.note(tx, "all paused", now=datetime.now(UTC))
    forgetful(store, days=399)
    assert (count(store, attempts), count(store, messages), count(store, pictures_table)) == (30, 30, 1)

    forgetful(store, days=401)
    assert [count(store, table) for table in (attempts, messages, events, pictures_table)] == [0, 0, 0, 0]
    assert (states(store), count(store, posts)) == ({"sent": 30}, 30)


def test_what_still_waits_keeps_its_story(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> None:
    toy.script = [Transient("not now")]
    one, ids = courier("a"), plan(store, accounts=["a"])
    one.deliver(ids)
    assert one.drain(10)
    forgetful(store, days=500)

    assert (count(store, attempts), count(store, messages)) == (1, 1)
