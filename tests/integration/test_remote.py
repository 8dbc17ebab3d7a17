"""The command line asks an installation elsewhere: the same words, the same exit codes, and no token in the clear."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from reverberate.cli import app
from reverberate.cli.remote import Remote
from reverberate.errors import ReverberateError
from reverberate.model import Post
from reverberate.runtime import open_service, read_config
from reverberate.web import serve
from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """\
[service]
listen = "127.0.0.1:1"

[accounts.one]
network = "memory"

[accounts.two]
network = "memory"
when = "'release' in post.tags"

[sources.blog]
type = "feed"
url = "http://127.0.0.1:9/feed.xml"
"""
POST = """\
---
title: A post
url: https://blog.example/a-post
summary: What it says.
tags: [x]
reverberate: {one: {text: Own words}}
---
Text.
"""


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


def invoke(*arguments: str) -> Said:
    """A command of ours in this process, as ``main`` would end it."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    if isinstance(result.exception, ReverberateError):
        return Said(1, result.stdout, f"reverberate: {result.exception}\n{result.stderr}")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


@dataclass(frozen=True)
class Both:
    """One installation, asked here (its config) and from elsewhere (its address)."""

    config: str
    server: str
    token: str
    post: str

    def here(self, *arguments: str) -> Said:
        """Asked on its own machine."""
        return invoke("--config", self.config, *arguments)

    def elsewhere(self, *arguments: str) -> Said:
        """Asked from another, which has no config."""
        told = ("--config", "/nowhere/reverberate.toml", "--server", self.server, "--token", self.token)
        return invoke(*told, *arguments)

    def ask(self, *arguments: str, within: str = "") -> Any:
        """What both say; it must be the same, in JSON and for people."""
        local, remote = self.here(*arguments), self.elsewhere(*arguments)
        assert (remote.code, _unhurried(remote.out), remote.err) == (local.code, _unhurried(local.out), local.err)
        assert within in local.out + local.err
        if local.code == 2:
            return None
        local, remote = self.here(*arguments, "--json"), self.elsewhere(*arguments, "--json")
        assert (remote.code, _timeless(remote.out), remote.err) == (local.code, _timeless(local.out), local.err)
        return json.loads(local.out) if local.out else None


def _unhurried(text: str) -> list[str]:
    """Without how late it is when it is asked."""
    return [line.rstrip() for line in text.splitlines() if " s late." not in line]


def _timeless(text: str) -> Any:
    """The document, without what depends on when it is asked."""
    return _without(json.loads(text)) if text else None


def _without(node: Any) -> Any:
    if isinstance(node, list):
        return [_without(each) for each in node]
    if not isinstance(node, dict):
        return node
    gone = {"at", "lateness"} | ({"due"} if "parts" in node else set())
    return {key: _without(value) for key, value in node.items() if key not in gone}


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who asks from elsewhere reads times on a clock of their own; here it is the site's."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """For tests that do not mind what others have done."""
    with _both(tmp_path_factory.mktemp("here")) as one:
        yield one


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Both]:
    """Where nothing was published yet."""
    with _both(tmp_path) as one:
        yield one


@contextmanager
def _both(folder: Path) -> Iterator[Both]:
    config, post = folder / "reverberate.toml", folder / "post.md"
    port = free_port()
    config.write_text(CONFIG, encoding="utf-8")
    post.write_text(POST, encoding="utf-8")
    made = json.loads(invoke("--config", str(config), "token", "create", "laptop", "--scope", "admin", "--json").out)
    with open_service(read_config(config)) as service, serve(service, listen=f"127.0.0.1:{port}") as server:
        yield Both(str(config), server, made["token"], str(post))


def test_all_that_is_told_is_told_alike(fresh: Both) -> None:
    published = json.loads(fresh.elsewhere("publish", fresh.post, "--json").out)
    assert published["new"] is True
    assert fresh.ask("publish", fresh.post)["new"] is False
    assert [row["parts"][0]["text"] for row in fresh.ask("preview", fresh.post, "--account", "one")] == [
        "Own words\n\nhttps://blog.example/a-post"
    ]
    fresh.ask("preview", "1")
    fresh.ask("posts", within="blog.example/a-post")
    fresh.ask("shares", "--state", "scheduled", "--state", "skipped", "--limit", "1", within="there are more")
    fresh.ask("shares", "--since", "7d", "--post", "1", "--source", "publish")
    assert fresh.ask("share", "show", "1")["post"] == 1
    fresh.ask("accounts", within="memory")
    fresh.ask("sources", within="blog")
    fresh.ask("events", "--account", "one")
    fresh.ask("why", "1", "two", within="does not hold")
    assert [row["account"] for row in fresh.ask("status")["next"]] == ["one"]
    assert fresh.ask("stats", "--days", "7") == {"accounts": [], "posts": [], "hours": []}
    assert [row["name"] for row in fresh.ask("token", "list")] == ["laptop"]


