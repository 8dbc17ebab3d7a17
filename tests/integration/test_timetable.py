"""Shares get their times, one after the other, and keep them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import timetable
from reverberate.errors import ReverberateError
from reverberate.model import Post, Share, ShareState
from reverberate.plans import coming
from reverberate.schedule import Quiet, Schedule, Slot
from reverberate.service import Service
from reverberate.store import shares
from support.plugins import SOURCES
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from reverberate.store import Store

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAILY = Schedule(slots=tuple(Slot.parse("09:00, 17:00")))


class Clock:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def make(store: Store, *, accounts: str = "a", clock: Clock | None = None, **more: object) -> Service:
    site = {key: more.pop(key) for key in list(more) if key in {"timezone", "stagger"}}
    config = make_config(accounts.split(), **more)
    config = replace(config, site=config.site.model_copy(update=site))
    return Service(config, store, make_accounts(config), sources=SOURCES, now=clock or Clock())


def publish(service: Service, *numbers: int, **more: object) -> list[Share]:
    """Posts of these numbers; all shares there are, in their order."""
    at = more.pop("at", None)
    for number in numbers:
        post = Post(url=f"https://blog.example/{number}", title=f"Post {number}", text=f"{number} " * 30, **more)  # type: ignore[arg-type]  # the test's own shorthand
        service.publish(post, at=at)  # type: ignore[arg-type]  # as above
    with service.store.read() as tx:
        return sorted(shares.find(tx, limit=1000), key=lambda share: share.id)


def dues(planned: list[Share]) -> list[str]:
    return [f"{share.due:%d %H:%M}" for share in planned]


def test_each_slot_takes_one_share_of_an_account(store: Store) -> None:
    planned = publish(make(store, schedule=DAILY), 1, 2, 3)

    assert dues(planned) == ["05 17:00", "06 09:00", "06 17:00"]
    assert [share.zone for share in planned] == ["UTC"] * 3
    assert planned[0].wall == datetime(2026, 1, 5, 17)  # noqa: DTZ001 - on the wall


def test_a_cancelled_share_frees_its_slot_and_the_others_keep_theirs(store: Store) -> None:
    service = make(store, schedule=DAILY)
    planned = publish(service, 1, 2)
    service.desk().cancel(planned[0].id)

    assert dues(publish(service, 3)) == ["05 17:00", "06 09:00", "05 17:00"]


def test_what_was_sent_keeps_its_slot(store: Store) -> None:
    service = make(store, schedule=DAILY)
    (share,) = publish(service, 1)
    with store.write() as tx:
        doors = (ShareState.SCHEDULED,)
        assert shares.change(tx, share.id, doors=doors, to=ShareState.SENT, now=NOW, reason="")

    assert dues(publish(service, 2)) == ["05 17:00", "06 09:00"]


def test_shares_keep_their_distance_and_no_day_gets_too_many(store: Store) -> None:
    rule = Schedule(min_gap=HOUR, max_per_day=3, quiet=Quiet.parse("14:30-08:00"))

    assert dues(publish(make(store, schedule=rule), 1, 2, 3, 4, 5)) == [
        "05 12:00",
        "05 13:00",
        "05 14:00",
        "06 08:00",
        "06 09:00",
    ]


def test_accounts_speak_one_after_the_other_where_the_site_staggers_them(store: Store) -> None:
    planned = publish(make(store, accounts="a b c", stagger=timedelta(minutes=2)), 1)

    assert dues(planned) == ["05 12:00", "05 12:02", "05 12:04"]


def test_a_named_time_goes_before_slots_and_quiet_hours_and_takes_its_slot(store: Store) -> None:
    service = make(store, schedule=replace(DAILY, quiet=Quiet.parse("22:00-07:00")), timezone="Europe/Berlin")
    night, slot = datetime(2026, 1, 5, 23, 30), datetime(2026, 1, 5, 17)  # noqa: DTZ001 - on the blogger's clock
    publish(service, 1, at=night)
    publish(service, 2, at=slot)

    assert dues(publish(service, 3)) == ["05 22:30", "05 16:00", "06 08:00"]


def test_a_post_may_name_its_own_time(store: Store) -> None:
    (share,) = publish(make(store, timezone="Europe/Berlin"), 1, extra={"reverberate": {"at": "2026-12-24 09:00"}})

    assert (dues([share]), share.fixed) == (["24 08:00"], True)


def test_a_time_that_is_over_is_refused(store: Store) -> None:
    with pytest.raises(ReverberateError, match="is over"):
        publish(make(store), 1, at=datetime(2026, 1, 5, 11, 59, tzinfo=UTC))


def test_what_waits_for_approval_keeps_its_slot_while_that_is_to_come(store: Store) -> None:
    clock = Clock()
    service = make(store, schedule=DAILY, approval=True, clock=clock)
    first, second = publish(service, 1, 2)
    assert (first.state, first.reason) == (ShareState.HELD, "waits for your approval: account a asks for it")
    service.desk().approve(first.id)
    clock.now = NOW + timedelta(hours=22)  # 10:00: the second's slot is over
    service.desk().approve(second.id)

    with store.read() as tx:
        found = [shares.get(tx, share.id) for share in (first, second)]
    assert dues([share for share in found if share]) == ["05 17:00", "06 17:00"]
    assert {share.state for share in found if share} == {ShareState.SCHEDULED}


def test_a_share_that_is_released_late_does_not_keep_its_distance_from_itself(store: Store) -> None:
    clock = Clock()
    service = make(store, schedule=Schedule(min_gap=HOUR), approval=True, clock=clock)
    (share,) = publish(service, 1)
    clock.now += timedelta(minutes=5)
    service.desk().approve(share.id)

    with store.read() as tx:
        assert (found := shares.get(tx, share.id))
    assert found.due == clock.now


def test_two_that_publish_at_the_same_time_get_two_slots(store: Store) -> None:
    services = [make(store, schedule=DAILY) for _ in range(2)]
    threads = [
        threading.Thread(target=publish, args=(one, *range(10 * n, 10 * n + 5))) for n, one in enumerate(services)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    planned = publish(services[0])
    assert len(planned) == 10
    assert len({share.due for share in planned}) == 10


def test_a_long_queue_is_read_in_pages_to_the_same_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "PAGE", 4)
    service = make(store, schedule=Schedule(min_gap=timedelta(hours=7), max_per_day=2))
    planned = publish(service, *range(60))
    service.desk().cancel(planned[50].id)

    assert publish(service, 99)[-1].due == planned[50].due
    assert len({share.due for share in planned}) == 60


def test_the_coming_slots_are_shown_with_those_who_have_them(store: Store) -> None:
    service = make(store, schedule=DAILY, timezone="Europe/Berlin")
    (share,) = publish(service, 1)

    assert coming(service, "a", since=NOW, number=2) == [
        {"at": "2026-01-05T17:00:00+01:00", "slot": "Mon 17:00", "free": False, "share": share.id, "note": ""},
        {"at": "2026-01-06T09:00:00+01:00", "slot": "Tue 09:00", "free": True, "share": None, "note": ""},
    ]


def test_without_slots_the_coming_times_are_those_of_the_next_shares(store: Store) -> None:
    service = make(store, schedule=Schedule(min_gap=HOUR, delay=timedelta(minutes=10)))

    assert [row["at"] for row in coming(service, "a", since=NOW, number=2)] == [
        "2026-01-05T12:10:00+00:00",
        "2026-01-05T13:10:00+00:00",
    ]
