"""What people made of a post, in each vendor's own words; and when to ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.errors import Refused
from reverberate.model import Reactions, Receipt
from reverberate.networks.base import Counts
from reverberate.networks.bluesky import Bluesky, BlueskySettings
from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.networks.twitter import Twitter, TwitterSettings
from reverberate.secrets import Secret
from reverberate.statistics import ASKS, next_ask
from reverberate.testing import Asked, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.networks.base import Network

TOKEN = Secret("env", "TOKEN")
URI = "at://did:plc:a/app.bsky.feed.post/3k"
SESSION = {"did": "did:plc:a", "handle": "h", "accessJwt": "access token", "refreshJwt": "refresh token"}


def mastodon(url: str) -> Network:
    return Mastodon("a", MastodonSettings(instance=url, access_token=TOKEN))


def bluesky(url: str) -> Network:
    return Bluesky("a", BlueskySettings(handle="h", app_password=TOKEN, api_base=url))


def twitter(url: str) -> Network:
    keys = dict.fromkeys(("consumer_key", "consumer_secret", "access_token", "access_token_secret"), TOKEN)
    return Twitter("a", TwitterSettings(**keys, api_base=url))  # type: ignore[arg-type]  # pydantic checks them


STATUS = {"id": "1", "favourites_count": 3, "reblogs_count": 2, "replies_count": 1}
VIEW = {"posts": [{"uri": URI, "likeCount": 3, "repostCount": 2, "replyCount": 1, "quoteCount": 9}]}
METRICS = {"retweet_count": 1, "quote_count": 1, "reply_count": 1, "like_count": 3, "bookmark_count": 8}
CASES = [
    pytest.param(mastodon, "1", "/api/v1/statuses/1", STATUS, id="mastodon"),
    pytest.param(bluesky, URI, "/xrpc/app.bsky.feed.getPosts?uris=at%3A%2F%2Fdid", VIEW, id="bluesky"),
    pytest.param(
        twitter,
        "1",
        "/2/tweets/1?tweet.fields=public_metrics",
        {"data": {"id": "1", "public_metrics": METRICS}},
        id="x",
    ),
]


@pytest.mark.parametrize(("make", "remote_id", "target", "body"), CASES)
def test_reactions_are_read_from_the_vendors_answer(
    make: Callable[[str], Network], remote_id: str, target: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a token of ours")

    def answer(asked: Asked) -> Reply:
        return Reply(body=json.dumps(SESSION if "createSession" in asked.target else body).encode())

    with ScriptedServer(answer) as server:
        network = make(server.url)
        assert isinstance(network, Counts)
        found = network.reactions(Receipt(remote_id=remote_id))

    assert found == Reactions(likes=3, reposts=2, replies=1)
    assert server.asked[-1].method == "GET"
    assert server.asked[-1].target.startswith(target)


@pytest.mark.parametrize(("make", "body"), [(bluesky, {"posts": []}), (twitter, {"errors": [{"title": "Not Found"}]})])
def test_a_post_that_is_gone_is_not_asked_for_again(
    make: Callable[[str], Network], body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a token of ours")

    def answer(asked: Asked) -> Reply:
        return Reply(body=json.dumps(SESSION if "createSession" in asked.target else body).encode())

    with ScriptedServer(answer) as server, pytest.raises(Refused) as caught:
        make(server.url).reactions(Receipt(remote_id=URI))  # type: ignore[attr-defined]  # both count

    assert caught.value.status == 404


def test_a_network_is_asked_ever_more_seldom_and_then_no_more() -> None:
    sent = datetime(2026, 5, 1, tzinfo=UTC)
    at, asked = sent, []
    while (again := next_ask(sent, now=at)) is not None:
        at = again
        asked.append(at - sent)

    assert tuple(asked) == ASKS
    assert next_ask(sent, now=sent + timedelta(days=4)) == sent + timedelta(days=7)


def test_x_is_not_asked_unless_its_owner_says_so() -> None:
    assert not Twitter.counting
    assert Mastodon.counting
