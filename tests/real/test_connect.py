"""Signing in at real authorization servers: OAuth 1.0a as X has it, OAuth 2 with PKCE, rotation and reuse detection."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests_oauthlib import OAuth1

from reverberate import connecting
from reverberate.connecting import ConnectError
from reverberate.errors import Outcome, Unauthorised
from reverberate.networks.bluesky import Bluesky
from reverberate.networks.flows import Grant, OAuth2Flow
from reverberate.networks.tumblr import Tumblr
from reverberate.networks.twitter import Twitter
from reverberate.runtime import read_config
from reverberate.store import journal
from reverberate.testing import a_delivery
from reverberate.vaultkeys import make_first_key, rotate
from support import real
from support.plugins import FakePlugins
from support.processes import environment
from support.provider import Club
from support.servers import free_port, missing
from support.signing import BACK as REDIRECT
from support.signing import World, consented
from support.world import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


X = """
[service]
connect_port = {port}
vault_key = {{ file = "{key}" }}

[accounts.x]
network = "twitter"
api_base = "{url}"
consumer_key = {{ env = "X_KEY" }}
consumer_secret = {{ env = "X_SECRET" }}
access_token = {{ vault = true }}
access_token_secret = {{ vault = true }}
"""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_KEY", "app-key")
    monkeypatch.setenv("X_SECRET", "app-secret")


@pytest.fixture(scope="module")
def oauth1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An OAuth 1.0a provider."""
    url, folder = f"http://127.0.0.1:{(port := free_port())}", tmp_path_factory.mktemp("oauth1")
    env = environment({"AUTHLIB_INSECURE_TRANSPORT": "1"})
    with real.served([sys.executable, real.HOSTS / "oauth1.py", str(port)], url=url, folder=folder, env=env):
        yield url


