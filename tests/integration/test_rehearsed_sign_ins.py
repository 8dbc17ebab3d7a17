"""Signing in at the sandbox: every network's own way, by the command and by hand, and all that goes wrong on it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate import connecting
from reverberate.connecting import ConnectError, pasted
from reverberate.errors import Unauthorised
from reverberate.model import Picture, Receipt
from reverberate.networks import containers, networks
from reverberate.runtime import read_config
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox
from reverberate.sandbox.signatures import Signatures
from reverberate.testing import a_delivery
from reverberate.vaultkeys import make_first_key
from support.drawings import plain, saved
from support.processes import ask, run
from support.signing import BACK, World, agreed, asking, rehearsing
from support.world import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reverberate.model import Delivery

BROWSER = (
    "twitter",
    "facebook",
    "wordpress",
    "mastodon",
    "instagram",
    "threads",
    "linkedin",
    "google_business",
    "pinterest",
    "reddit",
    "tumblr",
)
KINDS = ("twitter", "x2", "threads", "facebook", "mastodon", "reddit")
"""One of each kind: OAuth 1.0a, PKCE, an exchange, Pages, an app made on the spot, an app that proves itself by header."""
HTTPS = {"instagram", "threads", "facebook"}
"""They send nobody to an address without TLS (Facebook: but to localhost)."""
ONCE, STAYS, PROLONGED = ("pinterest",), ("reddit", "google_business"), ("threads", "instagram")
ELSEWHERE = "https://blog.example/back"
PICTURE = Picture(digest="a" * 64, mime="image/jpeg", width=64, height=48, size=9, alt="A hill")


class Place:
    """A sandbox whose clock a test can let pass, and an account of each network, not connected."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.ahead, self.path, self.variables = timedelta(0), folder / "reverberate.toml", dict[str, str]()
        self.sandbox = Sandbox(folder / "sandbox", seed="s", now=lambda: datetime.now(UTC) + self.ahead)
        made = [f'[service]\nvault_key = {{ file = "{folder / "keys" / "vault.key"}" }}\n']
        for name in (*BROWSER, "x2"):
            network, signed = ("twitter", False) if name == "x2" else (name, True)
            table, secrets = rehearsing(self.sandbox.url, "s", network, name, signed=signed)
            made.append(table)
            self.variables |= secrets
        for name, secret in self.variables.items():
            patch.setenv(name, secret)
        self.path.write_text("\n".join(made), encoding="utf-8")
        self.world = World(read_config(self.path), networks)
        make_first_key(self.world.place)
        self.picture = f"{self.sandbox.url}/blob/{self.sandbox._networks['threads']._blobs.put(JPEG)}"  # type: ignore[attr-defined]  # the sandbox itself serves what is fetched

    def passes(self, time_: timedelta) -> None:
        """Let time pass, here and there."""
        self.ahead += time_
        self.world.ahead += time_

    def connect(self, account: str, name: str = "") -> None:
        """Connect an account, as the one of its own name or another; ``done`` is what came of it."""
        self.done = self.world.connect(account, name=name, redirect=redirect(account))

    def post(self, name: str) -> Receipt:
        """Post with the token that the account has."""
        return self.world.accounts.network(name).send(self.delivery(name))

    def delivery(self, name: str) -> Delivery:
        """A post; with a picture where there must be one."""
        plain_ = a_delivery()
        if name not in {"instagram", "pinterest"}:
            return plain_
        message = replace(plain_.message, pictures=(PICTURE,))
        return replace(plain_, message=message, load=lambda _: JPEG, address=lambda _: self.picture)

    def posted(self) -> list[tuple[str, str]]:
        """What the sandbox accepted: by which account, where."""
        return [(entry.network, entry.account) for entry in self.sandbox.ledger.accepted()]

    def everything_written(self) -> bytes:
        """All that lies on the disk beside the sandbox: config, database, vault."""
        files = (one for one in self.path.parent.rglob("*") if one.is_file() and "sandbox" not in one.parts)
        return b"".join(one.read_bytes() for one in files)


JPEG = saved(plain(), "JPEG")


def redirect(name: str) -> str:
    """Where the vendor lets its people be sent back to."""
    return ELSEWHERE if name in HTTPS else BACK


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(containers, "PAUSE", 0.01)
    made = Place(tmp_path, monkeypatch)
    with made.sandbox:
        yield made
    made.world.store.close()


@pytest.mark.parametrize("name", [*BROWSER, "x2"])
def test_whoever_signs_in_posts_with_the_token_that_came(place: Place, name: str) -> None:
    place.connect(name)

    assert place.done.who
    assert place.done.note == ""
    assert place.post(name).remote_id
    assert place.posted() == [("twitter" if name == "x2" else name, name)]


@pytest.mark.parametrize("name", KINDS)
def test_nothing_that_came_lies_open_on_the_disk(place: Place, name: str) -> None:
    place.connect(name)
    written, given = place.everything_written(), place.sandbox.grants._given.values()

    assert [one.kind for one in given if one.kind != "app"]
    assert not [one.kind for one in given if one.token.encode() in written]


@pytest.mark.parametrize("name", [*BROWSER, "x2"])
def test_who_says_no_is_not_connected_and_told_so(place: Place, name: str) -> None:
    begun, params = place.world.begun(name, redirect=redirect(name), answer="deny")
    with pytest.raises(ConnectError, match=f"{name} is not connected: (access_denied|it was not allowed|The user )"):
        place.world.connector.complete(begun, params)
    assert place.world.sign_ins.connection(name) is None


@pytest.mark.parametrize("name", KINDS)
def test_what_belongs_to_another_sign_in_is_refused(place: Place, name: str) -> None:
    (begun, _), (_, others) = (place.world.begun(name, redirect=redirect(name)) for _ in range(2))
    with pytest.raises(ConnectError, match="belongs to another sign-in"):
        place.world.connector.complete(begun, others)


@pytest.mark.parametrize("name", KINDS)
def test_who_comes_back_too_late_is_told_so(place: Place, name: str) -> None:
    begun, params = place.world.begun(name, redirect=redirect(name))
    place.ahead = timedelta(minutes=11)
    with pytest.raises(ConnectError, match=f"{name} is not connected: 40[01] .*(expired|authenticate you)"):
        place.world.connector.complete(begun, params)


@pytest.mark.parametrize("name", KINDS)
def test_a_code_works_once_and_using_it_again_ends_what_came_of_it(place: Place, name: str) -> None:
    begun, params = place.world.begun(name, redirect=redirect(name), name=name)
    place.world.connector.complete(begun, params)
    with pytest.raises(ConnectError, match=f"{name} is not connected: 40[01] "):
        place.world.connector.complete(begun, params)
    if name in {"twitter", "tumblr"}:  # OAuth 1.0a says nothing of that
        assert place.post(name)
    else:
        with pytest.raises(Unauthorised):
            place.post(name)


@pytest.mark.parametrize("name", sorted(HTTPS))
def test_an_address_without_tls_is_refused_on_the_vendor_s_page(place: Place, name: str) -> None:
    begun = place.world.connector.begin(name, redirect=BACK)
    page = requests.get(begun.address, timeout=10, allow_redirects=False)

    assert page.status_code == 400
    assert "must begin with https://" in page.text
    assert ("or lead to localhost" in page.text) == (name == "facebook")


@pytest.mark.parametrize("name", ["twitter", "mastodon", "reddit", "google_business", "x2"])
def test_disconnecting_revokes_where_the_vendor_can(place: Place, name: str) -> None:
    place.connect(name)
    kept = {one.token for one in place.sandbox.grants._given.values() if one.kind in {"access", "refresh", "signed"}}

    assert place.world.sign_ins.forget(name) == (True, "")
    assert kept <= place.sandbox.grants._ended
    with pytest.raises(Unauthorised, match="it is not connected"):
        place.post(name)


