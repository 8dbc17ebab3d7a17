"""Twitter / X, through tweepy. Source: docs.x.com, Create or Edit Post, Rate limits, Response codes and errors."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import requests
from pydantic import Field, model_validator

from reverberate.baton import lent
from reverberate.errors import Duplicate, OutOfCredit, Refused, Unauthorised
from reverberate.http import READS, Session
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, body_of, missing_is_fine, read_object
from reverberate.networks.base import NetworkSettings
from reverberate.networks.flows import Flow, OAuth1Flow, OAuth2Flow
from reverberate.networks.likeness import parse_instant, says
from reverberate.networks.parts import Part, Threading, each_deleted, uploaded
from reverberate.networks.rest import REST, oauth1
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS
from reverberate.text.links import x_links

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import tweepy

    from reverberate.model import Delivery, Message, Picture
    from reverberate.networks.parts import File

TWEEPYS_HOST = "https://api.twitter.com"
PRICE, PRICE_WITH_LINK = 0.015, 0.20
"""USD a post, by docs.x.com, Pricing (pay per use)."""
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
MOST_PICTURES = 4
MEDIA_HOLDS = timedelta(hours=12)


class TwitterSettings(NetworkSettings):
    """One account, by an app of its owner's own: OAuth 1.0a with its four keys, or OAuth 2 with its client id."""

    consumer_key: Secret | None = Field(default=None, description="OAuth 1.0a: API key of your app, from console.x.com")
    consumer_secret: Secret | None = Field(default=None, description="OAuth 1.0a: API key secret.")
    client_id: str = Field(default="", description="OAuth 2: client id of your app; instead of the consumer key.")
    client_secret: Secret | None = Field(default=None, description="OAuth 2: client secret, if the app has one.")
    access_token: Secret = Field(description="Access token with read and write; { vault = true } after `connect`.")
    access_token_secret: Secret | None = Field(default=None, description="OAuth 1.0a: access token secret.")
    username: str = Field(default="", description="Without @; makes permalinks nicer.")
    api_base: str = Field(default="https://api.x.com", description="Where the API is.")
    web_base: str = Field(default="https://x.com", description="Where people read it.")
    price: float = Field(default=PRICE, ge=0, description="What X charges for a post without a link, in USD.")
    price_with_link: float = Field(default=PRICE_WITH_LINK, ge=0, description="And with a link.")

    @model_validator(mode="after")
    def _one_way(self) -> TwitterSettings:
        names = ("consumer_key", "consumer_secret", "access_token_secret")
        given = [name for name in names if getattr(self, name) is not None]
        if self.client_id and given:
            raise ValueError(f"client_id (OAuth 2) and {given[0]} (OAuth 1.0a) exclude each other")
        if missing := [name for name in names if name not in given and not self.client_id]:
            raise ValueError(f"{missing[0]} is missing; or give a client_id for OAuth 2")
        return self


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


