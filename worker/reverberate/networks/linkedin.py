"""LinkedIn, for members and company pages. Source: learn.microsoft.com/linkedin, Posts API, Images API, little text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    json_object,
    only_part,
    read_object,
    same_link,
    same_words,
)
from reverberate.networks.flows import OAuth2Flow
from reverberate.networks.parts import once, unposted
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.fit import Fit, Rigid, fit
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import JSON, Delivery, Message, Picture

VERSION = "202607"
IMAGE_HOLDS = timedelta(hours=20)
REST = timedelta(hours=1)
"""A 429 says neither until when, nor whether it was the day's quota, which is whole again at midnight UTC."""
MONTHS, WARN = 12, 11
"""How long a version lives at least, and how old it may be before we speak of it."""
HASHTAG = re.compile(r"\{hashtag\|\\?#\|([^{}|]+)\}")
URN = re.compile(r"urn:li:(?:share|ugcPost):\d+")


class LinkedInSettings(NetworkSettings):
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
    client_id: str = Field(default="", description="Your app's id; only `connect` needs it.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; only `connect` needs it.")
    api_base: str = Field(default="https://api.linkedin.com", description="Where the API is.")
    web_base: str = Field(default="https://www.linkedin.com", description="Where people read it.")


class LinkedIn(Network):
    """Posts a text with an article card that we fill in, or with a picture; LinkedIn looks at no page itself."""

    name, title, assurance = "linkedin", "LinkedIn", Assurance.REFUSES
    limit, Settings = LIMITS["linkedin"], LinkedInSettings
    card = True
    carries = frozenset({"card", "attach"})
    settle = timedelta(seconds=30)
    settings: LinkedInSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        feed = {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []}
        post: dict[str, Any] = {
            "author": self.settings.author,
            "commentary": _words(delivery.message),
            "distribution": feed,
        }
        post |= {
            "visibility": self.settings.visibility,
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        answer = self._rest("POST", "/rest/posts", json=post | self._content(delivery))
        urn = answer.headers.get("x-restli-id", "")
        if not urn:
            raise Unsure("LinkedIn answered with success and without the post's URN", status=answer.status_code)
        return self._receipt(urn)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: a page's newest posts, by our link or words and the time.

        A member's posts may be read by no ordinary app, and a page's only with ``r_organization_social``: None then,
        and the second try is the look-up, for LinkedIn refuses what it has and names it.
        """
        if self.settings.author.startswith("urn:li:person:"):
            return None
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        for post in self._newest(10):
            created = datetime.fromtimestamp(post.get("createdAt", 0) / 1000, tz=UTC)
            if created >= since and _says(post, delivery.message):
                return self._receipt(str(post["id"]))
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the words; card and picture stay as they are."""
        change = {"patch": {"$set": {"commentary": _words(delivery.message)}}}
        self._rest("POST", _place(receipt), json=change, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes; LinkedIn says yes to what is gone already."""
        self._rest("DELETE", _place(receipt), headers={"X-RestLi-Method": "DELETE"})

    def verify(self) -> Standing:
        """See Verifies: a member's name (needs ``openid`` and ``profile``), or whether a page lets itself be read."""
        author, notes, troubles = self.settings.author, *_age(self.settings.version, self.now().date())
        if author.startswith("urn:li:organization:"):
            self._newest(1)
            return Standing(who=author, notes=notes, troubles=troubles)
        me = read_object(self._rest("GET", "/v2/userinfo"))
        if author != f"urn:li:person:{me.get('sub')}":
            troubles += (f"the token is for urn:li:person:{me.get('sub')}, the account's author is {author}",)
        return Standing(who=str(me.get("name", author)), notes=notes, troubles=troubles)

    @classmethod
    def flow(cls, settings: LinkedInSettings) -> OAuth2Flow:
        """See Connects; LinkedIn prolongs a token for approved partners alone."""
        page = settings.author.startswith("urn:li:organization:")
        scopes = (
            ("w_organization_social", "r_organization_social") if page else ("openid", "profile", "w_member_social")
        )
        base = "https://www.linkedin.com/oauth/v2"
        return OAuth2Flow(
            authorize_url=f"{base}/authorization", token_url=f"{base}/accessToken", scopes=scopes, pkce=False
        )

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        words, status = self.words(response), response.status_code
        if status in {409, 422} and ("DUPLICATE_POST" in response.text or "is a duplicate of" in words):
            urn = URN.search(words)
            return Duplicate(words, status=status, receipt=self._receipt(urn[0]) if urn else None)
        match status:
            case 403:
                return Unauthorised(words, status=status)
            case 426:
                told = f"{words}; LinkedIn has ended version {self.settings.version}: set a newer one"
                return Unauthorised(told, status=status)
            case 429:
                midnight = (self.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
                known = super().outcome(response, writes=writes)
                until = known.until if isinstance(known, RateLimited) else None
                return RateLimited(words, status=status, until=until or min(midnight, self.now() + REST))
            case _:
                return super().outcome(response, writes=writes)

    def _content(self, delivery: Delivery) -> dict[str, Any]:
        message = delivery.message
        if message.pictures:
            media = {"id": self._uploaded(delivery, message.pictures[0]), "altText": message.pictures[0].alt}
            return {"content": {"media": media}}
        card = message.card
        if card is None:
            return {}
        article = {"source": card.url, "title": card.title[:400] or card.url, "description": card.description[:4086]}
        if card.picture:
            article["thumbnail"] = self._uploaded(delivery, card.picture)
        return {"content": {"article": article}}

    def _uploaded(self, delivery: Delivery, picture: Picture) -> str:
        """The URN under which LinkedIn holds a picture."""
        name = f"picture {picture.digest[:16]}"
        return str(
            once(delivery, name, lambda: self._upload(delivery, picture), now=self.now(), holds=IMAGE_HOLDS)["id"]
        )

    def _upload(self, delivery: Delivery, picture: Picture) -> Mapping[str, JSON]:
        with unposted(self):
            wanted = {"initializeUploadRequest": {"owner": self.settings.author}}
            told = (
                json_object(self._rest("POST", "/rest/images?action=initializeUpload", json=wanted)).get("value") or {}
            )
            if not told.get("image") or not self._theirs(str(told.get("uploadUrl"))):
                raise Transient("LinkedIn named no place of its own for the picture")
            bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}", "Content-Type": picture.mime}
            self.call("PUT", told["uploadUrl"], data=delivery.load(picture.digest), headers=bearer)
        return {"id": str(told["image"])}

    def _theirs(self, url: str) -> bool:
        """Whether an address is LinkedIn's: the token goes nowhere else."""
        there, api = urlsplit(url), urlsplit(self.settings.api_base)
        host = there.hostname or ""
        return (there.scheme, there.netloc) == (api.scheme, api.netloc) or (
            there.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com"))
        )

    def _newest(self, number: int) -> list[Mapping[str, Any]]:
        author = quote(self.settings.author, safe="")
        query = f"q=author&author={author}&count={number}&sortBy=CREATED"
        return list(read_object(self._rest("GET", f"/rest/posts?{query}")).get("elements", []))

    def _rest(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> requests.Response:
        ours = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        ours |= {"LinkedIn-Version": self.settings.version, "X-Restli-Protocol-Version": "2.0.0"}
        return self.call(
            method, self.settings.api_base.rstrip("/") + path, headers=ours | dict(headers or {}), **kwargs
        )

    def _receipt(self, urn: str) -> Receipt:
        return Receipt(remote_id=urn, permalink=f"{self.settings.web_base.rstrip('/')}/feed/update/{urn}/")


def _words(message: Message) -> str:
    """The text as little text; with the link where a picture leaves no place for its card."""
    text = only_part(message)
    if message.pictures and not same_link(text, message.link):
        text = fit([Fit(text=text), Rigid(text=f"\n\n{message.link}")], LIMITS["linkedin"]).text
    return escape(text, "linkedin")


def _says(post: Mapping[str, Any], message: Message) -> bool:
    """By the card's link, or the words, in which LinkedIn writes hashtags its own way."""
    source = post.get("content", {}).get("article", {}).get("source")
    said = re.sub(r"\\(.)", r"\1", HASHTAG.sub(r"#\1", str(post.get("commentary", ""))))
    return source == message.link if source else same_link(said, message.link) or same_words(said, message.text)


def _place(receipt: Receipt) -> str:
    return f"/rest/posts/{quote(receipt.remote_id, safe='')}"


def _age(version: str, today: date) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is to be said of the version: a note when it is old, a trouble when it may have ended."""
    months = (today.year - int(version[:4])) * 12 + today.month - int(version[4:])
    told = (f"LinkedIn-Version {version} is {months} months old; one lives {MONTHS} at least: set a newer one",)
    return (told if WARN <= months < MONTHS else (), told if months >= MONTHS else ())