@pytest.mark.parametrize("name", ["facebook", "linkedin", "wordpress", "tumblr", "pinterest", "threads"])
def test_disconnecting_says_where_the_vendor_cannot(place: Place, name: str) -> None:
    place.connect(name)
    there, why = place.world.sign_ins.forget(name)

    assert there
    assert "no way to revoke it" in why
    assert place.world.sign_ins.connection(name) is None


@pytest.mark.parametrize("name", [*ONCE, *STAYS, *PROLONGED, "x2"])
def test_twenty_threads_refresh_once_and_then_it_posts(place: Place, name: str) -> None:
    place.connect(name)
    old = place.world.sign_ins.reveal(name, "access_token")
    before = len(place.sandbox.grants._given)
    place.passes(timedelta(days=8) if name in PROLONGED else timedelta(days=30) - timedelta(minutes=5))
    found = at_once(lambda: place.world.sign_ins.reveal(name, "access_token"))

    assert len(found) == 20
    assert len({old, *found}) == 2
    given = [one.kind for one in list(place.sandbox.grants._given.values())[before:]]
    assert given == (["access", "refresh"] if name in {*ONCE, "x2"} else ["access"])
    assert place.post(name).remote_id


@pytest.mark.parametrize("name", ["linkedin", "threads", "instagram"])
def test_a_token_of_sixty_days_says_when_it_ends(place: Place, name: str) -> None:
    place.connect(name)

    assert place.done.expires
    assert timedelta(days=59) < place.done.expires - datetime.now(UTC) < timedelta(days=61)
    assert place.done.renewed == (name != "linkedin")


def test_linkedin_s_end_is_warned_of_and_then_the_account_waits(place: Place) -> None:
    place.connect("linkedin")
    place.passes(timedelta(days=61))
    with pytest.raises(Unauthorised, match="reverberate connect linkedin"):
        place.post("linkedin")


@pytest.mark.parametrize("name", ["facebook", "wordpress", "mastodon", "twitter", "tumblr"])
def test_a_token_that_does_not_end_still_posts_after_a_year(place: Place, name: str) -> None:
    place.connect(name)
    place.passes(timedelta(days=365))

    assert place.done.expires is None
    assert place.post(name).remote_id


def test_a_refresh_token_that_somebody_else_used_ends_the_account_with_the_reason(place: Place) -> None:
    place.connect("x2")
    kept = place.world.sign_ins.peek("x2", connecting.REFRESH)
    place.passes(timedelta(hours=3))
    auth = (place.world.config.accounts["x2"].settings.client_id, place.variables["X2_CLIENT_SECRET"])  # type: ignore[attr-defined]  # X's own
    form = {"grant_type": "refresh_token", "refresh_token": kept}
    stolen = requests.post(f"{place.sandbox.url}/twitter/2/oauth2/token", data=form, auth=auth, timeout=10)
    assert stolen.ok
    with pytest.raises(Unauthorised, match="used already"):
        place.post("x2")


def test_connecting_again_changes_the_account(place: Place) -> None:
    place.connect("mastodon", "alice")
    place.connect("mastodon", "bob")

    assert ("bob" in place.done.who, "alice" in place.done.instead_of) == (True, True)
    place.post("mastodon")
    assert place.posted() == [("mastodon", "bob")]


def test_another_page_s_number_is_answered_with_those_that_were_given(place: Place) -> None:
    begun, params = place.world.begun("facebook", redirect=ELSEWHERE, name="somebody")
    with pytest.raises(Exception, match="Facebook gave us no Page") as raised:
        place.world.connector.complete(begun, params)
    assert "somebody-club (" in str(raised.value)


