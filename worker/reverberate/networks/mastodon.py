"""Mastodon, and the servers that speak its API. Source: docs.joinmastodon.org, statuses API and entity Instance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Outcome, RateLimited, Transient
from reverberate.model import Assurance, Receipt
from reverberate.networks.base import Network, NetworkSettings, json_object, only_part, parse_instant, same_link
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from datetime import datetime

    import requests

    from reverberate.model import Delivery
    from reverberate.text.limits import Limit

CLOCKS_DIFFER = timedelta(minutes=2)
LIMIT_HOLDS = timedelta(days=1)


class MastodonSettings(NetworkSettings):
    """One account on one server."""

    instance: str = Field(pattern=r"^https?://[^/]+/?$", description="The server, e.g. https://mastodon.example")
    access_token: Secret = Field(description="With write:statuses, read:statuses and read:accounts.")
    visibility: Literal["public", "unlisted", "private"] = Field(default="public", description="Who sees it.")
    api_base: str = Field(default="", description="Where the API is, if not at the instance.")


class Mastodon(Network):
    """Posts statuses, each under its delivery's key."""

    name, title, assurance = "mastodon", "Mastodon", Assurance.IDENTITY
    limit, Settings = LIMITS["mastodon"], MastodonSettings
    identity_window = timedelta(minutes=50)  # the server keeps a key for an hour; its kin may not keep it at all
    settings: MastodonSettings
    _live: tuple[datetime, Limit] | None = None

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        status: dict[str, Any] = {"status": only_part(delivery.message), "visibility": self.settings.visibility}
        if delivery.message.language:
            status["language"] = delivery.message.language.split("-")[0].lower()
        return _receipt(json_object(self._api("POST", "/api/v1/statuses", json=status, key=delivery.key)))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: our newest statuses, by the link in them and the time."""
        me = self._api("GET", "/api/v1/accounts/verify_credentials").json()["id"]
        params = {"exclude_reblogs": "true", "limit": "40"}
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        for status in self._api("GET", f"/api/v1/accounts/{me}/statuses", params=params).json():
            if parse_instant(status["created_at"]) >= since and same_link(
                unescape(status["content"]), delivery.message.link
            ):
                return _receipt(status)
        return None

    def verify(self) -> str:
        """See Verifies."""
        me = self._api("GET", "/api/v1/accounts/verify_credentials").json()
        return f"@{me['acct']}@{self.settings.instance.split('//')[1].strip('/')}"

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


def _receipt(status: Any) -> Receipt:
    return Receipt(remote_id=str(status["id"]), permalink=status.get("url") or status.get("uri") or "")
