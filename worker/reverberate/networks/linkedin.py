"""LinkedIn, for members and company pages. Source: learn.microsoft.com/linkedin, Posts API, Images API, little text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, Transient, Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.answers import Means
from reverberate.networks.base import only_part, with_link
from reverberate.networks.flows import OAuth2Flow
from reverberate.networks.likeness import earliest, parse_instant, same_link, same_words
from reverberate.networks.parts import uploaded
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from reverberate.model import Delivery, Message, Picture
    from reverberate.networks.parts import File

VERSION = "202607"
IMAGE_HOLDS = timedelta(hours=20)
REST_FOR = timedelta(hours=1)
"""A 429 says neither until when, nor whether it was the day's quota, which is whole again at midnight UTC."""
HASHTAG = re.compile(r"\{hashtag\|\\?#\|([^{}|]+)\}")
URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")


class LinkedInSettings(AppSettings):
    """One member or one company page."""

    author: str = Field(
        pattern=r"^urn:li:(person:[\w-]+|organization:\d+)$",
        description="Who speaks: urn:li:person:… or urn:li:organization:…",
    )
    access_token: Secret = Field(
        description="With w_member_social, or w_organization_social for a page; it lasts 60 days."
    )
    visibility: Literal["PUBLIC", "CONNECTIONS"] = Field(default="PUBLIC", description="Who sees a member's posts.")
    version: str = Field(default=VERSION, pattern=r"^20\d{2}(0[1-9]|1[0-2])$", description="LinkedIn-Version, a month.")
    api_base: str = Field(default="https://api.linkedin.com", description="Where the API is.")
    web_base: str = Field(default="https://www.linkedin.com", description="Where people read it.")