def test_who_signs_in_by_a_wrong_clock_is_told_of_the_clock(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Signatures, "clock", staticmethod(lambda: time.time() + 1200))
    place.sandbox.faults.add(Fault(kind=Kind.SKEW, network="twitter", seconds=1200))
    with pytest.raises(ConnectError, match=r"401 Timestamp out of bounds.*clock is 20 minutes behind"):
        place.world.connector.begin("twitter", redirect=BACK)


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.ERROR, Kind.TRUNCATE])
@pytest.mark.parametrize("name", ["twitter", "x2", "facebook"])
def test_a_network_that_fails_meanwhile_is_told_and_nothing_is_kept(place: Place, name: str, kind: Kind) -> None:
    begun, params = place.world.begun(name, redirect=redirect(name), name=name)
    place.sandbox.faults.add(Fault(kind=kind, on=Purpose.SIGN_IN, byte=0 if kind is Kind.TRUNCATE else None))
    with pytest.raises(ConnectError, match=f"{name} is not connected: "):
        place.world.connector.complete(begun, params)
    assert place.world.sign_ins.connection(name) is None


def test_a_restart_of_the_sandbox_ends_no_sign_in(place: Place, tmp_path: Path) -> None:
    place.connect("mastodon")
    token = place.world.sign_ins.reveal("mastodon", "access_token")
    with Sandbox(tmp_path / "sandbox", seed="s") as again:
        told = requests.get(
            f"{again.url}/mastodon/api/v1/accounts/verify_credentials",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
    assert told.json()["username"] == "mastodon"


class TestTheCommand:
    def test_signs_in_and_out_by_oauth_1(self, place: Place) -> None:
        env = place.variables
        with asking(place.path, "twitter", "--no-browser", "--port", "0", env=env) as command:
            requests.get(agreed(command.address, name="twitter"), timeout=10)
            status, out, told = command.ended()
        gone = run(place.path, "disconnect", "twitter", env=env)

        assert (status, out) == (0, "twitter is connected as @twitter\n"), told
        assert gone.stdout == "twitter is disconnected, at the network too\n"
        assert not [secret for secret in env.values() if secret in told]

    def test_takes_what_is_pasted(self, place: Place) -> None:
        env = place.variables
        with asking(place.path, "threads", "--paste", "--redirect", ELSEWHERE, env=env) as command:
            status, out, told = command.ended(agreed(command.address, name="threads"))

        assert status == 0, told
        assert out.startswith("threads is connected as ")
        (row,) = ask(place.path, "vault", "status", env=env)["accounts"]
        assert (row["account"], row["refreshed"]) == ("threads", "by itself")


def test_a_form_from_elsewhere_agrees_to_nothing(place: Place) -> None:
    begun = place.world.connector.begin("linkedin", redirect=BACK)
    params = pasted(begun.address) | {"sandbox_account": "alice", "sandbox_answer": "allow"}
    told = requests.post(
        begun.address, data=params, headers={"Origin": "https://evil.example"}, timeout=10, allow_redirects=False
    )

    assert told.status_code == 400
    assert "Begin again" in told.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "stranger"}, "There is no app"),
        ({"redirect_uri": "http://evil.example/"}, "is not allowed"),
        ({"redirect_uri": ""}, "is not allowed"),
        ({"redirect_uri": "https://a.example/\r\nSet-Cookie: a=b"}, "is not allowed"),
        ({"redirect_uri": "https://a.example; script-src *"}, "is not allowed"),
        ({"redirect_uri": "http://[x"}, "is not allowed"),
    ],
)
def test_nobody_is_sent_where_an_unknown_app_wants(place: Place, change: dict[str, str], words: str) -> None:
    begun = place.world.connector.begin("linkedin", redirect=BACK)
    params: dict[str, Any] = pasted(begun.address) | change
    page = requests.get(begun.address.partition("?")[0], params=params, timeout=10, allow_redirects=False)

    assert page.status_code == 400
    assert words in page.text
