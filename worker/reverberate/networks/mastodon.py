"""Mastodon, and the servers that speak its API. Source: docs.joinmastodon.org, statuses API and entity Instance."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Outcome, RateLimited, Transient
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import (
    NetworkSettings,
    json_object,
    missing_is_fine,
    parse_instant,
    same_link,
    same_words,
)
from reverberate.networks.flows import App, OAuth2Flow, asked
from reverberate.networks.parts import Part, Threading, each_deleted, each_edited, once, unposted
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from reverberate.http import Session
    from reverberate.model import JSON, Delivery, Picture
    from reverberate.text.limits import Limit

LIMIT_HOLDS = timedelta(days=1)
MEDIA_HOLDS = timedelta(minutes=50)
MEDIA_LOOKS, MEDIA_PAUSE = 20, 0.5
MOST_PICTURES = 4
SCOPES = ("read:accounts", "read:statuses", "write:media", "write:statuses")


class MastodonSettings(NetworkSettings):
    """One account on one server."""

    instance: str = Field(pattern=r"^https?://[^/]+/?$", description="The server, e.g. https://mastodon.example")
    access_token: Secret = Field(description="With write:statuses, read:statuses and read:accounts.")
    visibility: Literal["public", "unlisted", "private"] = Field(default="public", description="Who sees it.")
    api_base: str = Field(default="", description="Where the API is, if not at the instance.")


class Mastodon(Threading):
    """Posts statuses, each under its delivery's key."""

    name, title, assurance = "mastodon", "Mastodon", Assurance.IDENTITY
    limit, Settings = LIMITS["mastodon"], MastodonSettings
    carries = frozenset({"attach"})  # the link card is the server's own work
    identity_window = timedelta(minutes=50)  # the server keeps a key for an hour; its kin may not keep it at all
    settings: MastodonSettings
    _live: tuple[datetime, Limit] | None = None

    @classmethod
    def flow(cls, settings: MastodonSettings) -> OAuth2Flow:
        """See Connects: each server knows us as an app of its own. Source: docs.joinmastodon.org, OAuth, apps API."""
        web, api = settings.instance.rstrip("/"), (settings.api_base or settings.instance).rstrip("/")
        return OAuth2Flow(
            authorize_url=f"{web}/oauth/authorize",
            token_url=f"{api}/oauth/token",
            revoke_url=f"{api}/oauth/revoke",
            scopes=SCOPES,
            register=partial(registered, api=api),
        )

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """See Threading."""
        status = self._said(delivery, part) | {"visibility": self.settings.visibility}
        if part.parent:
            status["in_reply_to_id"] = part.parent.remote_id
        return _receipt(json_object(self._api("POST", "/api/v1/statuses", json=status, key=part.key)))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:  # noqa: ARG002 - the part says it all
        """See Threading: our newest statuses, by what they answer, or by the link or the words, and by the time."""
        me = self._api("GET", "/api/v1/accounts/verify_credentials").json()["id"]
        params = {"exclude_reblogs": "true", "limit": "40"}
        for status in self._api("GET", f"/api/v1/accounts/{me}/statuses", params=params).json():
            answers = str(status.get("in_reply_to_id") or "") == (part.parent.remote_id if part.parent else "")
            if answers and parse_instant(status["created_at"]) >= part.since and _says(status, part):
                return _receipt(status)
        return None

    def _said(self, delivery: Delivery, part: Part) -> dict[str, Any]:
        """What of a status may be edited."""
        said: dict[str, Any] = {"status": part.text}
        if part.language:
            said["language"] = part.language.split("-")[0].lower()
        if part.pictures:
            said["media_ids"] = [self._uploaded(delivery, picture) for picture in part.pictures[:MOST_PICTURES]]
        return said

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""

        def change(part: Part, there: Receipt) -> Receipt:
            path = f"/api/v1/statuses/{there.remote_id}"
            return _receipt(json_object(self._api("PUT", path, json=self._said(delivery, part))))

        return each_edited(delivery, receipt, change)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes."""

        def take_back(there: Receipt) -> None:
            with missing_is_fine():
                self._api("DELETE", f"/api/v1/statuses/{there.remote_id}")

        each_deleted(delivery, receipt, take_back)

    def _uploaded(self, delivery: Delivery, picture: Picture) -> str:
        """The id under which the server holds a picture, ready to be attached."""
        name = f"picture {picture.digest[:16]}"
        return str(
            once(delivery, name, lambda: self._upload(delivery, picture), now=self.now(), holds=MEDIA_HOLDS)["id"]
        )

    def _upload(self, delivery: Delivery, picture: Picture) -> Mapping[str, JSON]:
        kind = picture.mime.partition("/")[2]
        files = {"file": (f"picture.{kind}", delivery.load(picture.digest), picture.mime)}
        with unposted(self):
            media = json_object(
                self._api(
                    "POST", "/api/v2/media", files=files, data={"description": picture.alt} if picture.alt else {}
                )
            )
            for _ in range(MEDIA_LOOKS):
                if media.get("url"):
                    return {"id": str(media["id"])}
                time.sleep(MEDIA_PAUSE)
                media = json_object(self._api("GET", f"/api/v1/media/{media['id']}"))
        raise Transient("the server is still working on the picture", after=timedelta(seconds=30))

    def verify(self) -> Standing:
        """See Verifies."""
        me = self._api("GET", "/api/v1/accounts/verify_credentials").json()
        return Standing(who=f"@{me['acct']}@{self.settings.instance.split('//')[1].strip('/')}")

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts. Source: docs.joinmastodon.org, entity Status."""
        told = self._api("GET", f"/api/v1/statuses/{receipt.remote_id}").json()
        names = {"likes": "favourites_count", "reposts": "reblogs_count", "replies": "replies_count"}
        return Reactions(**{ours: told.get(theirs) for ours, theirs in names.items()})

    def live_limit(self) -> Limit:
        """See Network: what the server says of itself, remembered for a day."""
        if self._live is None or self.now() - self._live[0] > LIMIT_HOLDS:
            self._live = (self.now(), self._ask_limit())
        return self._live[1]

    def _ask_limit(self) -> Limit:
        try:
            told = self._api("GET", "/api/v2/instance").json()
        except Outcome as outcome:
            if outcome.status != 404:  # older servers and several of Mastodon's kin know version 1 only
                raise
            told = self._api("GET", "/api/v1/instance").json()
        statuses = told.get("configuration", {}).get("statuses", {})
        maximum = statuses.get("max_characters") or told.get("max_toot_chars") or self.limit.maximum
        link = statuses.get("characters_reserved_per_url") or self.limit.link
        return replace(
            self.limit, maximum=int(maximum), link=int(link or 23), source=f"{self.settings.instance} itself"
        )

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        words, status = self.words(response), response.status_code
        if status == 503 and "Retry-After" in response.headers:  # how GoToSocial throttles
            return RateLimited(words, status=status, until=wait_until(response.headers, now=self.now()))
        if status == 422 and "not finished processing" in words:
            return Transient(words, status=status)
        return super().outcome(response, writes=writes)

    def _api(self, method: str, path: str, *, key: str = "", **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        headers |= {"Idempotency-Key": key} if key else {}
        base = (self.settings.api_base or self.settings.instance).rstrip("/")
        return self.call(method, base + path, headers=headers, **kwargs)


def registered(session: Session, redirect: str, *, api: str) -> App:
    """Our app on one server, made for this redirect address."""
    form = {"client_name": "Reverberate", "redirect_uris": redirect, "scopes": " ".join(SCOPES)}
    told = asked(session, "POST", f"{api}/api/v1/apps", data=form)
    return App(client_id=str(told["client_id"]), client_secret=str(told["client_secret"]))


def _says(status: Mapping[str, Any], part: Part) -> bool:
    words = unescape(str(status["content"]))
    return same_link(words, part.link) if same_link(part.text, part.link) else same_words(words, part.text)


def _receipt(status: Any) -> Receipt:
    return Receipt(remote_id=str(status["id"]), permalink=status.get("url") or status.get("uri") or "")
