"""Tumblr, in its Neue Post Format. Source: github.com/tumblr/docs, api.md and npf-spec.md."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import RateLimited, Transient, Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, body_of, codes_in, missing_is_fine
from reverberate.networks.base import NetworkSettings, only_part
from reverberate.networks.flows import OAuth1Flow, always
from reverberate.networks.likeness import earliest, parse_instant, same_link
from reverberate.networks.parts import file_of
from reverberate.networks.rest import REST, oauth1
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import requests

    from reverberate.model import Delivery, Message, Picture

HASHTAGS = re.compile(r"\s*#\S+(?:\s+#\S+)*\s*")
SIGN_IN = "https://www.tumblr.com/oauth"


class TumblrSettings(NetworkSettings):
    """One blog, by OAuth 1.0a."""

    consumer_key: Secret = Field(description="Of your app, from tumblr.com/oauth/apps")
    consumer_secret: Secret = Field(description="Of your app.")
    access_token: Secret = Field(description="The OAuth token of your account.")
    access_token_secret: Secret = Field(description="The OAuth token's secret.")
    blog: str = Field(pattern=r"^[\w.-]+$", description="The blog's name or host, e.g. you or you.tumblr.com")
    api_base: str = Field(default="https://api.tumblr.com", description="Where the API is.")
    web_base: str = Field(default="https://www.tumblr.com", description="Where people read it.")


class Tumblr(REST):
    """Posts text blocks and a link block; a last line of hashtags becomes the post's tags."""

    name, title, assurance = "tumblr", "Tumblr", Assurance.READABLE
    limit, Settings = LIMITS["tumblr"], TumblrSettings
    card, carries = True, frozenset({"card", "attach"})
    settings: TumblrSettings
    prefix = "/v2"
    table = (
        Means(RateLimited, codes={8004, 8011, 8022, 8023}, wait=timedelta(hours=6)),  # a limit of the day is used up
        Means(Transient, codes={8006, 8009, 8010}, wait=timedelta(minutes=1)),  # busy with an upload: nothing is posted
        Means(Unauthorised, {403}),
        Means(Unauthorised, {404}, path="/posts"),
    )
    flow = always(
        OAuth1Flow(
            request_url=f"{SIGN_IN}/request_token",
            authorize_url=f"{SIGN_IN}/authorize",
            access_url=f"{SIGN_IN}/access_token",
        )
    )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        return self._put("POST", "/posts", delivery)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the blog's newest posts, by their link and the time."""
        since, link = earliest(delivery), delivery.message.link
        for post in self._asked(self._blog("/posts"), npf="true", limit="20")["posts"]:
            texts = [str(block.get("url") or block.get("text") or "") for block in post.get("content", [])]
            if parse_instant(post["timestamp"]) >= since and any(same_link(text, link) for text in texts):
                return self._receipt(post)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        return self._put("PUT", f"/posts/{receipt.remote_id}", delivery)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes."""
        with missing_is_fine():
            self.api("POST", self._blog("/post/delete"), data={"id": receipt.remote_id})

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts."""
        notes = self._asked(self._blog("/notes"), id=receipt.remote_id, mode="conversation")
        likes, reblogs, replies = (notes.get(f"total_{kind}") for kind in ("likes", "reblogs", "replies"))
        return Reactions(likes=likes, reposts=reblogs, replies=replies)

    def verify(self) -> Standing:
        """See Verifies: who we are, whether the blog is ours, and what is left of today's posts."""
        user = self._asked("/user/info")["user"]
        name = self.settings.blog.removesuffix(".tumblr.com")
        hosts = {
            host
            for blog in user["blogs"]
            for host in (blog["name"], re.sub(r"^https?://|/.*", "", blog.get("url", "")))
        }
        troubles = () if {name, self.settings.blog} & hosts else (f"{user['name']} has no blog {self.settings.blog}",)
        limits = self._asked("/user/limits").get("user", {}).get("posts", {})
        notes = (f"{limits['remaining']} of {limits['limit']} posts left today",) if "remaining" in limits else ()
        return Standing(who=f"{user['name']}, blog {self.settings.blog}", troubles=troubles, notes=notes)

    def codes(self, response: requests.Response) -> Sequence[int | str]:
        """See Network."""
        return [code for one in _errors(response) for code in codes_in(one, "code")]

    def said(self, response: requests.Response) -> str:
        """See Network: Tumblr wraps its words in ``errors`` and ``meta``."""
        errors = [str(one.get("detail") or one.get("title")) for one in _errors(response)]
        return "; ".join(errors) or str(body_of(response, "meta").get("msg") or super().said(response))

    def until(self, response: requests.Response) -> datetime | None:
        """See Network: by the headers of the hour and of the day, in seconds left, where that limit is used up."""
        headers = response.headers
        used = [kind for kind in ("Perhour", "Perday") if headers.get(f"X-Ratelimit-{kind}-Remaining") == "0"]
        seconds = [headers.get(f"X-Ratelimit-{kind}-Reset", "") for kind in used]
        found = [wait_until({"Retry-After": one}, now=self.now()) for one in seconds]
        return max(filter(None, found), default=super().until(response))

    def _put(self, method: str, path: str, delivery: Delivery) -> Receipt:
        body, pictures = _post(delivery.message)
        parts: dict[str, Any] = {"json": (None, json.dumps(body), "application/json")}
        parts |= {name: (name, *file_of(delivery, one)[1:]) for name, one in pictures.items()}
        said = {"files": parts} if pictures else {"json": body}
        return self._receipt(body_of(self.api(method, self._blog(path), **said), "response"))

    def _blog(self, path: str) -> str:
        return f"/blog/{self.settings.blog}{path}"

    def _asked(self, path: str, **params: str) -> Any:
        return self.read(path, **params)["response"]

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """See REST; signed."""
        return self.call(method, self.root() + path, auth=oauth1(self.settings), **more)

    def _receipt(self, post: Mapping[str, Any]) -> Receipt:
        number = post.get("id_string") or post.get("id")
        return self.receipt(number, f"/{self.settings.blog.removesuffix('.tumblr.com')}/{number}")


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


def _errors(response: requests.Response) -> list[Mapping[str, Any]]:
    errors = body_of(response).get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
