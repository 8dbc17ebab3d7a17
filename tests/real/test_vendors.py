"""Every network's declared sign-in at a real authorization server that is configured as its vendor is, by the real command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests

from reverberate import connecting
from reverberate.checks import examine
from reverberate.networks import containers, networks
from reverberate.networks.flows import OAuth2Flow, moved
from reverberate.runtime import read_config
from reverberate.sandbox import Sandbox, registration
from reverberate.sandbox.grants import Given, Grants
from reverberate.sandbox.keys import app
from reverberate.sandbox.vendors import VENDORS
from reverberate.secrets import Secret
from reverberate.testing import a_delivery
from support import real
from support.processes import ask, run
from support.servers import free_port, missing
from support.signing import World, asking, consented, table
from support.world import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = (
    "wordpress",
    "facebook",
    "twitter",
    "linkedin",
    "google_business",
    "reddit",
    "pinterest",
    "threads",
    "instagram",
)
LASTING = ("twitter", "google_business", "reddit", "pinterest")
REVOKING = ("twitter", "google_business", "reddit")
USUAL = "posts"
"""What is allowed where nothing is asked for (WordPress.com)."""
PORT = free_port()
BACK = f"http://127.0.0.1:{PORT}/callback"


def flow(name: str, *, sandbox: str = "http://127.0.0.1:1", base: str = "") -> OAuth2Flow:
    """What the plug-in declares, below ``base``."""
    told, network = registration(sandbox, "s", name, name, signed=False), networks.get(name)
    secrets = {key: Secret("env", "PATH") for key in (*told.secrets, *told.vault)}
    settings = network.Settings(**{**told.settings, **secrets})
    found = moved(network.flow(settings), base)  # type: ignore[attr-defined]  # all of these connect
    assert isinstance(found, OAuth2Flow)
    return found


def vendor(name: str) -> dict[str, Any]:
    """How the authorization server is to be for this network: its paths are where the client goes, the rest is its vendor's own."""
    found, declared, keys = VENDORS[name], flow(name, base="http://127.0.0.1:2"), app("s", name)
    paths = {"authorize": declared.authorize_url, "token": declared.token_url, "revoke": declared.revoke_url}
    way = "client_secret_basic" if found.proof == "basic" else "client_secret_post"
    return {
        "name": name,
        "paths": {kind: urlsplit(url).path for kind, url in paths.items()},
        "scopes": sorted(found.scopes),
        "joiner": found.joiner,
        "clients": [keys | {"token_endpoint_auth_method": way}],
        "redirect": BACK,
        "pkce": found.pkce,
        "refresh": found.refresh,
        "usual": USUAL,
        "lasts": found.lasts and int(found.lasts.total_seconds()),
    }


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The authorization servers."""
    module = real.fetched("oidc") / "node_modules" / "oidc-provider" / "lib" / "index.js"
    node = shutil.which("node") or missing("Node.js") or ""
    folder = tmp_path_factory.mktemp("vendors")
    (folder / "vendors.json").write_text(json.dumps([vendor(name) for name in NAMES]), encoding="utf-8")
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [node, real.HOSTS / "vendors.mjs", str(port), module.as_uri(), folder / "vendors.json"]
    with real.served(command, url=url, folder=folder, env=dict(os.environ)):
        yield url


class Asked(NamedTuple):
    """What a vendor's server says of a token."""

    active: bool
    scopes: frozenset[str]


def introspected(vendors: str, name: str, token: str) -> Asked:
    """Ask the server itself."""
    keys = app("s", name)
    auth = (keys["client_id"], keys["client_secret"])
    by = {"auth": auth} if VENDORS[name].proof == "basic" else {"data": keys}
    told = requests.post(
        f"{vendors}/{name}/token/introspection", timeout=10, **{**by, "data": {"token": token} | by.get("data", {})}
    ).json()
    return Asked(told["active"], frozenset(str(told.get("scope", "")).split()))


