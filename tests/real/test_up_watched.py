"""The real program, watched: a real alert arrives, the log is JSON without a secret, a backup comes back elsewhere."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from reverberate.sandbox import Sandbox, credentials
from support.blogger import SEED, Blogger, move_in
from support.processes import ask, run, running
from support.receivers import SECRET, webhook
from support.servers import free_port
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.receivers import Hook

pytestmark = pytest.mark.redis
NETWORKS = {"ma": "mastodon", "bs": "bluesky"}


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as one:
        yield one


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed=SEED) as one:
        yield one


@pytest.fixture
def blogger(tmp_path: Path, sandbox: Sandbox, hook: Hook) -> Blogger:
    (tmp_path / "whsec").write_text(SECRET, encoding="utf-8")
    lines = ["[service]", f'listen = "127.0.0.1:{free_port()}"', 'log_format = "json"', "[notices.me]"]
    lines += [
        'type = "webhook"',
        f'url = "{hook.url}"',
        f'secret = {{ file = "{tmp_path / "whsec"}" }}',
        'gather = "1s"',
    ]
    made = move_in(tmp_path, sandbox, accounts=NETWORKS, extra=lines)
    (tmp_path / "secrets" / "ma.access_token").write_text("revoked-canary-0815", encoding="utf-8")
    return made


def told(blogger: Blogger, *arguments: str) -> str:
    done = run(blogger.config, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_revoked_token_is_told_by_a_signed_webhook_and_no_secret_is_in_the_log(blogger: Blogger, hook: Hook) -> None:
    log = blogger.config.parent / "up.log"
    with running(blogger.config, "up", log=log):
        told(blogger, "publish", str(blogger.post("A post")))
        until(lambda: len(hook.taken) == 1, 30)
        until(lambda: len(blogger.entries()) == 1, 30)

    (group,) = hook.taken[0]["data"]["groups"]
    assert (group["kind"], group["account"], hook.forged) == ("paused", "ma", 0)
    text = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["account"] for line in lines if "share" in line} == {"ma", "bs"}
    secrets = [*credentials(SEED, "bluesky", "bs").values(), "revoked-canary-0815", SECRET, SECRET[6:]]
    for secret in secrets:
        for spelled in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert spelled not in text
    (notice,) = ask(blogger.config, "notices")["notices"]
    assert (notice["state"], notice["about"]) == ("sent", "ma is paused")


def test_a_backup_of_what_runs_comes_back_beside_it(blogger: Blogger, tmp_path: Path) -> None:
    with running(blogger.config, "up", log=blogger.config.parent / "up.log"):
        told(blogger, "publish", str(blogger.post("A post")), "--account", "bs")
        until(lambda: len(blogger.entries()) == 1, 30)
        until(lambda: [s["state"] for s in ask(blogger.config, "shares")] == ["sent"], 10)
        told(blogger, "backup", str(tmp_path / "file"))
        assert "another `reverberate up`" in run(blogger.config, "restore", str(tmp_path / "file"), "--force").stderr
    elsewhere = Blogger(tmp_path / "new" / "reverberate.toml", blogger.ledger)
    elsewhere.config.parent.mkdir()
    said = told(elsewhere, "restore", str(tmp_path / "file"))

    assert f"wrote {elsewhere.config}, as it was" in said
    assert [share["state"] for share in ask(elsewhere.config, "shares")] == ["sent"]
    assert ask(elsewhere.config, "publish", str(blogger.post("A post")))["new"] is False  # it is still known
