"""A network of two ways: the class that the settings choose decides over assurance, abilities, limit and template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverberate.accounts import Accounts, limit_of
from reverberate.catalogue import rows
from reverberate.config import load
from reverberate.model import Assurance, Post
from reverberate.networks import networks
from reverberate.networks.base import Connects
from reverberate.networks.flows import OAuth1Flow, OAuth2Flow, PasteFlow
from reverberate.rendering import Renderer
from reverberate.sources import sources
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[accounts.hook]
network = "discord"
webhook = { env = "HOOK" }

[accounts.bot]
network = "discord"
bot_token = { env = "BOT" }
channel = "12"

[accounts.receiver]
network = "webhook"
url = "https://hook.example"
secret = { env = "SECRET" }
deduplicates = true

[accounts.links]
network = "reddit"
access_token = { env = "REDDIT" }
subreddit = "u_alice"

[accounts.texts]
network = "reddit"
access_token = { env = "REDDIT" }
subreddit = "u_alice"
kind = "self"

[accounts.channel]
network = "telegram"
token = { env = "TELEGRAM" }
chat = "@alice_blog"

[accounts.photos]
network = "telegram"
token = { env = "TELEGRAM" }
chat = "@alice_blog"
picture = "attach"
"""
KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
POST = Post(url="https://example.org/1", title="A title", summary="word " * 400, tags=("blog",))


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    for name in ("BOT", "SECRET", "REDDIT", "TELEGRAM"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("HOOK", "https://discord.com/api/webhooks/1/made-up")
    path = tmp_path / "reverberate.toml"
    path.write_text(CONFIG, encoding="utf-8")
    config = load(path, networks=networks, sources=sources)
    return Accounts(config, Renderer([], zone=config.zone), networks=networks)


@pytest.mark.parametrize(
    ("account", "assurance", "finds", "always"),
    [
        ("hook", Assurance.BLIND, False, False),
        ("bot", Assurance.READABLE, True, False),
        ("receiver", Assurance.IDENTITY, False, True),
        ("links", Assurance.REFUSES, True, False),
        ("texts", Assurance.READABLE, True, False),
    ],
)
def test_the_policy_follows_the_way(
    accounts: Accounts, account: str, assurance: Assurance, finds: bool, always: bool
) -> None:
    ability = accounts.ability(account)

    assert (ability.assurance, ability.finds, ability.always) == (assurance, finds, always)
    assert type(accounts.network(account)) is accounts.kind(account)


def test_a_link_post_is_a_title_and_a_text_post_has_its_own_template(accounts: Accounts) -> None:
    link, _ = accounts.preview("links", POST)
    text, limit = accounts.preview("texts", POST)

    assert link.message.text == "A title"
    assert text.template == "reddit-self.txt (shipped)"
    assert text.message.text.startswith("A title\n\nword word")
    assert text.message.text.endswith(POST.url)
    assert limit.maximum == LIMITS["reddit_self"].maximum


@pytest.mark.parametrize(("account", "name"), [("channel", "telegram"), ("photos", "telegram_caption")])
def test_words_beside_a_picture_fit_a_caption(accounts: Accounts, account: str, name: str) -> None:
    draft, limit = accounts.preview(account, POST)

    assert limit == limit_of(accounts.kind(account), accounts.get(account)) == LIMITS[name]
    assert (len(draft.message.text) > 1024) == (account == "channel")


def test_each_way_is_listed_with_what_it_can_do() -> None:
    told = {row["title"]: row for row in rows(networks)}

    assert "find" in told["Discord bot"]["abilities"]
    assert "find" not in told["Discord webhook"]["abilities"]
    assert {told[title]["name"] for title in ("Discord bot", "Discord webhook")} == {"discord"}
    assert told["Webhook that deduplicates"]["assurance"] == Assurance.IDENTITY
    assert len(told) == len(rows(networks)), "two ways of the same title"


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("telegram", {"token": {"env": "A"}, "chat": "@alice"}, PasteFlow),
        ("discord", {"webhook": {"env": "A"}}, PasteFlow),
        ("discord", {"bot_token": {"env": "A"}, "channel": "1"}, PasteFlow),
        ("webhook", {"url": "https://a.example", "secret": {"env": "A"}}, PasteFlow),
        ("reddit", {"access_token": {"env": "A"}, "subreddit": "test"}, OAuth2Flow),
        ("pinterest", {"access_token": {"env": "A"}, "board_id": "1"}, OAuth2Flow),
        (
            "tumblr",
            {name: {"env": "A"} for name in KEYS} | {"blog": "alice"},
            OAuth1Flow,
        ),
    ],
)
def test_each_says_how_its_owner_signs_in(name: str, given: dict[str, Any], kind: type) -> None:
    network = networks.get(name)
    made = network.Settings(**given)
    way: Any = network.way(made)
    assert issubclass(way, Connects)
    flow = way.flow(made)

    assert isinstance(flow, kind)
    fills = [ask.setting for ask in flow.asks] if isinstance(flow, PasteFlow) else list(flow.fills.values())
    assert set(fills) <= set(network.Settings.model_fields)
    if not isinstance(flow, PasteFlow):
        addresses = [value for field, value in vars_of(flow) if field.endswith("_url") and value]
        assert all(address.startswith("https://") for address in addresses)


def vars_of(flow: OAuth1Flow | OAuth2Flow) -> list[tuple[str, Any]]:
    return [(name, getattr(flow, name)) for name in flow.__slots__]
