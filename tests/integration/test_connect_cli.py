"""The commands that connect: they say what to do, ask without echo, and print no secret."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reverberate.cli import app
from reverberate.sandbox import Sandbox, credentials, settings
from reverberate.store import Store, connections
from support import processes
from support.inside import ask, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """\
[service]
vault_key = {{ file = "{key}" }}

[accounts.sky]
network = "bluesky"
handle = "{handle}"
api_base = "{base}"
app_password = {{ vault = true }}

[accounts.page]
network = "facebook"
page_id = "1"
access_token = {{ vault = true }}

[accounts.fedi]
network = "mastodon"
instance = "https://mastodon.example"
access_token = {{ env = "TOKEN" }}

[accounts.plus]
network = "googleplus"

[accounts.box]
network = "memory"
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), seed="s") as running:
        yield running


@pytest.fixture
def password() -> str:
    return credentials("s", "bluesky", "alice")["app_password"]


@pytest.fixture
def config(tmp_path: Path, sandbox: Sandbox) -> Path:
    told = settings(sandbox.url, "s", "bluesky", "alice")
    path = tmp_path / "reverberate.toml"
    key = tmp_path / "keys" / "vault.key"
    path.write_text(CONFIG.format(key=key, handle=told["handle"], base=told["api_base"]), encoding="utf-8")
    return path


def refused(config: Path, *arguments: str, stdin: str = "") -> str:
    done = processes.run(config, *arguments, stdin=stdin) if stdin else run(config, *arguments)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1].removeprefix("reverberate: ")


def test_an_app_password_is_asked_for_verified_and_sealed(config: Path, password: str) -> None:
    done = processes.run(config, "connect", "sky", stdin=f"{password}\n")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("sky is connected as ")
    assert password not in done.stdout + done.stderr
    assert not [path for path in config.parent.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert stat.S_IMODE((config.parent / "keys" / "vault.key").stat().st_mode) == 0o600

    told = ask(config, "vault", "status")
    assert [row["account"] for row in told["accounts"]] == ["sky"]
    assert password not in str(told)
    assert run(config, "vault", "rotate").stdout.startswith("1 secrets are sealed under a new key")


def test_a_wrong_password_is_not_kept(config: Path) -> None:
    words = refused(config, "connect", "sky", stdin="a-wrong-one\n")
    store = Store(f"sqlite:///{config.parent / 'data' / 'reverberate.db'}")
    with store.read() as tx:
        kept = connections.all_of(tx)
    store.close()

    assert words.startswith("sky is not connected: 401")
    assert "a-wrong-one" not in words
    assert kept == []


def test_disconnecting_forgets(config: Path, password: str) -> None:
    processes.run(config, "connect", "sky", stdin=f"{password}\n")
    done = run(config, "disconnect", "sky")

    assert done.stdout.startswith("sky is disconnected")
    assert ask(config, "vault", "status")["sealed"] == {}
    assert "reverberate connect sky" in next(row for row in ask(config, "accounts") if row["name"] == "sky")["why"]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("plus", "there is nothing left to connect plus to (Google+ closed in 2019"),
        ("plus", "Google Business Profile"),
        ("box", "has no sign-in; its secrets are given in the config (docs/networks/memory.md"),
        (
            "fedi",
            "fedi takes its access_token from elsewhere (write access_token = { vault = true } in [accounts.fedi]",
        ),
        ("page", "accounts.page.client_id is missing"),
        ("nobody", "no account 'nobody'"),
    ],
)
def test_what_cannot_be_connected_says_why_and_what_to_do(config: Path, account: str, words: str) -> None:
    assert words in str(CliRunner().invoke(app, ["-c", str(config), "connect", account]).exception)


def test_what_is_not_connected_cannot_be_disconnected(config: Path) -> None:
    assert refused(config, "disconnect", "sky").startswith("sky was not connected")


def test_a_key_that_others_can_read_is_refused(config: Path, password: str) -> None:
    run(config, "vault", "init")
    (config.parent / "keys" / "vault.key").chmod(0o644)

    assert "others can read the vault key" in refused(config, "connect", "sky", stdin=f"{password}\n")
