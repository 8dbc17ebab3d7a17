"""Notices: what happens is told, once, to whom it concerns, and is not lost on the way."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import failpoints
from reverberate.channels import NotSent, faults
from reverberate.config import SourceConfig
from reverberate.config_notices import AppriseTable, EmailTable, WebhookTable
from reverberate.desk import Desk
from reverberate.errors import Refused, ReverberateError, SourceError, Unsure
from reverberate.looking import FAILING
from reverberate.notices import LEASE, Notices, Teller
from reverberate.secrets import Secret
from reverberate.service import Service
from reverberate.sources.base import Look
from reverberate.store import Store, journal, outbox
from support.plugins import SOURCES, Box, BoxSettings
from support.receivers import SECRET, mail_server, webhook
from support.telling import live
from support.world import make_accounts, make_config, plan, states, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reverberate.config import Config
    from reverberate.config_notices import AnyNotice
    from reverberate.delivery import Courier
    from support.plugins import Toy
    from support.receivers import Hook

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["support.telling"])
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as one:
        yield one


@pytest.fixture
def secret_file(tmp_path: Path) -> Secret:
    path = tmp_path / "whsec"
    path.write_text(SECRET, encoding="utf-8")
    return Secret("file", str(path))


def hooked(url: str, secret: Secret, **more: Any) -> WebhookTable:
    return WebhookTable(type="webhook", url=url, secret=secret, **more)


def config_with(**channels: AnyNotice) -> Config:
    return replace(make_config(["a", "b"]), notices=channels)


def pause(store: Store, account: str = "a", *, why: str = "401 revoked", now: datetime = START) -> None:
    with store.write() as tx:
        journal.pause(tx, account, now=now, why=why)


def resume(store: Store, account: str = "a", *, now: datetime = START) -> None:
    with store.write() as tx:
        journal.resume(tx, account, now=now)


@dataclass
class Telling:
    """Notices, their clock, and what their channels took."""

    notices: Notices
    clock: Clock
    kept: list[Any] = field(default_factory=list)

    def run(self, *names: str, hours: float = 1) -> None:
        """Let so much time pass, a minute at a time."""
        for _ in range(int(hours * 60)):
            self.notices.gather()
            for name in names or ("me",):
                self.notices.send_due(name)
            self.clock.pass_by(minutes=1)

    @property
    def titles(self) -> list[str]:
        return [mail.title.removeprefix("Reverberate: ") for mail in self.kept]


def test_a_paused_account_reaches_a_mail_box_through_tls(store: Store, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("pass word", encoding="utf-8")
    with mail_server(tmp_path) as post:
        table = EmailTable(
            type="email",
            host="localhost",
            port=post.port,
            ca=str(tmp_path / "cert.pem"),
            username="me",
            password=Secret("file", str(word)),
            sender="reverberate@blog.example",
            to=("me@blog.example", "you@blog.example"),
        )
        clock = Clock()
        pause(store)
        Telling(Notices(config_with(me=table), store, now=clock), clock).run(hours=0.1)

    (letter,) = post.letters
    assert post.signed_in == [(b"me", b"pass word")]
    assert (letter["Subject"], letter["To"]) == ("Reverberate: a is paused", "me@blog.example, you@blog.example")
    assert letter["Message-ID"].startswith("<notice_")
    text = letter.get_content()
    assert "401 revoked" in text
    assert "since 2026-05-01 12:00 UTC" in text
    assert "reverberate resume a" in text


def test_a_mail_server_that_will_not_have_it_is_said_without_the_password(store: Store, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("wrong word", encoding="utf-8")
    with mail_server(tmp_path) as post:
        table = EmailTable(
            type="email",
            host="localhost",
            port=post.port,
            ca=str(tmp_path / "cert.pem"),
            username="me",
            password=Secret("file", str(word)),
            sender="r@blog.example",
            to=("me@blog.example",),
        )
        with pytest.raises(ReverberateError, match="535") as caught:
            Notices(config_with(me=table), store).test("me")

    assert "wrong" not in str(caught.value)
    assert post.letters == []


def test_a_webhook_is_signed_by_the_reference_rules(store: Store, hook: Hook, secret_file: Secret) -> None:
    notices = Notices(config_with(me=hooked(hook.url, secret_file, gather="1s")), store)  # its clock is the wall's
    pause(store, now=datetime.now(UTC))
    notices.gather()
    until(lambda: notices.send_due("me"))

    (told,) = hook.taken
    assert hook.forged == 0
    assert told["type"] == "notice"
    (group,) = told["data"]["groups"]
    assert (group["kind"], group["account"], group["words"]) == ("paused", "a", "401 revoked")
    assert group["commands"] == ["mend what it says, then: reverberate resume a"]


def test_a_forged_notice_is_seen_by_its_receiver(store: Store, tmp_path: Path, hook: Hook) -> None:
    other = tmp_path / "other"
    other.write_text("whsec_" + "B" * 32, encoding="utf-8")

    with pytest.raises(ReverberateError, match="answered 401"):
        Notices(config_with(me=hooked(hook.url, Secret("file", str(other)))), store).test("me")

    assert (hook.forged, hook.taken) == (1, [])


def test_a_secret_that_is_none_is_said_and_not_repeated(store: Store, tmp_path: Path, hook: Hook) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2", encoding="utf-8")

    with pytest.raises(ReverberateError, match="whsec_ and 24 to 64 bytes") as caught:
        Notices(config_with(me=hooked(hook.url, Secret("file", str(path)))), store).test("me")

    assert "hunter2" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library's own making
def test_a_channel_that_cannot_work_is_told_before_it_is_needed(tmp_path: Path, secret_file: Secret) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("no such thing", encoding="utf-8")
    wrong, missing = Secret("file", str(nonsense)), Secret("env", "NO_SUCH_VARIABLE")

    assert faults(hooked("http://x", secret_file)) == []
    assert faults(hooked("http://x", missing)) == []  # which is told with all other secrets
    (fault,) = faults(hooked("http://x", wrong))
    assert fault.startswith("the signing secret of a webhook is whsec_ and 24 to 64 bytes in base64")
    assert "apprise does not know" in faults(AppriseTable(type="apprise", url=wrong))[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library's own making
def test_apprise_carries_it(store: Store, tmp_path: Path, hook: Hook) -> None:
    path = tmp_path / "url"
    path.write_text(hook.url.replace("http://", "json://"), encoding="utf-8")
    with pytest.raises(ReverberateError, match="apprise could not deliver it"):  # the receiver wants a signature
        Notices(config_with(me=AppriseTable(type="apprise", url=Secret("file", str(path)))), store).test("me")

    assert hook.forged == 1


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a channel takes, in this process."""
    taken: list[Any] = []
    monkeypatch.setattr("reverberate.channels.Webhook.send", lambda _self, mail: taken.append(mail))
    return taken


@pytest.fixture
def telling(store: Store, secret_file: Secret, kept: list[Any]) -> Telling:
    clock, config = Clock(), config_with(me=hooked("http://x.example", secret_file))
    return Telling(Notices(config, store, now=clock, chance=lambda: 0.5), clock, kept)


def test_trouble_is_told_once_until_it_is_over_and_then_its_end(store: Store, telling: Telling) -> None:
    for _ in range(50):
        pause(store, now=telling.clock.now)
        telling.run(hours=0.1)
    assert telling.titles == ["a is paused"]
    resume(store, now=telling.clock.now)
    telling.run()
    pause(store, now=telling.clock.now)
    telling.run()

    assert telling.titles[1:] == ["a goes on", "a is paused"]


def test_an_end_that_nobody_waits_for_is_not_told(store: Store, telling: Telling) -> None:
    resume(store)
    pause(store)
    resume(store)
    telling.run()

    assert telling.kept == []


def test_a_storm_of_a_thousand_refused_shares_is_a_handful_of_notices(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], telling: Telling
) -> None:
    names = [f"a{number}" for number in range(10)]
    toy.script = [Refused("403 no")] * 1000
    ids = plan(store, accounts=names, number=100)
    one = courier(*names)
    for start in range(0, 1000, 200):
        one.deliver(ids[start : start + 200])
        assert one.drain(60)
        telling.clock.now = datetime.now(UTC) + timedelta(minutes=start // 20)
        telling.run(hours=0.05)
    telling.run()

    assert states(store) == {"refused": 1000}
    assert 1 <= len(telling.kept) <= 9
    assert sum(group["count"] for mail in telling.kept for group in mail.data["groups"]) == 1000
    assert all(len(mail.text) < 4000 for mail in telling.kept)


def test_a_doubt_is_told_only_when_it_needs_a_person(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], telling: Telling
) -> None:
    toy.script = [Unsure("the answer was lost")] * 2
    plan(store, accounts=["a"], number=1)
    blind = plan(store, accounts=["b"], number=1)
    with store.write() as tx:  # one will be looked up, and so is no matter for a person
        assert outbox.take(tx, [], now=START) == 0
    one = courier("a", "b")
    one.deliver([blind[0] - 1])
    assert one.drain(10)
    assert telling.notices.gather() == 1
    toy.find = lambda _self, _delivery: (_ for _ in ()).throw(Refused("no list"))  # type: ignore[method-assign]  # this test's own
    one.deliver(blind)
    until(lambda: one.drain(5))
    one.deliver(blind)
    assert one.drain(10)
    telling.clock.now = datetime.now(UTC)
    telling.run()

    (mail,) = telling.kept
    assert mail.title == "Reverberate: a share on b may or may not have arrived"
    assert f"reverberate share resolve {blind[0]}" in mail.text


def test_what_a_person_has_mended_meanwhile_is_not_told(
    store: Store, courier: Callable[..., Courier], toy: type[Toy], telling: Telling
) -> None:
    toy.script = [Refused("403 no")]
    ids = plan(store, accounts=["a"])
    one = courier("a")
    one.deliver(ids)
    assert one.drain(10)
    Desk(store).retry(ids[0])
    telling.run()

    assert telling.kept == []


def test_a_source_is_told_of_when_it_keeps_failing_and_when_it_works_again(store: Store, telling: Telling) -> None:
    source = SourceConfig(name="blog", type="box", settings=BoxSettings(url="u"), every=timedelta(minutes=5))
    config = replace(make_config(["a"]), sources={"blog": source})
    service = Service(config, store, make_accounts(config), sources=SOURCES, now=telling.clock)
    Box.looks = (
        [SourceError("timed out")] * (FAILING - 1) + [Look(posts=())] + [SourceError("gone")] * 9 + [Look(posts=())]
    )
    for _ in range(FAILING):
        service.look("blog")
    telling.run()
    assert telling.kept == []
    for _ in range(9):
        service.look("blog")
    telling.run()
    service.look("blog")
    telling.run()

    assert telling.titles == ["the source blog cannot be read", "blog can be read again"]


def test_only_what_a_channel_wants_is_told_there(store: Store, secret_file: Secret, kept: list[Any]) -> None:
    config = config_with(
        me=hooked("http://x", secret_file, on=("source",)), you=hooked("http://y", secret_file, on=("paused",))
    )
    pause(store)
    clock = Clock()
    Telling(Notices(config, store, now=clock), clock).run("me", "you")

    assert len(kept) == 1
    with store.read() as tx:
        assert [one.channel for one in outbox.newest(tx)] == ["you"]


def test_a_channel_that_fails_is_tried_again_with_the_same_id_and_given_up_in_the_end(
    store: Store, secret_file: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    def send(_channel: Any, mail: Any) -> None:
        tried.append(mail.key)
        raise NotSent("answered 500")

    monkeypatch.setattr("reverberate.channels.Webhook.send", send)
    clock = Clock()
    notices = Notices(config_with(me=hooked("http://x", secret_file)), store, now=clock, chance=lambda: 0.5)
    pause(store)
    for _ in range(100):
        notices.gather()
        notices.send_due("me")
        clock.pass_by(hours=1)

    with store.read() as tx:
        (notice,) = outbox.newest(tx)
    assert (notice.sent, notice.due, notice.tries) == (None, None, 10)
    assert len(set(tried)) == 1


def test_a_channel_that_is_gone_is_not_asked_again(store: Store, secret_file: Secret, hook: Hook) -> None:
    hook.answers = [410]
    clock = Clock()
    clock.now = datetime.now(UTC)
    notices = Notices(config_with(me=hooked(hook.url, secret_file, gather="0s")), store, now=clock)
    pause(store, now=clock.now)
    notices.gather()
    assert notices.send_due("me") is True
    clock.pass_by(days=3)

    assert notices.send_due("me") is False


def test_five_dispatchers_send_one(store: Store, secret_file: Secret, hook: Hook) -> None:
    pause(store, now=datetime.now(UTC))
    config = config_with(me=hooked(hook.url, secret_file, gather="0s"))
    five = [Notices(config, store) for _ in range(5)]
    start = threading.Barrier(5)

    def work(one: Notices) -> None:
        start.wait()
        for _ in range(5):
            one.gather()
            one.send_due("me")

    threads = [threading.Thread(target=work, args=(one,)) for one in five]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(hook.taken) == 1


def test_a_channel_that_hangs_delays_no_other(
    store: Store, secret_file: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, release = [], threading.Event()

    def send(channel: Any, mail: Any) -> None:
        if channel._table.url.endswith("slow"):
            release.wait(20)
        taken.append(mail)

    monkeypatch.setattr("reverberate.channels.Webhook.send", send)
    monkeypatch.setattr("reverberate.notices.TICK", 0.05)
    config = config_with(
        me=hooked("http://x/slow", secret_file, gather="0s"), you=hooked("http://y/fast", secret_file, gather="0s")
    )
    pause(store, now=datetime.now(UTC))
    stop = threading.Event()
    teller = Teller(Notices(config, store), list(config.notices), stop=stop)
    try:
        until(lambda: len(taken) == 1)
    finally:
        release.set()
        stop.set()
        for thread in teller.threads:
            thread.join(10)


@pytest.mark.parametrize("point", failpoints.NOTICE_POINTS)
def test_a_process_that_dies_there_loses_no_notice(
    database_url: str, store: Store, secret_file: Secret, hook: Hook, point: str
) -> None:
    pause(store, now=datetime.now(UTC))
    process = PROCESSES.Process(target=live, args=(database_url, hook.url, secret_file.place, point))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL, "the point was never reached"
    clock = Clock()
    clock.now = datetime.now(UTC) + LEASE  # what it had claimed is free again
    notices = Notices(config_with(me=hooked(hook.url, secret_file, gather="0s")), store, now=clock)

    def arrived() -> bool:
        notices.gather()
        notices.send_due("me")
        with store.read() as tx:
            found = outbox.newest(tx)
        return bool(found) and found[0].sent is not None

    until(arrived)
    assert len(set(hook.ids)) == 1  # at least once, and a repeat is recognised by its id
