"""What happens when the time has come: quiet hours, daily bounds, a service that was off, a clock whose rules changed."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverberate.delivery import Courier
from reverberate.model import Message, Post, Share, ShareState
from reverberate.retiming import retime
from reverberate.schedule import Daily, Quiet, Schedule, Slot
from reverberate.service import Service
from reverberate.store import claims, journal, shares
from support.plugins import SOURCES
from support.world import get, make_accounts, make_config, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.store import Store
    from support.plugins import Toy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


class Installation:
    """A service and a courier on one store, by a clock that the test moves."""

    def __init__(self, store: Store, **more: object) -> None:
        self.now, self.store = NOW, store
        config = make_config(["a"], **more)
        self.config = replace(config, site=config.site.model_copy(update={"timezone": BERLIN}))
        accounts = make_accounts(self.config)
        self.service = Service(self.config, store, accounts, sources=SOURCES, now=lambda: self.now)
        self.courier = Courier(store, accounts, senders=2, now=lambda: self.now)

    def publish(self, number: int = 1, *, at: str = "") -> Share:
        post = Post(url=f"https://blog.example/{number}", title=f"Post {number}", text=f"{number} " * 30)
        ingested = self.service.publish(post, at=datetime.fromisoformat(at) if at else None)
        with self.store.read() as tx:
            (share,) = shares.find(tx, post_id=ingested.post_id)
        return share

    def run(self) -> None:
        """What a dispatcher and a worker do with all that is due."""
        with self.store.write() as tx:
            due = claims.take_due(tx, now=self.now, limit=100)
        self.courier.deliver(due)
        assert self.courier.drain(20)


@pytest.fixture
def make(store: Store, toy: type[Toy]) -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def one(**more: object) -> Installation:
        made.append(Installation(store, **more))
        return made[-1]

    yield one
    for installation in made:
        installation.courier.close()


def told(installation: Installation, share: Share) -> list[str]:
    with installation.store.read() as tx:
        return [event.kind for event in journal.events_of(tx, share.id)]


def test_a_share_of_30_days_ahead_is_sent_at_its_time_over_a_change_of_the_clock(
    make: Callable[..., Installation],
) -> None:
    here = make()
    share = here.publish(at="2026-03-31 09:00")
    here.now = datetime(2026, 3, 31, 6, 59, 59, tzinfo=UTC)
    here.run()
    assert get(here.store, share.id).state is ShareState.SCHEDULED
    here.now = datetime(2026, 3, 31, 7, tzinfo=UTC)
    here.run()

    assert (get(here.store, share.id).state, get(here.store, share.id).reason) == (ShareState.SENT, "")


def test_a_service_that_starts_late_sends_what_is_not_too_late_and_says_how_late(
    make: Callable[..., Installation],
) -> None:
    here = make()
    share = here.publish(at="2026-03-31 09:00")
    here.now = datetime(2026, 3, 31, 13, 5, tzinfo=UTC)
    here.run()

    found = get(here.store, share.id)
    assert (found.state, found.reason) == (ShareState.SENT, "sent 6 h 05 min late: it could not be tried before")
    assert told(here, share) == ["share sent"]


def test_a_service_that_starts_too_late_skips_and_says_why(make: Callable[..., Installation], toy: type[Toy]) -> None:
    here = make()
    share = here.publish(at="2026-03-31 09:00")
    here.now = datetime(2026, 4, 1, 8, tzinfo=UTC)
    here.run()

    found = get(here.store, share.id)
    assert found.state is ShareState.SKIPPED
    assert found.reason == "it is 25 hours late, more than max_late allows; retry it if you still want it"
    assert told(here, share) == ["share too late"]
    assert toy.accepted == []


def test_what_could_not_be_sent_in_time_waits_for_the_end_of_the_quiet_hours(
    make: Callable[..., Installation],
) -> None:
    here = make(schedule=Schedule(quiet=Quiet.parse("22:00-07:00")))
    share = here.publish()
    named = here.publish(2, at="2026-03-01 23:15")
    here.now = datetime(2026, 3, 1, 22, 15, tzinfo=UTC)  # 23:15 in Berlin
    here.run()

    found = get(here.store, share.id)
    assert (found.state, found.due) == (ShareState.SCHEDULED, datetime(2026, 3, 2, 6, tzinfo=UTC))
    assert found.reason == "waits for the end of the quiet hours"
    assert get(here.store, named.id).state is ShareState.SENT, "a person chose that moment"
    here.now = found.due
    here.run()
    assert get(here.store, share.id).state is ShareState.SENT


def test_a_day_gets_no_more_than_it_may_whatever_was_left_from_yesterday(make: Callable[..., Installation]) -> None:
    here = make(paces={"max_per_day": Daily(2, zoneinfo.ZoneInfo(BERLIN))})
    for number in range(3):
        here.publish(number)
    here.now += timedelta(hours=2)
    here.run()
    assert states(here.store) == {"sent": 2, "scheduled": 1}
    here.now = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Berlin
    here.run()

    assert states(here.store) == {"sent": 3}


def test_words_that_a_person_wrote_are_what_is_sent(make: Callable[..., Installation], toy: type[Toy]) -> None:
    here = make(approval=True)
    share = here.publish()
    here.service.reword(share.id, "My own words")
    here.service.desk().approve(share.id)
    here.run()

    assert get(here.store, share.id).state is ShareState.SENT
    assert [delivery.message.parts for delivery in toy.accepted] == [("My own words",)]
    assert told(here, share) == ["share edited", "share scheduled", "share sent"]


def test_a_worker_that_has_read_a_share_does_not_send_its_old_words(make: Callable[..., Installation]) -> None:
    here = make()
    share = here.publish()
    old = Message(parts=("Old words",), link="https://blog.example/1")
    read = claims.Claim(share_id=share.id, kind="send", state=share.state, message=old, fence=share.fence)
    here.service.reword(share.id, "My own words")

    lease = here.now + timedelta(seconds=10)
    with here.store.write() as tx:
        assert claims.claim(tx, [read], owner="w", lease=lease, now=here.now) == {}
        again = replace(read, fence=share.fence + 1)
        assert claims.claim(tx, [again], owner="w", lease=lease, now=here.now)[share.id][1].parts == ("My own words",)


@pytest.fixture
def lagos_in_berlin(tmp_path: Path) -> Iterator[None]:
    """A machine whose files say that Berlin keeps Lagos' time: one hour ahead of Greenwich, all year."""
    for folder in (*map(Path, zoneinfo.TZPATH), Path(zoneinfo.__file__)):
        if (lagos := folder / "Africa/Lagos").is_file():
            break
    else:
        pytest.skip("this system has no files of time zones")
    (tmp_path / "zones/Europe").mkdir(parents=True)
    (tmp_path / "zones" / BERLIN).write_bytes(lagos.read_bytes())
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


def test_shares_keep_their_wall_time_when_the_rules_of_their_zone_change(
    make: Callable[..., Installation], tmp_path: Path, lagos_in_berlin: None
) -> None:
    here = make(schedule=Schedule(slots=tuple(Slot.parse("Wed 09:00")), jitter=timedelta(minutes=5)))
    assert retime(here.store, here.config.zone, now=here.now) == 0
    named, slotted = here.publish(1, at="2026-07-01 09:00"), here.publish(2)
    exact = here.publish(3, at="2026-07-01T07:00Z")
    assert retime(here.store, here.config.zone, now=here.now) == 0, "nothing changed"

    zoneinfo.reset_tzpath(to=[str(tmp_path / "zones")])
    zoneinfo.ZoneInfo.clear_cache()
    assert retime(here.store, here.config.zone, now=here.now) == 1

    moved = get(here.store, named.id)
    assert moved.due == moved.wanted == moved.wake == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert told(here, named) == ["share moved"]
    assert get(here.store, slotted.id).due == slotted.due, "in March nothing changed"
    assert get(here.store, exact.id).due == exact.due, "an instant is an instant"
    assert retime(here.store, here.config.zone, now=here.now) == 0
