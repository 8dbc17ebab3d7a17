"""Twitter / X, through tweepy. Source: docs.x.com, Create or Edit Post, Rate limits, Response codes and errors."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from pydantic import Field

from reverberate.errors import Duplicate, Outcome, OutOfCredit, Refused, Unauthorised, Unsure
from reverberate.http import READS, Session
from reverberate.model import Assurance, Receipt
from reverberate.networks.base import Network, NetworkSettings, json_object, only_part, parse_instant, same_link
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    import tweepy

    from reverberate.model import Delivery

TWEEPYS_HOST = "https://api.twitter.com"
CLOCKS_DIFFER = timedelta(minutes=2)


class TwitterSettings(NetworkSettings):
    """One account, by OAuth 1.0a: the four keys of an app of its owner's own."""

    consumer_key: Secret = Field(description="API key of your app, from console.x.com")
    consumer_secret: Secret = Field(description="API key secret.")
    access_token: Secret = Field(description="Access token with read and write.")
    access_token_secret: Secret = Field(description="Access token secret.")
    username: str = Field(default="", description="Without @; makes permalinks nicer.")
    api_base: str = Field(default="https://api.x.com", description="Where the API is.")
    web_base: str = Field(default="https://x.com", description="Where people read it.")


class _Elsewhere(Session):
    """tweepy names its host itself; this takes the request to ours, before it is signed."""

    base = ""
    answer: requests.Response | None = None

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests does it; a write is never redirected."""
        self.answer = None
        kwargs["allow_redirects"] = method in READS
        self.answer = super().request(method, str(url).replace(TWEEPYS_HOST, self.base, 1), *args, **kwargs)
        return self.answer


class Twitter(Network):
    """Posts through API v2. X refuses the same text twice, so a repeat is never posted unseen."""

    name, title, assurance = "twitter", "Twitter / X", Assurance.REFUSES
    limit, Settings = LIMITS["twitter"], TwitterSettings
    settings: TwitterSettings
    session: _Elsewhere
    _me: str = ""

    def make_session(self) -> Session:
        """See Network."""
        session = _Elsewhere(secrets=self.secrets())
        session.base = self.settings.api_base.rstrip("/")
        return session

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        text = only_part(delivery.message)
        answer = self._ask(lambda client: client.create_tweet(text=text, user_auth=True), writes=True)
        data = json_object(answer).get("data")
        if not isinstance(data, dict) or not data.get("id"):
            raise Unsure("X answered with success and without the post's id", status=answer.status_code)
        return self._receipt(data["id"])

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: our newest posts, by the link behind X's own short one, and the time."""
        since, link = (delivery.since or delivery.planned) - CLOCKS_DIFFER, delivery.message.link
        fields, leave = ["created_at", "entities"], ["retweets", "replies"]
        user = self._my_id()
        answer = self._ask(
            lambda client: client.get_users_tweets(
                user, max_results=20, tweet_fields=fields, exclude=leave, user_auth=True
            )
        )
        for post in answer.json().get("data", []):
            urls = [
                one.get(key, "")
                for one in post.get("entities", {}).get("urls", [])
                for key in ("expanded_url", "unwound_url")
            ]
            if parse_instant(post["created_at"]) >= since and any(
                same_link(text, link) for text in (post["text"], *urls)
            ):
                return self._receipt(post["id"])
        return None

    def verify(self) -> str:
        """See Verifies."""
        me = self._ask(lambda client: client.get_me(user_auth=True)).json()["data"]
        return f"@{me['username']}"

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        words, status = self.words(response), response.status_code
        problem = _problem(response)
        if status == 403 and "duplicate content" in words:
            return Duplicate(words, status=status)
        if status in {403, 429} and problem.endswith(("/usage-capped", "/spend-capped")):
            return OutOfCredit(words, status=status)
        if status == 403 and problem.endswith(
            ("/unsupported-authentication", "/client-forbidden", "/oauth1-permissions")
        ):
            return Unauthorised(words, status=status)
        return super().outcome(response, writes=writes)

    def _my_id(self) -> str:
        # an OAuth 1.0a access token begins with its user's id; asking costs a read that X charges for
        if not self._me and (match := re.match(r"(\d+)-", self.settings.access_token.reveal())):
            self._me = match[1]
        if not self._me:
            self._me = self._ask(lambda client: client.get_me(user_auth=True)).json()["data"]["id"]
        return self._me

    def _ask(self, call: Callable[[tweepy.Client], requests.Response], *, writes: bool = False) -> requests.Response:
        import tweepy  # noqa: PLC0415 - slow to import, and only sending needs it

        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        keys = {name: getattr(self.settings, name).reveal() for name in names}
        client = tweepy.Client(**keys, return_type=requests.Response, wait_on_rate_limit=False)
        client.session = self.session
        self.session.answer = None
        with suppress(tweepy.TweepyException, AttributeError, TypeError, ValueError):
            return call(client)  # tweepy raises for an error, and trips over one that it cannot read
        if self.session.answer is None:
            raise Refused("tweepy could not make the request")
        raise self.outcome(self.session.answer, writes=writes)

    def _receipt(self, remote_id: str) -> Receipt:
        owner = self.settings.username.lstrip("@") or "i/web"
        return Receipt(
            remote_id=remote_id, permalink=f"{self.settings.web_base.rstrip('/')}/{owner}/status/{remote_id}"
        )


def _problem(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("type", "")) if isinstance(body, dict) else ""
