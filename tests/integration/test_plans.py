"""What is to come is shown as it will be; a changed config moves what waits only when it is told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate.model import Post, ShareState
from reverberate.plans import moves, upcoming
from reverberate.schedule import Quiet, Schedule, Slot
from reverberate.service import Service
from reverberate.store import shares
from support.plugins import SOURCES
from support.world import get, make_accounts, make_config

if TYPE_CHECKING:
    from reverberate.store import Store

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
RULES = [
    Schedule(),
    Schedule(delay=90 * MINUTES, jitter=20 * MINUTES),
    Schedule(slots=tuple(Slot.parse("Mon-Fri 09:00, 17:30")), jitter=5 * MINUTES, min_gap=30 * MINUTES),
    Schedule(min_gap=50 * MINUTES, max_per_day=3, quiet=Quiet.parse("22:00-07:00"), jitter=5 * MINUTES),
]


class Clock:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def make(
    store: Store, clock: Clock, schedule: Schedule, *, stagger: timedelta = timedelta(0), **more: object
) -> Service:
    config = make_config(["a", "b"], schedule=schedule, **more)
    config = replace(config, site=config.site.model_copy(update={"stagger": stagger}))
    return Service(config, store, make_accounts(config), sources=SOURCES, now=clock)


def publish(service: Service, clock: Clock, *numbers: int, **extra: object) -> None:
    for number in numbers:
        post = Post(url=f"https://blog.example/{number}", title=f"Post {number}", text=f"{number} " * 30)
        service.publish(replace(post, extra={"reverberate": extra} if extra else {}))
        clock.now += 7 * MINUTES


def moved(service: Service, *, apply: bool = False) -> list[tuple[str, str, str]]:
    with service.store.write() as tx:
        return [(row["account"], row["from"], row["to"]) for row in moves(service, tx, apply=apply)]


def test_the_same_config_moves_nothing(store: Store) -> None:
    for index, rule in enumerate(RULES):
        clock = Clock()
        service = make(store, clock, rule, stagger=2 * MINUTES)
        publish(service, clock, *range(100 * index, 100 * index + 6))
        publish(service, clock, 100 * index + 50, delay="3h")
        publish(service, clock, 100 * index + 51, at="2026-02-01 12:00")
        assert moved(service) == [], rule
        with store.write() as tx:
            for share in shares.find(tx, limit=1000):
                shares.change(tx, share.id, doors=tuple(ShareState), to=ShareState.CANCELLED, now=NOW, reason="")


def test_another_config_moves_what_waits_only_when_it_is_told_to(store: Store) -> None:
    clock = Clock()
    before = Schedule(slots=tuple(Slot.parse("17:00")))
    publish(make(store, clock, before), clock, 1, 2)
    service = make(store, clock, Schedule(slots=tuple(Slot.parse("09:00"))))
    expected = [
        ("a", "2026-01-05T17:00:00+00:00", "2026-01-06T09:00:00+00:00"),
        ("a", "2026-01-06T17:00:00+00:00", "2026-01-07T09:00:00+00:00"),
        ("b", "2026-01-05T17:00:00+00:00", "2026-01-06T09:00:00+00:00"),
        ("b", "2026-01-06T17:00:00+00:00", "2026-01-07T09:00:00+00:00"),
    ]

    assert moved(service) == expected
    assert moved(service) == expected
    assert moved(service, apply=True) == expected
    assert moved(service) == []
    with store.read() as tx:
        share = min(shares.find(tx), key=lambda one: one.id)
    found = get(store, share.id)
    assert found.due == found.wake == datetime(2026, 1, 6, 9, tzinfo=UTC)
    assert found.wall == datetime(2026, 1, 6, 9)  # noqa: DTZ001 - on the wall


def test_what_a_person_placed_stays_where_it_is(store: Store) -> None:
    clock = Clock()
    service = make(store, clock, Schedule(slots=tuple(Slot.parse("17:00"))))
    publish(service, clock, 1)
    with store.read() as tx:
        first, second = sorted(share.id for share in shares.find(tx))
    service.desk().reschedule(first, datetime(2026, 2, 1, 23, tzinfo=UTC))

    assert [row[0] for row in moved(make(store, clock, Schedule(slots=tuple(Slot.parse("09:00")))))] == ["b"]
    assert get(store, second).fixed is False


def test_what_is_to_come_is_shown_in_its_words_the_soonest_first(store: Store) -> None:
    clock = Clock()
    service = make(store, clock, Schedule(delay=60 * MINUTES))
    publish(service, clock, 1)
    with store.read() as tx:
        (other,) = [share for share in shares.find(tx) if share.account == "b"]
    service.reword(other.id, "My own words")
    rows = upcoming(make(store, clock, Schedule(), when="no"), limit=10)

    assert [row["parts"] for row in rows] == [["Post 1\nhttps://blog.example/1"], ["My own words"]]
    assert {row["at"] for row in rows} == {"2026-01-05T13:00:00+00:00"}
    assert rows[0]["reason"] == "planned, but now the account's rule does not hold: no"
