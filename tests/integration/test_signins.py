"""Sign-ins stay alive: one refresh for all, nothing used before it is kept, nothing lost without a word."""

from __future__ import annotations

import multiprocessing
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import connecting, signins
from reverberate.accounts import Accounts
from reverberate.chores import ask
from reverberate.config import Account, Config, Service, Site
from reverberate.delivery import Courier
from reverberate.errors import Outcome, Transient, Unauthorised
from reverberate.http import Session
from reverberate.networks.flows import Grant
from reverberate.secrets import VAULT, Secret
from reverberate.signins import SignIns
from reverberate.store import Store, chores, connections, journal
from reverberate.testing import Reply
from reverberate.vault import Keyring
from support.plugins import FakePlugins
from support.provider import Club, ClubSettings, Provider
from support.world import PlainRenderer, at_once, plan, states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.model import Event

KEYS = Keyring((b"\7" * 32,))
REDIRECT = "http://127.0.0.1:8641/callback"


class Clock:
    """The time, which a test can let pass."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Now."""
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("APP_SECRET", "app-secret")
    with Provider() as running:
        yield running


def made_config(url: str) -> Config:
    settings = ClubSettings(base=url, client_secret=Secret("env", "APP_SECRET"), access_token=Secret(VAULT, ""))
    accounts = {"club": Account(name="club", network="club", settings=settings)}
    return Config(path=Path("reverberate.toml"), site=Site(), service=Service(), accounts=accounts, sources={})


def made_sign_ins(config: Config, store: Store, clock: Any = lambda: datetime.now(UTC)) -> SignIns:
    return SignIns(config, store, lambda: KEYS, networks=FakePlugins(club=Club), now=clock)


@pytest.fixture
def mine(provider: Provider, store: Store, clock: Clock) -> SignIns:
    """The tokens of one account, not connected yet."""
    return made_sign_ins(made_config(provider.url), store, clock)


@pytest.fixture
def connected(mine: SignIns, provider: Provider, clock: Clock) -> SignIns:
    """The same, connected by the whole sign-in."""
    connect(mine, provider, clock)
    return mine


def connect(mine: SignIns, provider: Provider, clock: Clock) -> None:
    flow, settings = mine.flow("club")
    with Session() as session:
        begun = connecting.start(flow, settings, account="club", redirect=REDIRECT, session=session, now=clock())
        back = connecting.pasted(provider.consent(begun.address))
        mine.keep("club", connecting.finish(flow, settings, begun, back, session=session, now=clock()), who="@owner")


def events(store: Store, kind: str) -> list[Event]:
    with store.read() as tx:
        return journal.events_about(tx, "club", kind=kind)


def paused(store: Store) -> str:
    with store.read() as tx:
        return journal.account(tx, "club").paused_why


def failing(mine: SignIns) -> Outcome:
    with pytest.raises(Outcome) as raised:
        mine.reveal("club", "access_token")
    return raised.value


def test_what_the_sign_in_brought_is_revealed_and_works(connected: SignIns, provider: Provider) -> None:
    assert provider.good(connected.reveal("club", "access_token"))
    assert provider.refreshes == 0


def test_no_token_stands_in_the_database(connected: SignIns, database_url: str, store: Store) -> None:
    token = connected.reveal("club", "access_token")
    with store.read() as tx:
        rows = connections.sealed(tx, "club")
    if database_url.startswith("sqlite"):
        folder = Path(database_url.removeprefix("sqlite:///")).parent
        assert not any(token.encode() in path.read_bytes() for path in folder.glob("reverberate.db*"))

    assert set(rows) == {"access_token", connecting.REFRESH}
    assert not any(word in str(rows) for word in (token, "refresh-"))


def test_an_account_that_is_not_connected_says_what_to_do(mine: SignIns) -> None:
    found = failing(mine)

    assert (type(found), found.words) == (Unauthorised, "it is not connected; run: reverberate connect club")


def test_a_token_is_refreshed_before_its_end(connected: SignIns, provider: Provider, clock: Clock) -> None:
    old = connected.reveal("club", "access_token")
    clock.ahead = timedelta(minutes=51)
    new = connected.reveal("club", "access_token")

    assert (provider.refreshes, provider.reused) == (1, 0)
    assert new != old
    assert provider.good(new)


@pytest.mark.parametrize("ahead", [timedelta(minutes=51), timedelta(hours=2)])
def test_twenty_threads_refresh_once(connected: SignIns, provider: Provider, clock: Clock, ahead: timedelta) -> None:
    clock.ahead, provider.slow = ahead, 0.2
    found = at_once(lambda: connected.reveal("club", "access_token"))

    assert (provider.refreshes, provider.reused, len(found)) == (1, 0, 20)
    assert len(set(found)) == 1
    assert provider.good(found[0])


