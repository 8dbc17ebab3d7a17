"""Posts that are shared again: when, in which words, until when, and never too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from reverberate.config_tables import Evergreen
from reverberate.evergreen import plan_again
from reverberate.model import Post, Share, ShareState
from reverberate.schedule import Schedule, Slot
from reverberate.service import Service
from reverberate.store import shares
from support.plugins import SOURCES
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from reverberate.store import Store

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)  # 09:00 in Berlin, before the clock changes
DAY = timedelta(days=1)
TWICE = Evergreen(after=("30d", "180d"))  # type: ignore[arg-type]  # as the config has it


class Clock:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def make(store: Store, clock: Clock, evergreen: Evergreen = TWICE, **more: object) -> Service:
    config = make_config(["a"], evergreen=evergreen, **more)
    config = replace(config, site=config.site.model_copy(update={"timezone": "Europe/Berlin"}))
    return Service(config, store, make_accounts(config), sources=SOURCES, now=clock)


def out(service: Service, number: int = 1, **reverberate: object) -> None:
    """A post that is published, and sent."""
    extra = {"reverberate": reverberate} if reverberate else {}
    post = Post(url=f"https://blog.example/{number}", title=f"Post {number}", text=f"{number} " * 30, extra=extra)
    ingested = service.publish(post)
    with service.store.write() as tx:
        for share in shares.find(tx, post_id=ingested.post_id):
            doors = (ShareState.SCHEDULED,)
            assert shares.change(tx, share.id, doors=doors, to=ShareState.SENT, now=service.now(), reason="")


def again(store: Store) -> list[Share]:
    with store.read() as tx:
        return sorted((one for one in shares.find(tx, limit=1000) if one.slot), key=lambda one: one.id)


def days(service: Service, clock: Clock, number: int) -> None:
    """So many days pass, in which the dispatcher looks once a day."""
    for _ in range(number):
        clock.now += DAY
        plan_again(service)


def test_a_post_is_shared_again_at_the_same_time_of_day_after_the_clock_was_changed(store: Store) -> None:
    clock = Clock()
    service = make(store, clock)
    plan_again(service)
    out(service)
    days(service, clock, 200)

    planned = again(store)
    assert [(one.slot, one.due) for one in planned] == [
        ("again after 30d", datetime(2026, 4, 9, 7, tzinfo=UTC)),
        ("again after 180d", datetime(2026, 9, 6, 7, tzinfo=UTC)),
    ]
    assert planned[0].wall == datetime(2026, 4, 9, 9)  # noqa: DTZ001 - on the wall


def test_it_is_planned_once_however_often_and_by_however_many_it_is_looked_for(store: Store) -> None:
    clock = Clock()
    services = [make(store, clock) for _ in range(2)]
    plan_again(services[0])
    out(services[0])
    clock.now += 30 * DAY
    assert [plan_again(one) for one in services] == [1, 0]
    clock.now += DAY
    assert [plan_again(one) for one in services] == [0, 0]


def test_what_was_out_long_before_the_rule_came_is_left_alone(store: Store) -> None:
    clock = Clock()
    service = make(store, clock)
    out(service)
    clock.now += 40 * DAY
    plan_again(service)
    days(service, clock, 10)

    assert again(store) == []


def test_what_came_up_while_the_service_was_off_is_shared_again_when_it_is_back(store: Store) -> None:
    clock = Clock()
    service = make(store, clock, schedule=Schedule(slots=tuple(Slot.parse("09:00"))))
    plan_again(service)
    out(service, 1)
    out(service, 2)
    clock.now += 100 * DAY
    plan_again(service)

    assert [one.due - clock.now.replace(hour=7) for one in again(store)] == [DAY, 2 * DAY]


def test_a_post_rests_between_two_of_its_shares(store: Store) -> None:
    clock = Clock()
    service = make(store, clock)
    plan_again(service)
    out(service)
    clock.now += 300 * DAY  # both came up meanwhile
    plan_again(service)

    assert [one.due - clock.now for one in again(store)] == [timedelta(0), 7 * DAY]


def test_a_post_may_say_that_it_is_not_to_be_shared_again(store: Store) -> None:
    clock = Clock()
    service = make(store, clock)
    plan_again(service)
    out(service, evergreen=False)
    days(service, clock, 40)

    assert again(store) == []


def test_from_the_stop_date_on_nothing_is_shared_again(store: Store) -> None:
    clock = Clock()
    service = make(store, clock, TWICE.model_copy(update={"until": date(2026, 9, 6)}))
    plan_again(service)
    out(service)
    days(service, clock, 200)

    assert [one.slot for one in again(store)] == ["again after 30d"]


def test_what_was_never_sent_is_not_shared_again(store: Store) -> None:
    clock = Clock()
    service = make(store, clock)
    plan_again(service)
    service.publish(Post(url="https://blog.example/1", title="Post", text="text " * 30))
    days(service, clock, 40)

    assert again(store) == []


def test_approval_is_asked_for_each_further_share(store: Store) -> None:
    clock = Clock()
    plan_again(make(store, clock))
    out(make(store, clock))
    days(make(store, clock, approval=True), clock, 31)

    assert [one.state for one in again(store)] == [ShareState.HELD]


@pytest.mark.parametrize("after", [[], ["6d"], ["30d", "30d"], ["180d", "30d"], ["8d12h"]])
def test_times_that_make_no_sense_are_refused(after: list[str]) -> None:
    with pytest.raises(ValidationError):
        Evergreen(after=after)  # type: ignore[arg-type]  # as the config has it