class Twitter(Threading, REST):
    """Posts through API v2. X refuses the same text twice, so a repeat is never posted unseen."""

    name, title, assurance = "twitter", "Twitter / X", Assurance.REFUSES
    limit, Settings = LIMITS["twitter"], TwitterSettings
    counting = False
    verify_costs = True
    carries = frozenset({"attach"})  # the link card is X's own, from the page's tags
    settings: TwitterSettings
    session: _Elsewhere
    table = (
        Means(Duplicate, {403}, words=("duplicate content",)),
        Means(OutOfCredit, {403, 429}, {"usage-capped", "spend-capped"}),
        Means(Unauthorised, {403}, {"unsupported-authentication", "client-forbidden", "oauth1-permissions"}),
    )
    _me: str = ""

    @classmethod
    def flow(cls, settings: TwitterSettings) -> Flow:
        """See Connects. Source: docs.x.com, OAuth 2.0 Authorization Code Flow with PKCE; 3-legged OAuth flow."""
        api, web = settings.api_base.rstrip("/"), settings.web_base.rstrip("/")
        if settings.client_id:
            return OAuth2Flow(
                authorize_url=f"{web}/i/oauth2/authorize",
                token_url=f"{api}/2/oauth2/token",
                revoke_url=f"{api}/2/oauth2/revoke",
                scopes=SCOPES,
                client="basic" if settings.client_secret else "public",
            )
        return OAuth1Flow(
            request_url=f"{api}/oauth/request_token",
            authorize_url=f"{api}/oauth/authorize",
            access_url=f"{api}/oauth/access_token",
            revoke_url=f"{api}/1.1/oauth/invalidate_token",
        )

    def make_session(self) -> Session:
        """See Network."""
        session = _Elsewhere(secrets=self.secrets())
        session.base = self.root()
        return session

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """See Threading."""
        wanted: dict[str, Any] = {"text": escape(part.text, self.name)}
        if part.parent:
            wanted["in_reply_to_tweet_id"] = part.parent.remote_id
        if part.pictures:
            wanted["media_ids"] = [self._held(delivery, picture) for picture in part.pictures[:MOST_PICTURES]]
        answer = self._ask(lambda client: client.create_tweet(**wanted, user_auth=self._signs), writes=True)
        return self._receipt(body_of(answer, "data").get("id"))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:  # noqa: ARG002 - the part says it all
        """See Threading: our newest posts, by what they answer, by X's expanded link or the words, and by the time."""
        fields = ["created_at", "entities", "referenced_tweets"]
        leave = ["retweets"] if part.parent else ["retweets", "replies"]
        user = self._my_id()
        answer = self._ask(
            lambda client: client.get_users_tweets(
                user,
                max_results=100,  # of those since then: nearly always a few, and X charges for what it shows
                start_time=part.since,
                tweet_fields=fields,
                exclude=leave,
                user_auth=self._signs,
            )
        )
        for post in read_object(answer).get("data", []):
            if parse_instant(post["created_at"]) >= part.since and _answers(post, part) and _is(post, part):
                return self._receipt(post["id"])
        return None

    def price(self, message: Message) -> int:
        """See Network: what X charges for a post, with a link or without, for each part."""
        costs = (self.settings.price_with_link if x_links(part) else self.settings.price for part in message.parts)
        return round(sum(costs) * 1_000_000)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes; X says yes too where nothing is there."""

        def take_back(there: Receipt) -> None:
            with missing_is_fine():
                self._ask(lambda client: client.delete_tweet(there.remote_id, user_auth=self._signs), writes=True)

        each_deleted(delivery, receipt, take_back)

    def _held(self, delivery: Delivery, picture: Picture) -> str:
        """The id under which X holds a picture. Source: docs.x.com, Media upload v2 and Create media metadata."""

        def upload(file: File) -> Any:
            told = self.write("POST", "/2/media/upload", files={"media": file}, data={"media_category": "tweet_image"})
            number = str((told.get("data") or {}).get("id") or "")
            if number and picture.alt:
                described = {"id": number, "metadata": {"alt_text": {"text": picture.alt}}}
                self.api("POST", "/2/media/metadata", json=described)
            return number

        return str(uploaded(self, delivery, picture, upload, holds=MEDIA_HOLDS))

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """See REST; what tweepy does not do."""
        if not self._signs:
            return super().api(method, path, **more)
        return self.call(method, self.root() + path, auth=oauth1(self.settings), **more)

    @property
    def _signs(self) -> bool:
        """Whether requests are signed (OAuth 1.0a), not only carry the token (OAuth 2)."""
        return not self.settings.client_id

    def _keys(self) -> dict[str, str]:
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return {name: getattr(self.settings, name).reveal() for name in names}

    def verify(self) -> Standing:
        """See Verifies; X charges for it as for a read. What an OAuth 1.0a token may do stands in a header."""
        answer = self._ask(lambda client: client.get_me(user_auth=self._signs))
        reads = answer.headers.get("x-access-level") == "read"
        troubles = ("its token may only read: set the app's permissions to read and write, then make a new one",)
        return Standing(who=f"@{read_object(answer)['data']['username']}", troubles=troubles if reads else ())

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: X charges for each read. Source: docs.x.com, public metrics of a post."""
        wanted = {"tweet_fields": ["public_metrics"], "user_auth": self._signs}
        body = read_object(self._ask(lambda client: client.get_tweet(receipt.remote_id, **wanted)))
        if "data" not in body:
            raise Refused("the post is gone", status=404)
        told = body["data"].get("public_metrics", {})
        reposts = [told[name] for name in ("retweet_count", "quote_count") if name in told]
        return Reactions(
            likes=told.get("like_count"), reposts=sum(reposts) if reposts else None, replies=told.get("reply_count")
        )

    def codes(self, response: requests.Response) -> Sequence[int | str]:
        """See Network: the last word of the problem's address."""
        return [kind] if (kind := str(body_of(response).get("type", "")).rpartition("/")[2]) else []

    def _my_id(self) -> str:
        # an OAuth 1.0a access token begins with its user's id; asking costs a read that X charges for
        if self._signs and not self._me and (match := re.match(r"(\d+)-", self.settings.access_token.reveal())):
            self._me = match[1]
        if not self._me:
            self._me = read_object(self._ask(lambda client: client.get_me(user_auth=self._signs)))["data"]["id"]
        return self._me

    def _ask(self, call: Callable[[tweepy.Client], requests.Response], *, writes: bool = False) -> requests.Response:
        with lent():  # the first imports, and all others wait for that
            import tweepy  # noqa: PLC0415 - slow to import, and only sending needs it

        known = {"bearer_token": self.settings.access_token.reveal()} if not self._signs else self._keys()
        client = tweepy.Client(**known, return_type=requests.Response, wait_on_rate_limit=False)
        client.session = self.session
        self.session.answer = None
        with suppress(tweepy.TweepyException, AttributeError, TypeError, ValueError):
            return call(client)  # tweepy raises for an error, and trips over one that it cannot read
        if self.session.answer is None:
            raise Refused("tweepy could not make the request")
        raise self.outcome(self.session.answer, writes=writes)

    def _receipt(self, remote_id: str | None) -> Receipt:
        return self.receipt(remote_id, f"/{self.settings.username.lstrip('@') or 'i/web'}/status/{remote_id}")


def _answers(post: Mapping[str, Any], part: Part) -> bool:
    named = post.get("referenced_tweets") or post.get("referenced_posts") or []  # the old name, and X's newer one
    replied = [one["id"] for one in named if one.get("type") == "replied_to"]
    return replied == ([part.parent.remote_id] if part.parent else [])


def _is(post: Mapping[str, Any], part: Part) -> bool:
    shown = post.get("entities", {}).get("urls", [])
    urls = [one.get(key, "") for one in shown for key in ("expanded_url", "unwound_url")]
    return says(part.text, part.link, unescape(post["text"]), *urls)