def _reveal(url: str, database: str, ahead: timedelta, go: Any, found: Any) -> None:
    store, clock = Store(database), Clock()
    clock.ahead = ahead
    mine = made_sign_ins(made_config(url), store, clock)
    go.wait(20)
    threads = [threading.Thread(target=lambda: found.put(mine.reveal("club", "access_token"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def test_several_processes_refresh_once(connected: SignIns, provider: Provider, database_url: str) -> None:
    """Two processes, ten threads each, all at the same moment after the token's end."""
    provider.slow = 0.3
    context = multiprocessing.get_context("spawn")
    go, found = context.Event(), context.Queue()
    arguments = (provider.url, database_url, timedelta(hours=2), go, found)
    children = [context.Process(target=_reveal, args=arguments) for _ in range(2)]
    for child in children:
        child.start()
    go.set()
    revealed = [found.get(timeout=60) for _ in range(20)]
    for child in children:
        child.join(20)

    assert (provider.refreshes, provider.reused) == (1, 0)
    assert len(set(revealed)) == 1
    assert [child.exitcode for child in children] == [0] * 2


class TestALostAnswer:
    def test_the_token_that_still_works_is_used(self, connected: SignIns, provider: Provider, clock: Clock) -> None:
        clock.ahead = timedelta(minutes=51)
        provider.replies.append(Reply(status=503))
        old = connected.reveal("club", "access_token")

        assert old.startswith("access-")
        assert connected.reveal("club", "access_token") == old
        assert provider.refreshes == 1, "it is not asked again at once"

    def test_it_is_written_down_until_an_answer_comes(
        self, connected: SignIns, provider: Provider, clock: Clock
    ) -> None:
        clock.ahead = timedelta(minutes=51)
        provider.replies.append(Reply(cut=0))
        connected.reveal("club", "access_token")
        seen = connected.connection("club")

        assert seen is not None
        assert seen.begun is not None
        assert seen.lease is None

    def test_a_used_up_token_pauses_the_account_and_says_why(
        self, connected: SignIns, provider: Provider, clock: Clock, store: Store
    ) -> None:
        clock.ahead = timedelta(hours=2)
        provider.replies.append(Reply(cut=0))
        first = failing(connected)
        clock.ahead += timedelta(minutes=1)
        second = failing(connected)

        assert type(first) is Transient
        assert isinstance(second, Unauthorised)
        assert "the answer to an earlier refresh was lost" in paused(store)
        assert "reverberate connect club" in paused(store)
        assert [event.account for event in events(store, "token expires")] == ["club"]

    def test_a_process_that_died_while_asking_leaves_its_trace(
        self, connected: SignIns, provider: Provider, clock: Clock, store: Store
    ) -> None:
        clock.ahead = timedelta(hours=2)
        seen = connected.connection("club")
        assert seen is not None
        with store.write() as tx:  # what a process does before it asks; then it is killed
            assert connections.take(tx, seen, now=clock(), lease=clock() + signins.LEASE)
        provider.refresh.clear()  # and the vendor had the question
        clock.ahead += timedelta(minutes=2)

        assert isinstance(failing(connected), Unauthorised)
        assert "the answer to an earlier refresh was lost" in paused(store)

    def test_a_vendor_that_forgives_is_simply_asked_again(
        self, connected: SignIns, provider: Provider, clock: Clock, store: Store
    ) -> None:
        clock.ahead = timedelta(hours=2)
        seen = connected.connection("club")
        assert seen is not None
        with store.write() as tx:
            assert connections.take(tx, seen, now=clock(), lease=clock() + signins.LEASE)
        clock.ahead += timedelta(minutes=2)

        assert provider.good(connected.reveal("club", "access_token"))
        now = connected.connection("club")
        assert now is not None
        assert now.begun is None


def test_a_refreshed_token_waits_for_a_database_that_is_away(
    connected: SignIns, provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.ahead = timedelta(hours=2)
    real, failures = connections.swap, iter(range(2))

    def broken(*args: Any) -> bool:
        if next(failures, None) is not None:
            raise signins.StoreError("the disk is full")
        return real(*args)

    monkeypatch.setattr(connections, "swap", broken)

    assert provider.good(connected.reveal("club", "access_token"))
    assert (provider.refreshes, provider.reused) == (1, 0)


def test_what_came_too_late_does_not_overwrite_a_new_sign_in(
    connected: SignIns, provider: Provider, clock: Clock, store: Store
) -> None:
    seen = connected.connection("club")
    assert seen is not None
    connect(connected, provider, clock)
    with store.write() as tx:
        swapped = connections.swap(tx, seen, seen, {"access_token": KEYS.seal("club", "access_token", "late")})

    assert not swapped
    assert connected.reveal("club", "access_token") != "late"


class TestInTheMidstOfARun:
    @pytest.fixture
    def courier(self, connected: SignIns, store: Store, clock: Clock) -> Iterator[Courier]:
        accounts = Accounts(
            connected._config,
            PlainRenderer(),  # type: ignore[arg-type]  # a renderer by its methods
            networks=FakePlugins(club=Club),
            sign_ins=connected,
        )
        made = Courier(store, accounts, now=clock)
        yield made
        made.close()

    def deliver(self, store: Store, courier: Courier) -> None:
        courier.deliver(plan(store, accounts=["club"], number=3))
        assert courier.drain(20)

    def test_a_401_refreshes_once_and_the_shares_arrive(
        self, store: Store, courier: Courier, provider: Provider
    ) -> None:
        provider.access.clear()  # ended at the vendor, long before its time
        self.deliver(store, courier)

        assert states(store) == {"sent": 3}
        assert (provider.refreshes, provider.reused) == (1, 0)

    def test_a_401_of_a_deletion_refreshes_too(
        self, store: Store, courier: Courier, provider: Provider, clock: Clock
    ) -> None:
        ids = plan(store, accounts=["club"])
        courier.deliver(ids)
        assert courier.drain(10)
        ask(store, courier._accounts, ids[0], "delete", now=clock())
        provider.access.clear()
        courier.deliver(ids)
        assert courier.drain(10)

        with store.read() as tx:
            assert [one.outcome for one in chores.of_share(tx, ids[0])] == ["done"]
        assert (provider.refreshes, provider.reused) == (1, 0)

    def test_a_sign_in_that_is_over_pauses_the_account(
        self, store: Store, courier: Courier, provider: Provider
    ) -> None:
        provider.access.clear()
        provider.refresh.clear()
        self.deliver(store, courier)

        assert states(store) == {"scheduled": 3}
        assert paused(store)

    def test_a_vendor_that_does_not_answer_is_waited_for(
        self, store: Store, courier: Courier, provider: Provider
    ) -> None:
        provider.access.clear()
        provider.replies += [Reply(status=503)] * 9
        self.deliver(store, courier)

        assert states(store) == {"scheduled": 3}
        assert not paused(store)

    def test_a_disconnected_account_waits_and_goes_on_when_it_is_connected_again(
        self, store: Store, courier: Courier, provider: Provider, connected: SignIns, clock: Clock
    ) -> None:
        token = connected.reveal("club", "access_token")
        assert connected.forget("club") == (True, "")
        ids = plan(store, accounts=["club"])
        courier.deliver(ids)
        assert courier.drain(10)

        assert token in provider.revoked
        assert states(store) == {"scheduled": 1}
        assert "reverberate connect club" in paused(store)

        connect(connected, provider, clock)
        courier.deliver(ids)
        assert courier.drain(10)
        assert states(store) == {"sent": 1}
        assert not paused(store)


def test_no_log_line_holds_a_secret_whatever_goes_wrong(
    mine: SignIns, provider: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    provider.replies.append(Reply(status=400, body=b'{"error": "invalid_grant", "error_description": "code-0"}'))
    with pytest.raises(connecting.ConnectError):
        connect(mine, provider, clock)
    connect(mine, provider, clock)
    for reply in (Reply(cut=0), Reply(status=503), Reply(body=b"<html>"), Reply(status=401, body=b"refresh-2")):
        clock.ahead += timedelta(hours=2)
        provider.replies.append(reply)
        failing(mine)
    mine.forget("club")

    assert "its token was not refreshed" in caplog.text
    assert not re.findall(r"(?:access|refresh|code)-\d+|app-secret", caplog.text)


class TestWhatNobodyUses:
    def test_it_is_refreshed_all_the_same(self, connected: SignIns, provider: Provider, clock: Clock) -> None:
        connected.tend()
        clock.ahead = timedelta(minutes=51)
        connected.tend()
        connected.tend()

        assert provider.refreshes == 1

    @pytest.mark.parametrize(
        ("left", "told"),
        [(40, []), (31, []), (30, [30]), (8, [30]), (7, [30, 7]), (1, [30, 7, 1]), (0, [30, 7, 1])],
    )
    def test_what_cannot_be_refreshed_is_warned_of_thirty_seven_and_one_day_before(
        self, mine: SignIns, clock: Clock, store: Store, left: int, told: list[int]
    ) -> None:
        end = datetime.now(UTC) + timedelta(days=60)
        mine.keep("club", Grant(values={"access_token": "x"}, expires=end))
        for day in range(60 - left + 1):
            clock.ahead = timedelta(days=day)
            mine.tend()
            mine.tend()
        written = events(store, "token expires")

        assert [int(event.words.split()[0]) for event in written] == told
        assert all("reverberate connect club" in event.words for event in written)

    def test_one_that_has_ended_is_not_sent_any_more(self, mine: SignIns, clock: Clock) -> None:
        mine.keep("club", Grant(values={"access_token": "x"}, expires=datetime.now(UTC) + timedelta(days=60)))
        clock.ahead = timedelta(days=61)

        assert isinstance(failing(mine), Unauthorised)
