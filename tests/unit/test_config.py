"""The config: typed, and every problem told at once with file, line and hint."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import config
from reverberate.config_schema import json_schema
from reverberate.errors import ConfigError
from support.plugins import NETWORKS, SOURCES

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
[site]
title = "Blog"
timezone = "Europe/Berlin"

[sources.blog]
type = "box"
url = "https://blog.example/feed.xml"
every = "10m"
backfill = 2

[accounts.one]
network = "toy"
token = { env = "TOKEN" }
when = "'release' in post.tags"
schedule = { delay = "10m", quiet = "22:00-07:00" }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reverberate.toml"


def load(path: Path, text: str) -> config.Config:
    path.write_text(text, encoding="utf-8")
    return config.load(path, networks=NETWORKS, sources=SOURCES)


def problems(path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, text)
    return [line.replace(str(path), "F") for line in caught.value.problems]


def test_a_good_config_is_read(path: Path) -> None:
    loaded = load(path, GOOD)

    account, source = loaded.accounts["one"], loaded.sources["blog"]
    assert (account.network, account.when) == ("toy", "'release' in post.tags")
    assert account.schedule.delay == timedelta(minutes=10)
    assert (source.every, source.backfill, source.flood) == (timedelta(minutes=10), 2, 10)
    assert loaded.zone.key == "Europe/Berlin"
    assert loaded.database_url() == f"sqlite:///{path.parent / 'data' / 'reverberate.db'}"


def test_an_empty_config_is_a_config(path: Path) -> None:
    assert load(path, "").accounts == {}


def test_every_problem_is_told_at_once_with_its_line(path: Path) -> None:
    text = """\
[site]
timezone = "Europe/Berlim"
tittle = "x"

[accounts.one]
network = "toi"
token = "verbatim-secret"

[accounts.two]
network = "toy"
tokn = { env = "T" }
schedule = { dealy = "10m", quiet = "late" }

[accounts.Three]
network = "toy"

[sources.blog]
url = 3

[acounts.x]
network = "toy"
"""
    found = problems(path, text)

    assert found == [
        'F:2: site.timezone: a time zone has a name like "Europe/Berlin"',
        "F:3: site.tittle: unknown key (did you mean 'title'?)",
        "F:6: accounts.one.network: unknown kind 'toi' (did you mean 'toy'?)",
        "F:9: accounts.two.token: is missing",
        "F:11: accounts.two.tokn: unknown key (did you mean 'token'?)",
        "F:12: accounts.two.schedule.dealy: unknown key (did you mean 'delay'?)",
        "F:12: accounts.two.schedule.quiet: quiet hours are written like \"22:00-07:00\", not 'late'",
        "F:14: accounts.Three: a name has small letters, digits, - and _ only",
        "F:17: sources.blog.type: is missing",
        "F:20: acounts: unknown table (did you mean 'accounts'?)",
    ]


def test_a_secret_in_the_clear_is_refused_and_not_repeated(path: Path) -> None:
    (line,) = problems(path, '[accounts.one]\nnetwork = "toy"\ntoken = "verbatim-secret"\n')

    assert "by reference" in line
    assert "verbatim-secret" not in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[site\n", "F: not valid TOML"),
        ("accounts = 3\n", "F:1: accounts: expected tables like [accounts.name]"),
        ("[accounts]\none = 3\n", "F:2: accounts.one: expected a table [accounts.one]"),
        ('[service]\nlisten = "here"\n', "F:2: service.listen: "),
        ('[sources.b]\ntype = "box"\nurl = "u"\nevery = "soon"\n', "F:4: sources.b.every: a length of time"),
        ('[sources.b]\ntype = "box"\nurl = "u"\nevery = 5\n', "F:4: sources.b.every: a length of time is a text"),
        ('[sources.b]\ntype = "box"\nurl = "u"\nbackfill = -1\n', "F:4: sources.b.backfill: "),
        ('site = "x"\n', "F:1: site: "),
    ],
)
def test_each_fault_has_its_line(path: Path, text: str, words: str) -> None:
    (line,) = problems(path, text)

    assert line.startswith(words)


def test_a_file_that_is_not_there_says_how_to_make_one(path: Path) -> None:
    with pytest.raises(ConfigError, match="reverberate init"):
        config.load(path, networks=NETWORKS, sources=SOURCES)


def test_a_file_that_is_no_text_is_told(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(path, networks=NETWORKS, sources=SOURCES)


def test_missing_secrets_are_told_by_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    loaded = load(path, GOOD)

    assert config.missing_secrets(loaded) == [f"{path}: accounts.one.token: the environment variable TOKEN is not set"]
    monkeypatch.setenv("TOKEN", "x")
    assert config.missing_secrets(loaded) == []


def test_addresses_come_from_the_config_else_the_environment_else_a_file_it_names(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = path.parent / "url"
    secret.write_text("redis://from-file\n", encoding="utf-8")
    monkeypatch.setenv("REDIS_URL_FILE", str(secret))
    assert load(path, "").redis_url() == "redis://from-file"
    monkeypatch.delenv("REDIS_URL_FILE")
    monkeypatch.setenv("REDIS_URL", "redis://from-env")
    assert load(path, "").redis_url() == "redis://from-env"
    monkeypatch.setenv("MINE", "redis://from-config")
    assert load(path, '[service]\nredis = { env = "MINE" }\n').redis_url() == "redis://from-config"


def test_the_schema_knows_every_network_and_its_keys() -> None:
    schema = json_schema(networks=NETWORKS, sources=SOURCES)

    (toy,) = schema["properties"]["accounts"]["additionalProperties"]["oneOf"]
    assert toy["properties"]["network"] == {"const": "toy"}
    assert {"token", "colour", "when", "schedule"} <= set(toy["properties"])
    assert toy["required"] == ["network", "token"]
    assert "$ref" not in str(schema)


def test_notices_and_statistics_are_tables_of_their_own(path: Path) -> None:
    path.write_text(
        '[notices.me]\ntype = "email"\nhost = "mail.example"\nsender = "a@b.example"\nto = ["me@b.example"]\n'
        'on = ["paused"]\nevery = "1h"\n'
        '[notices.hook]\ntype = "webhook"\nurl = "https://x.example"\nsecret = { env = "HOOK" }\n'
        "[statistics]\nper_hour = 5\n",
        encoding="utf-8",
    )
    loaded = config.load(path, networks=NETWORKS, sources=SOURCES)

    assert loaded.notices["me"].on == ("paused",)
    assert loaded.notices["hook"].secret.place == "HOOK"  # type: ignore[union-attr]  # it is the webhook's table
    assert loaded.statistics.per_hour == 5


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('type = "fax"', "unknown type 'fax' (known are: email, webhook, apprise)"),
        ('host = "x"', "notices.n.type: is missing"),
        ('type = "webhook"\nurl = "https://x"\nsecret = {env="X"}\non = ["pause"]', "there is no kind 'pause'"),
        ('type = "email"\nhost = "x"\nsender = "a@b"\nto = []', "notices.n.to:"),
        (
            'type = "email"\nhost = "x"\nsender = "a@b"\nto = ["a@b"]\nusername = "u"\npassword = {env="P"}\nsecurity = "none"',
            "a password needs security",
        ),
    ],
)
def test_a_notice_table_that_cannot_work_is_said(path: Path, lines: str, words: str) -> None:
    path.write_text(f"[notices.n]\n{lines}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        config.load(path, networks=NETWORKS, sources=SOURCES)

    assert words in str(caught.value)