def test_what_is_to_come_is_told_alike(fresh: Both) -> None:
    made = json.loads(fresh.elsewhere("publish", fresh.post, "--at", "2099-12-24 09:00", "--json").out)
    for post in (fresh.post, "1"):
        here, there = (json.loads(ask("plan", post, "--json").out) for ask in (fresh.here, fresh.elsewhere))
        assert _without(here) == _without(there)  # what would be shared now is due now
        assert [(row["state"], row["title"]) for row in there["shares"]] == [
            ("scheduled", "A post"),
            ("skipped", "A post"),
        ]
    assert {row["due"] for row in made["shares"] if row["state"] == "scheduled"} == {"2099-12-24T09:00:00Z"}
    plan = fresh.ask("plan", within="2099-12-24T09:00:00+00:00 one [scheduled] A post")
    assert [row["parts"] for row in plan["shares"]] == [["Own words\n\nhttps://blog.example/a-post"]]
    fresh.ask("plan", "--apply")
    fresh.ask("schedule", "one", "--next", "3", "--from", "2099-01-01 09:00")


def test_a_share_is_reworded_and_taken_back_from_elsewhere(fresh: Both) -> None:
    fresh.here("publish", fresh.post, "--at", "2099-12-24 09:00")

    assert fresh.elsewhere("share", "edit", "1", "--text", "Other words").out == "share 1 says that now\n"
    fresh.ask("share", "show", "1", within="Other words")
    assert fresh.elsewhere("share", "reschedule", "1", "2099-12-25 09:00").code == 0
    assert [row["at"] for row in fresh.ask("plan")["shares"]] == ["2099-12-25T09:00:00+00:00"]
    for wrong in (("edit", "1"), ("edit", "1", "--text", "x" * 90_000), ("delete", "1"), ("delete", "999")):
        local, remote = fresh.here("share", *wrong), fresh.elsewhere("share", *wrong)
        assert local == remote, wrong
        assert local.code == 1


def test_a_token_is_made_and_ended_from_elsewhere(fresh: Both) -> None:
    made = json.loads(fresh.elsewhere("token", "create", "phone", "--days", "1", "--json").out)
    phone = ("--server", fresh.server, "--token", made["token"])

    assert invoke(*phone, "posts").code == 0
    assert "needs a token with the scope admin" in invoke(*phone, "token", "list").err
    assert fresh.elsewhere("token", "revoke", "phone").out == "phone is revoked\n"
    assert "not known here" in invoke(*phone, "posts").err


def test_a_share_is_changed_from_elsewhere(both: Both) -> None:
    both.here("publish", both.post)
    done = both.elsewhere("share", "cancel", "1")
    assert (done.code, done.out) == (0, "share 1 is cancelled\n")
    both.ask("share", "show", "1", within="cancelled by hand")
    assert both.elsewhere("share", "retry", "1").code == 0
    assert both.elsewhere("resume", "one").out == "one goes on\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ("share", "show", "999"),
        ("why", "1", "nobody"),
        ("why", "999", "one"),
        ("preview", "999"),
        ("shares", "--cursor", "nonsense"),
        ("posts", "--since", "yesterday"),
        ("poll", "blog"),
    ],
)
def test_what_is_wrong_is_said_alike(both: Both, wrong: tuple[str, ...]) -> None:
    both.ask(*wrong)


def test_a_wrong_share_is_refused_with_the_same_words(both: Both) -> None:
    both.here("publish", both.post)

    assert both.elsewhere("share", "resolve", "2", "--sent") == both.here("share", "resolve", "2", "--sent")


def test_what_works_on_the_installation_itself_says_so(both: Both) -> None:
    for command in (("backup", "x"), ("check",), ("notices",), ("up",), ("stats", "--csv")):
        done = both.elsewhere(*command)

        assert done.code == 2, command
        assert "leave out --server" in " ".join(done.err.split())


def test_a_server_without_a_token_or_with_a_wrong_one_is_said(both: Both) -> None:
    assert invoke("--server", both.server, "posts").err.startswith("reverberate: a server needs a token")
    assert "not known here" in invoke("--server", both.server, "--token", "x", "posts").err


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("http://reverberate.example", "in the clear"),
        ("http://127.0.0.1.reverberate.example", "in the clear"),
        ("ftp://reverberate.example", "no server's address"),
        ("reverberate.example", "no server's address"),
        ("https://user:secret@reverberate.example", "no server's address"),
    ],
)
def test_a_token_goes_over_no_open_line(server: str, words: str) -> None:
    with pytest.raises(ReverberateError, match=words) as said:
        Remote(server, "rvb_token")

    assert "rvb_token" not in str(said.value)
    assert "secret" not in repr(Remote("http://localhost", "rvb_token"))


def test_who_insists_may_send_it_in_the_clear() -> None:
    Remote("http://reverberate.example", "x", insecure=True)
    Remote("http://[::1]:8640", "x")


def test_a_server_that_is_away_is_said() -> None:
    with pytest.raises(ReverberateError, match="cannot be reached: Connection refused"):
        Remote(f"http://127.0.0.1:{free_port()}", "x").publish(Post(url="https://blog.example/1", title="One"))