class TestOAuth1:
    @pytest.fixture
    def path(self, oauth1: str, tmp_path: Path) -> Path:
        """The config file."""
        path = tmp_path / "reverberate.toml"
        path.write_text(X.format(url=oauth1, port=free_port(), key=tmp_path / "keys" / "vault.key"), encoding="utf-8")
        return path

    @pytest.fixture
    def world(self, path: Path) -> Iterator[World]:
        """One account, not connected."""
        made = World(read_config(path), FakePlugins(twitter=Twitter))
        make_first_key(made.place)
        yield made
        made.store.close()

    def agreed(self, world: World) -> tuple[connecting.Begun, dict[str, str]]:
        begun = world.connector.begin("x", redirect=REDIRECT)
        back = requests.get(begun.address, allow_redirects=False, timeout=10).headers["Location"]
        assert back.startswith(REDIRECT)
        return begun, connecting.pasted(back)

    def test_the_account_is_known_and_posts_with_tweepy_s_signature(self, world: World) -> None:
        done = world.connector.complete(*self.agreed(world))

        assert (done.who, done.expires, done.note) == ("@owner", None, "")
        assert world.accounts.network("x").send(a_delivery(text="hello ünï")).remote_id

    def test_it_still_posts_after_the_vault_s_key_was_changed(self, world: World) -> None:
        world.connector.complete(*self.agreed(world))

        assert rotate(world.store, world.place) == 2
        assert world.accounts.network("x").send(a_delivery(text="again")).remote_id

    def test_an_answer_to_another_sign_in_is_refused(self, world: World) -> None:
        (begun, _), (_, others) = self.agreed(world), self.agreed(world)
        with pytest.raises(ConnectError, match="belongs to another sign-in"):
            world.connector.complete(begun, others)

    def test_a_wrong_verifier_is_refused_in_the_vendor_s_words(self, world: World) -> None:
        begun, params = self.agreed(world)
        with pytest.raises(ConnectError, match="x is not connected: 40"):
            world.connector.complete(begun, params | {"oauth_verifier": "wrong"})
        assert world.sign_ins.connection("x") is None

    def test_a_wrong_secret_of_the_app_is_refused(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("X_SECRET", "wrong")
        with pytest.raises(ConnectError, match="x is not connected: 401"):
            world.connector.begin("x", redirect=REDIRECT)

    def test_a_revoked_token_posts_no_more(self, world: World) -> None:
        world.connector.complete(*self.agreed(world))
        names = ("access_token", "access_token_secret")
        kept = {name: world.sign_ins.reveal("x", name) for name in names}
        assert world.sign_ins.forget("x") == (True, "")

        world.sign_ins.keep("x", Grant(values=kept))
        with pytest.raises(Unauthorised):
            world.accounts.network("x").send(a_delivery(text="too late"))

    def test_the_command_does_it_all_and_prints_no_secret(self, path: Path, world: World) -> None:
        assert world.sign_ins.connection("x") is None
        command = [sys.executable, "-m", "reverberate", "-c", str(path)]
        asking = subprocess.Popen(
            [*command, "connect", "x", "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        told = ""
        assert asking.stderr
        while "waiting at" not in told:
            line = asking.stderr.readline()
            assert line, told
            told += line
        (address,) = re.findall(r"^  (http\S+)$", told, re.MULTILINE)
        strange = requests.get(re.findall(r"waiting at (\S+)", told)[0] + "?oauth_token=strange", timeout=10)
        back = requests.get(address, timeout=10)  # redirected to where the command waits
        out, err = asking.communicate(timeout=60)
        done = subprocess.run([*command, "disconnect", "x"], capture_output=True, text=True, check=True)

        assert (strange.status_code, back.status_code) == (400, 200)
        assert out == "x is connected as @owner\n"
        assert done.stdout == "x is disconnected, at the network too\n"
        assert "app-secret" not in told + out + err + strange.text + back.text


TUMBLR = """
[service]
vault_key = {{ file = "{key}" }}

[accounts.blog]
network = "tumblr"
blog = "owner"
sign_in_base = "{url}"
api_base = "{url}"
consumer_key = {{ env = "X_KEY" }}
consumer_secret = {{ env = "X_SECRET" }}
access_token = {{ vault = true }}
access_token_secret = {{ vault = true }}
"""


def test_tumblr_s_three_legs_are_walked_at_a_real_provider(oauth1: str, tmp_path: Path) -> None:
    path = tmp_path / "reverberate.toml"
    path.write_text(TUMBLR.format(url=oauth1, key=tmp_path / "keys" / "vault.key"), encoding="utf-8")
    world = World(read_config(path), FakePlugins(tumblr=Tumblr))
    make_first_key(world.place)
    begun = world.connector.begin("blog", redirect=REDIRECT)
    back = requests.get(begun.address, allow_redirects=False, timeout=10).headers["Location"]
    done = world.connector.complete(begun, connecting.pasted(back))
    token, secret = (world.sign_ins.reveal("blog", name) for name in ("access_token", "access_token_secret"))
    known = requests.get(f"{oauth1}/2/users/me", auth=OAuth1("app-key", "app-secret", token, secret), timeout=10)

    assert done.note, "the provider has no blogs to ask about"
    assert known.json()["data"]["username"] == "owner"
    assert world.sign_ins.forget("blog") == (
        True,
        "the network has no way to revoke it by program; its settings page has",
    )
    world.store.close()


class OidcClub(Club):
    """Club at oidc-provider's addresses."""

    @classmethod
    def flow(cls, settings: Any) -> OAuth2Flow:
        """See Connects."""
        base, usual = settings.base, super().flow(settings)
        return replace(
            usual,
            authorize_url=f"{base}/auth",
            token_url=f"{base}/token",
            revoke_url=f"{base}/token/revocation",
            scopes=("openid", "offline_access", "post"),
            params={"prompt": "consent"},
        )


SKY = """
[service]
vault_key = {{ file = "{key}" }}

[accounts.sky]
network = "bluesky"
handle = "{handle}"
api_base = "{url}"
app_password = {{ vault = true }}
"""


class TestAnAppPassword:
    @pytest.fixture
    def world(self, pds: real.Site, tmp_path: Path) -> Iterator[World]:
        """An account on a Bluesky PDS, not connected."""
        path = tmp_path / "reverberate.toml"
        path.write_text(SKY.format(url=pds.url, handle=pds.user, key=tmp_path / "keys" / "vault.key"), encoding="utf-8")
        made = World(read_config(path), FakePlugins(bluesky=Bluesky))
        make_first_key(made.place)
        yield made
        made.store.close()

    def test_it_is_tried_out_and_then_posts(self, world: World, pds: real.Site) -> None:
        done = world.connector.paste("sky", {"app_password": pds.password})

        assert pds.user in done.who
        assert world.accounts.network("sky").send(a_delivery(text="by an app password")).remote_id

    def test_a_wrong_one_is_not_kept(self, world: World) -> None:
        with pytest.raises(ConnectError, match="sky is not connected: 401"):
            world.connector.paste("sky", {"app_password": "abcd-efgh-ijkl-mnop"})
        assert world.sign_ins.connection("sky") is None


CLUB = """
[service]
vault_key = {{ file = "{key}" }}

[accounts.club]
network = "club"
base = "{url}"
client_secret = {{ env = "X_SECRET" }}
access_token = {{ vault = true }}
"""


@pytest.fixture(scope="module")
def oidc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """oidc-provider."""
    module = real.fetched("oidc") / "node_modules" / "oidc-provider" / "lib" / "index.js"
    node = shutil.which("node") or missing("Node.js") or ""
    url, folder = f"http://127.0.0.1:{(port := free_port())}", tmp_path_factory.mktemp("oidc")
    command = [node, real.HOSTS / "oidc.mjs", str(port), module.as_uri(), REDIRECT]
    with real.served(command, url=f"{url}/.well-known/openid-configuration", folder=folder, env=dict(os.environ)):
        yield url


class TestOAuth2:
    @pytest.fixture
    def world(self, oidc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        """One account, not connected."""
        path, networks = tmp_path / "reverberate.toml", FakePlugins(club=OidcClub)
        monkeypatch.setattr("reverberate.runtime.networks", networks)
        path.write_text(CLUB.format(url=oidc, key=tmp_path / "keys" / "vault.key"), encoding="utf-8")
        made = World(read_config(path), networks)
        make_first_key(made.place)
        yield made
        made.store.close()

    def agreed(self, world: World) -> tuple[connecting.Begun, dict[str, str]]:
        begun = world.connector.begin("club", redirect=REDIRECT)
        return begun, connecting.pasted(consented(begun.address, back=REDIRECT))

    def active(self, oidc: str, token: str) -> bool:
        """Whether the server takes the token."""
        auth = ("app", "app-secret")
        told = requests.post(f"{oidc}/token/introspection", data={"token": token}, auth=auth, timeout=10).json()
        return bool(told["active"])

    def test_consent_becomes_a_token_that_works(self, world: World, oidc: str) -> None:
        done = world.connector.complete(*self.agreed(world))

        assert done.renewed
        assert self.active(oidc, world.sign_ins.reveal("club", "access_token"))

    def test_a_code_without_its_verifier_is_worth_nothing(self, world: World) -> None:
        begun, params = self.agreed(world)
        with pytest.raises(ConnectError, match="club is not connected: 400"):
            world.connector.complete(replace(begun, secret="v" * 64), params)

    def test_twenty_threads_rotate_once(self, world: World, oidc: str) -> None:
        world.connector.complete(*self.agreed(world))
        old = world.sign_ins.reveal("club", "access_token")
        world.ahead = timedelta(minutes=9)
        found = at_once(lambda: world.sign_ins.reveal("club", "access_token"))

        assert len(found) == 20
        assert len({old, *found}) == 2
        assert self.active(oidc, found[0])

    def test_many_rotations_in_a_row_are_each_taken(self, world: World, oidc: str) -> None:
        world.connector.complete(*self.agreed(world))
        seen = set()
        for _ in range(5):
            world.ahead += timedelta(minutes=9)
            seen.add(world.sign_ins.reveal("club", "access_token"))

        assert len(seen) == 5
        assert self.active(oidc, world.sign_ins.peek("club", "access_token"))

    def test_a_refresh_token_that_somebody_used_ends_the_account_with_the_reason(self, world: World, oidc: str) -> None:
        world.connector.complete(*self.agreed(world))
        stolen = {"grant_type": "refresh_token", "refresh_token": world.sign_ins.peek("club", connecting.REFRESH)}
        assert requests.post(f"{oidc}/token", data=stolen, auth=("app", "app-secret"), timeout=10).ok
        world.ahead = timedelta(minutes=11)
        with pytest.raises(Outcome) as raised:
            world.sign_ins.reveal("club", "access_token")

        with world.store.read() as tx:
            paused = journal.account(tx, "club").paused_why
        assert isinstance(raised.value, Unauthorised)
        assert "reverberate connect club" in paused
        assert stolen["refresh_token"] not in paused + raised.value.words

    def test_disconnecting_revokes_at_the_server(self, world: World, oidc: str) -> None:
        world.connector.complete(*self.agreed(world))
        kept = {name: world.sign_ins.peek("club", name) for name in ("access_token", connecting.REFRESH)}
        assert all(self.active(oidc, token) for token in kept.values())

        assert world.sign_ins.forget("club") == (True, "")
        assert not self.active(oidc, kept[connecting.REFRESH])
        assert not self.active(oidc, kept["access_token"])