class LinkedIn(REST):
    """Posts a text with an article card that we fill in, or with a picture; LinkedIn looks at no page itself."""

    name, title, assurance = "linkedin", "LinkedIn", Assurance.REFUSES
    limit, Settings = LIMITS["linkedin"], LinkedInSettings
    card, displaces = True, True
    carries = frozenset({"card", "attach"})
    settle = timedelta(seconds=30)
    settings: LinkedInSettings
    table = (
        Means(Unauthorised, {403}),
        Means(Unauthorised, {426}, hint="LinkedIn has ended this `version`: set a newer one"),
    )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        feed = {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []}
        post = {
            "author": self.settings.author,
            "commentary": _words(delivery.message),
            "distribution": feed,
            "visibility": self.settings.visibility,
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        answer = self.api("POST", "/rest/posts", json=post | self._content(delivery))
        return self._receipt(answer.headers.get("x-restli-id", ""))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: a page's newest posts, by our link or words and the time.

        A member's posts may be read by no ordinary app, and a page's only with ``r_organization_social``: None then,
        and the second try is the look-up, for LinkedIn refuses what it has and names it.
        """
        if self.settings.author.startswith("urn:li:person:"):
            return None
        for post in self._newest(10):
            if parse_instant(post.get("createdAt", 0) / 1000) >= earliest(delivery) and _says(post, delivery.message):
                return self._receipt(str(post["id"]))
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the words; card and picture stay as they are."""
        change = {"patch": {"$set": {"commentary": _words(delivery.message)}}}
        self.api("POST", _place(receipt), json=change, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes; LinkedIn says yes to what is gone already."""
        self.api("DELETE", _place(receipt), headers={"X-RestLi-Method": "DELETE"})

    def verify(self) -> Standing:
        """See Verifies: a member's name (needs ``openid`` and ``profile``), or whether a page lets itself be read."""
        author = self.settings.author
        if author.startswith("urn:li:organization:"):
            self._newest(1)
            return Standing(who=author)
        me = self.read("/v2/userinfo")
        whose = f"urn:li:person:{me.get('sub')}"
        troubles = () if whose == author else (f"the token is for {whose}, the account's author is {author}",)
        return Standing(who=str(me.get("name", author)), troubles=troubles)

    @classmethod
    def flow(cls, settings: LinkedInSettings) -> OAuth2Flow:
        """See Connects; LinkedIn prolongs a token for approved partners alone."""
        member, page = ("openid", "profile", "w_member_social"), ("w_organization_social", "r_organization_social")
        return OAuth2Flow(
            authorize_url="https://www.linkedin.com/oauth/v2/authorization",
            token_url="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 - an address
            scopes=page if settings.author.startswith("urn:li:organization:") else member,
            pkce=False,
        )

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        words, status = self.words(response), response.status_code
        if status in {409, 422} and ("DUPLICATE_POST" in response.text or "is a duplicate of" in words):
            urn = URN.search(words)
            return Duplicate(words, status=status, receipt=self._receipt(urn[0]) if urn else None)
        return super().outcome(response, writes=writes)

    def until(self, response: requests.Response) -> datetime | None:
        """See Network; where it does not say, a rest, but not beyond the day."""
        midnight = (self.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return super().until(response) or min(midnight, self.now() + REST_FOR)

    def _content(self, delivery: Delivery) -> dict[str, Any]:
        message = delivery.message
        if message.pictures:
            media = {"id": self._image(delivery, message.pictures[0]), "altText": message.pictures[0].alt}
            return {"content": {"media": media}}
        card = message.card
        if card is None:
            return {}
        article = {"source": card.url, "title": card.title[:400] or card.url, "description": card.description[:4086]}
        if card.picture:
            article["thumbnail"] = self._image(delivery, card.picture)
        return {"content": {"article": article}}

    def _image(self, delivery: Delivery, picture: Picture) -> str:
        """The URN under which LinkedIn holds a picture."""

        def upload(file: File) -> str:
            wanted = {"initializeUploadRequest": {"owner": self.settings.author}}
            told = self.write("POST", "/rest/images?action=initializeUpload", json=wanted).get("value") or {}
            if not self._theirs(str(told.get("uploadUrl"))):
                raise Transient("LinkedIn named no place of its own for the picture")
            self.call(
                "PUT",
                told["uploadUrl"],
                data=file[1],
                headers={"Authorization": self.proof()["Authorization"], "Content-Type": file[2]},
            )
            return str(told.get("image") or "")

        return str(uploaded(self, delivery, picture, upload, holds=IMAGE_HOLDS))

    def _theirs(self, url: str) -> bool:
        """Whether an address is LinkedIn's: the token goes nowhere else."""
        there, api = urlsplit(url), urlsplit(self.settings.api_base)
        host = there.hostname or ""
        return (there.scheme, there.netloc) == (api.scheme, api.netloc) or (
            there.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com"))
        )

    def _newest(self, number: int) -> list[Mapping[str, Any]]:
        query = f"q=author&author={quote(self.settings.author, safe='')}&count={number}&sortBy=CREATED"
        return list(self.read(f"/rest/posts?{query}").get("elements", []))

    def proof(self) -> dict[str, str]:
        """See REST."""
        version = {"LinkedIn-Version": self.settings.version, "X-Restli-Protocol-Version": "2.0.0"}
        return {**super().proof(), **version}

    def _receipt(self, urn: str) -> Receipt:
        return self.receipt(urn, f"/feed/update/{urn}/")


def _words(message: Message) -> str:
    """The text as little text; with the link where a picture leaves no place for its card."""
    text = only_part(message)
    return escape(with_link(text, message.link, LIMITS["linkedin"]) if message.pictures else text, "linkedin")


def _says(post: Mapping[str, Any], message: Message) -> bool:
    """By the card's link, or the words, in which LinkedIn writes hashtags its own way."""
    source = post.get("content", {}).get("article", {}).get("source")
    said = re.sub(r"\\(.)", r"\1", HASHTAG.sub(r"#\1", str(post.get("commentary", ""))))
    return source == message.link if source else same_link(said, message.link) or same_words(said, message.text)


def _place(receipt: Receipt) -> str:
    return f"/rest/posts/{quote(receipt.remote_id, safe='')}"
