"""Tumblr, in its Neue Post Format. Source: github.com/tumblr/docs, api.md and npf-spec.md."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    body_of,
    json_object,
    missing_is_fine,
    only_part,
    same_link,
)
from reverberate.networks.flows import OAuth1Flow
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests
    from requests_oauthlib import OAuth1

    from reverberate.model import Delivery, Message, Picture

HASHTAGS = re.compile(r"\s*#\S+(?:\s+#\S+)*\s*")
DAILY = {8004, 8011, 8022, 8023}
"""A limit of the day (pictures, films, the queue, posts) is used up."""
DAY = timedelta(hours=6)
TRANSCODING = {8006, 8009, 8010}
"""The upload failed, or an earlier one is still being worked on: nothing was posted."""


class TumblrSettings(NetworkSettings):
    """One blog, by OAuth 1.0a."""

    consumer_key: Secret = Field(description="Of your app, from tumblr.com/oauth/apps")
    consumer_secret: Secret = Field(description="Of your app.")
    access_token: Secret = Field(description="The OAuth token of your account.")
    access_token_secret: Secret = Field(description="The OAuth token's secret.")
    blog: str = Field(pattern=r"^[\w.-]+$", description="The blog's name or host, e.g. you or you.tumblr.com")
    api_base: str = Field(default="https://api.tumblr.com", description="Where the API is.")
    web_base: str = Field(default="https://www.tumblr.com", description="Where people read it.")


class Tumblr(Network):
    """Posts text blocks and a link block; a last line of hashtags becomes the post's tags."""

    name, title, assurance = "tumblr", "Tumblr", Assurance.READABLE
    limit, Settings = LIMITS["tumblr"], TumblrSettings
    card, carries = True, frozenset({"card", "attach"})
    settings: TumblrSettings

    @classmethod
    def flow(cls, settings: NetworkSettings) -> OAuth1Flow:  # noqa: ARG003 - the same for all
        """See Connects."""
        base = "https://www.tumblr.com/oauth"
        return OAuth1Flow(
            request_url=f"{base}/request_token", authorize_url=f"{base}/authorize", access_url=f"{base}/access_token"
        )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        return self._put("POST", "/posts", delivery)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the blog's newest posts, by their link and the time."""
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        for post in self._blog("GET", "/posts", params={"npf": "true", "limit": "20"}).json()["response"]["posts"]:
            links = [str(block.get("url") or block.get("text") or "") for block in post.get("content", [])]
            young = datetime.fromtimestamp(post["timestamp"], tz=UTC) >= since.replace(microsecond=0)
            if young and any(same_link(text, delivery.message.link) for text in links):
                return self._receipt(str(post.get("id_string") or post["id"]))
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        return self._put("PUT", f"/posts/{receipt.remote_id}", delivery)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes."""
        with missing_is_fine():
            self._blog("POST", "/post/delete", data={"id": receipt.remote_id})

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts."""
        params = {"id": receipt.remote_id, "mode": "conversation"}
        notes = self._blog("GET", "/notes", params=params).json()["response"]
        likes, reblogs, replies = (notes.get(f"total_{kind}") for kind in ("likes", "reblogs", "replies"))
        return Reactions(likes=likes, reposts=reblogs, replies=replies)

    def verify(self) -> Standing:
        """See Verifies: who we are, whether the blog is ours, and what is left of today's posts."""
        user = self._call("GET", "/v2/user/info").json()["response"]["user"]
        name = self.settings.blog.removesuffix(".tumblr.com")
        hosts = {
            host
            for blog in user["blogs"]
            for host in (blog["name"], re.sub(r"^https?://|/.*", "", blog.get("url", "")))
        }
        troubles = () if {name, self.settings.blog} & hosts else (f"{user['name']} has no blog {self.settings.blog}",)
        limits = self._call("GET", "/v2/user/limits").json()["response"].get("user", {}).get("posts", {})
        notes = (f"{limits['remaining']} of {limits['limit']} posts left today",) if "remaining" in limits else ()
        return Standing(who=f"{user['name']}, blog {self.settings.blog}", troubles=troubles, notes=notes)

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; by Tumblr's own codes too."""
        words, status, codes = self.words(response), response.status_code, _codes(response)
        if codes & DAILY:
            return RateLimited(words, status=status, until=self.now() + DAY)
        if codes & TRANSCODING:
            return Transient(words, status=status, after=timedelta(minutes=1))
        if status == 429:
            return RateLimited(words, status=status, until=self._until(response))
        if status == 403 or (status == 404 and str(response.request.url).endswith("/posts")):
            return Unauthorised(words, status=status)
        return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network: Tumblr wraps its words in ``meta`` and ``errors``."""
        errors = [f"{one.get('detail') or one.get('title')} (code {one.get('code')})" for one in _errors(response)]
        meta = body_of(response).get("meta")
        return "; ".join(errors) or (
            str(meta["msg"]) if isinstance(meta, dict) and meta.get("msg") else super().said(response)
        )

    def _until(self, response: requests.Response) -> datetime | None:
        """By the headers of the hour and of the day, in seconds left, where that limit is used up."""
        headers = response.headers
        used = [kind for kind in ("Perhour", "Perday") if headers.get(f"X-Ratelimit-{kind}-Remaining") == "0"]
        seconds = [headers.get(f"X-Ratelimit-{kind}-Reset", "") for kind in used]
        found = [wait_until({"Retry-After": one}, now=self.now()) for one in seconds]
        return max(filter(None, found), default=wait_until(headers, now=self.now()))

    def _put(self, method: str, path: str, delivery: Delivery) -> Receipt:
        body, files = _post(delivery.message)
        if not files:
            return self._receipt(_id(json_object(self._blog(method, path, json=body))))
        parts: dict[str, Any] = {"json": (None, json.dumps(body), "application/json")}
        parts |= {name: (name, delivery.load(one.digest), one.mime) for name, one in files.items()}
        return self._receipt(_id(json_object(self._blog(method, path, files=parts))))

    def _blog(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self._call(method, f"/v2/blog/{self.settings.blog}{path}", **kwargs)

    def _call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.call(method, self.settings.api_base.rstrip("/") + path, auth=self._oauth(), **kwargs)

    def _oauth(self) -> OAuth1:
        from requests_oauthlib import OAuth1  # noqa: PLC0415 - slow to import, and only sending needs it

        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return OAuth1(*(getattr(self.settings, name).reveal() for name in names))

    def _receipt(self, number: str) -> Receipt:
        name = self.settings.blog.removesuffix(".tumblr.com")
        return Receipt(remote_id=number, permalink=f"{self.settings.web_base.rstrip('/')}/{name}/{number}")


def _post(message: Message) -> tuple[dict[str, Any], dict[str, Picture]]:
    """The post, and its pictures by the names under which it mentions them."""
    *paragraphs, last = re.split(r"\n{2,}", only_part(message).strip())
    tagged = bool(HASHTAGS.fullmatch(last))
    texts = paragraphs if tagged else [*paragraphs, last]
    tags = ",".join(tag.removeprefix("#") for tag in last.split()) if tagged else ""
    files = {f"picture{n}": one for n, one in enumerate(message.pictures)}
    pictures = [_media(name, one) for name, one in files.items()]
    content = [
        *(
            {"type": "image", "media": [media], "alt_text": one.alt}
            for media, one in zip(pictures, files.values(), strict=True)
        ),
        *({"type": "text", "text": text} for text in texts),
        *_link(message, files),
    ]
    heading = next((block for block in content if block["type"] == "text"), None)
    if heading and message.card and heading["text"] == message.card.title:
        heading["subtype"] = "heading1"
    return {"content": content, "tags": tags, "state": "published"}, files


def _link(message: Message, files: dict[str, Picture]) -> list[dict[str, Any]]:
    """The link block; its picture joins ``files``."""
    card = message.card
    if card is None:
        return []
    block: dict[str, Any] = {"type": "link", "url": card.url}
    block |= {name: value for name, value in (("title", card.title), ("description", card.description)) if value}
    if card.picture:
        files["poster"] = card.picture
        block["poster"] = [_media("poster", card.picture)]
    return [block]


def _media(name: str, picture: Picture) -> dict[str, Any]:
    return {"type": picture.mime, "identifier": name, "width": picture.width, "height": picture.height}


def _id(answer: Mapping[str, Any]) -> str:
    response = answer.get("response")
    if not isinstance(response, dict) or not response.get("id"):
        raise Unsure("Tumblr answered with success and without the post's id")
    return str(response.get("id_string") or response["id"])


def _errors(response: requests.Response) -> list[Mapping[str, Any]]:
    errors = body_of(response).get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _codes(response: requests.Response) -> set[int]:
    return {one["code"] for one in _errors(response) if isinstance(one.get("code"), int)}