class TestAtTheirVendors:
    @pytest.fixture(params=NAMES)
    def name(self, request: pytest.FixtureRequest) -> str:
        """Each network."""
        return str(request.param)

    @pytest.fixture
    def sandbox(self, tmp_path: Path, vendors: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
        """The networks' APIs, which ask the authorization servers whose tokens they get."""
        monkeypatch.setattr(containers, "PAUSE", 0.01)
        known = Grants.find

        def find(grants: Grants, token: str, kind: Any, network: str) -> Given | None:
            if found := known(grants, token, kind, network):
                return found
            good = network in NAMES and introspected(vendors, network, token).active
            return Given(token=token, kind=kind, network=network, account=network, family=token) if good else None

        monkeypatch.setattr(Grants, "find", find)
        with Sandbox(tmp_path / "sandbox", seed="s") as running:
            yield running

    @pytest.fixture
    def path(self, name: str, tmp_path: Path, vendors: str, sandbox: Sandbox) -> Path:
        """A config with one account, whose API is the sandbox and whose sign-in is the authorization server."""
        told, path = registration(sandbox.url, "s", name, name, signed=False), tmp_path / "reverberate.toml"
        plain = {**told.settings, "sign_in_base": f"{vendors}/{name}"}
        service = f'[service]\nconnect_port = {PORT}\nvault_key = {{ file = "{tmp_path / "vault.key"}" }}\n\n'
        accounts = table(name, name, plain, secrets=dict.fromkeys(told.secrets, "APP_SECRET"), vault=told.vault)
        path.write_text(service + accounts, encoding="utf-8")
        return path

    @pytest.fixture
    def env(self, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """Where the app's secret lies."""
        monkeypatch.setenv("APP_SECRET", app("s", name)["client_secret"])
        return {"APP_SECRET": app("s", name)["client_secret"]}

    @pytest.fixture
    def world(self, path: Path, env: dict[str, str]) -> Iterator[World]:  # noqa: ARG002 - it reads the variable
        """The same config, in this process."""
        made = World(read_config(path), networks)
        yield made
        made.store.close()

    def connect(self, path: Path, name: str, env: dict[str, str]) -> str:
        """Run the command and do what the owner does; what it said in the end."""
        with asking(path, name, "--no-browser", env=env) as command:
            strange = requests.get(f"{BACK}?code=stolen&state=another", timeout=10)
            back = requests.get(consented(command.address, back=BACK), timeout=10)
            status, out, told = command.ended()
        assert (status, strange.status_code, back.status_code) == (0, 400, 200), told
        assert f"name this redirect address, exactly: {BACK}\n" in told
        assert env["APP_SECRET"] not in out + told
        return out

    def test_from_the_first_sign_in_to_the_last_word(  # noqa: PLR0917 - fixtures
        self, name: str, path: Path, world: World, vendors: str, env: dict[str, str], sandbox: Sandbox
    ) -> None:
        out = self.connect(path, name, env)
        kept = {key: world.sign_ins.peek(name, key) for key in ("access_token", connecting.REFRESH)}
        assert out.startswith(f"{name} is connected as ")
        assert bool(kept[connecting.REFRESH]) == (name in LASTING)
        if name not in {"facebook", "threads", "instagram"}:  # theirs was exchanged for another
            assert introspected(vendors, name, kept["access_token"]) == (True, frozenset(flow(name).scopes or {USUAL}))
        lies = told_by_another_process(*(one for one in (path.parent / "data").rglob("*") if one.is_file()))
        assert [key for key, secret in kept.items() if secret and secret.encode() in lies] == []

        (looked,) = [one for one in examine(world.config, online=True) if one.stand]
        assert (looked.fine, bool(looked.stand and looked.stand.who)) == (True, True), looked
        if name not in {"instagram", "pinterest"}:  # theirs need a picture
            assert world.accounts.network(name).send(a_delivery()).remote_id
            assert [(entry.network, entry.account) for entry in sandbox.ledger.accepted()] == [(name, name)]

        self.connect(path, name, env)
        assert world.sign_ins.peek(name, "access_token") != kept["access_token"]
        last = {key: world.sign_ins.peek(name, key) for key in kept}
        gone = run(path, "disconnect", name, env=env)
        assert gone.stdout.startswith(f"{name} is disconnected")
        assert ("at the network too" in gone.stdout) == (name in REVOKING)
        if name in REVOKING:
            assert not any(introspected(vendors, name, token).active for token in last.values())
        assert world.sign_ins.connection(name) is None

    @pytest.mark.parametrize("name", LASTING, indirect=True)
    def test_twenty_threads_refresh_once(
        self, name: str, path: Path, world: World, vendors: str, env: dict[str, str]
    ) -> None:
        self.connect(path, name, env)
        kept = {key: world.sign_ins.peek(name, key) for key in ("access_token", connecting.REFRESH)}
        lasts = VENDORS[name].lasts
        assert lasts is not None
        world.ahead = lasts - timedelta(minutes=5)
        found = at_once(lambda: world.sign_ins.reveal(name, "access_token"))

        assert len({kept["access_token"], *found}) == 2
        assert len(found) == 20
        assert introspected(vendors, name, found[0]) == (True, frozenset(flow(name).scopes or {USUAL}))
        new = world.sign_ins.peek(name, connecting.REFRESH)
        assert (new != kept[connecting.REFRESH]) == (VENDORS[name].refresh == "once")

    @pytest.mark.parametrize("name", ["linkedin"], indirect=True)
    def test_linkedin_s_end_is_told_and_nothing_refreshes_it(self, name: str, path: Path, env: dict[str, str]) -> None:
        self.connect(path, name, env)
        (row,) = ask(path, "vault", "status", env=env)["accounts"]

        assert row["ends"]
        assert row["refreshed"] == ""

    @pytest.mark.parametrize("name", ["wordpress"], indirect=True)
    def test_a_browser_finds_its_way_back(self, name: str, path: Path, world: World, env: dict[str, str]) -> None:
        sync_api = pytest.importorskip("playwright.sync_api")
        chromium = shutil.which("chromium") or missing("Chromium") or ""
        with asking(path, name, "--no-browser", env=env) as command, sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(20_000)
            page.goto(command.address)
            page.fill("input[name=login]", "alice")
            page.fill("input[name=password]", "x")
            page.click("button[type=submit]")
            page.click("button[type=submit]")
            words = page.inner_text("body")
            browser.close()
            status, _, told = command.ended()

        assert words == "Back to the terminal. You can close this page."
        assert status == 0, told
        assert world.sign_ins.peek(name, "access_token")


def told_by_another_process(*files: Path) -> bytes:
    """What is in them. Reading SQLite's files here would end the locks that this process holds on them."""
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout
