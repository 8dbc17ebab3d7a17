"""Facebook Pages. Source: developers.facebook.com/docs/graph-api, Page feed, Handling Errors, Rate Limits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    json_object,
    only_part,
    parse_instant,
    same_link,
)
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from datetime import datetime

    import requests

    from reverberate.model import Delivery

TOKEN = {102, 190}
PERMISSION = {10, *range(200, 300)}
RATE = {4, 17, 32, 341, 613, 80001}
BLOCKED = 368
BLOCKED_FOR = timedelta(hours=6)
SAME_AGAIN = 506


class FacebookSettings(NetworkSettings):
    """One Page."""

    page_id: str = Field(pattern=r"^\d+$", description="The Page's number.")
    access_token: Secret = Field(description="A Page access token with pages_manage_posts, pages_read_engagement.")
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$", description="Of the Graph API.")
    api_base: str = Field(default="https://graph.facebook.com", description="Where the Graph API is.")


class Facebook(Network):
    """Posts to a Page's feed; the link card is Facebook's own, from the page's OpenGraph tags."""

    name, title, assurance = "facebook", "Facebook Page", Assurance.REFUSES
    limit, Settings = LIMITS["facebook"], FacebookSettings
    card = True
    settings: FacebookSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        post = {"message": only_part(delivery.message), "link": delivery.message.link, "fields": "id,permalink_url"}
        return _receipt(json_object(self._graph("POST", "/feed", data=post)))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the Page's newest posts, by our link and the time."""
        fields = "id,message,permalink_url,created_time,attachments{unshimmed_url}"
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        for post in self._graph("GET", "/published_posts", params={"fields": fields, "limit": "25"}).json()["data"]:
            urls = [one.get("unshimmed_url", "") for one in post.get("attachments", {}).get("data", [])]
            if parse_instant(post["created_time"]) >= since and any(
                same_link(text, delivery.message.link) for text in (post.get("message", ""), *urls)
            ):
                return _receipt(post)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; the link card stays as it is."""
        self._graph("POST", "", node=receipt.remote_id, data={"message": only_part(delivery.message)})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes; what cannot be seen any more answers with code 100, subcode 33."""
        del delivery
        try:
            self._graph("DELETE", "", node=receipt.remote_id)
        except Outcome as outcome:
            if "(code 100/33)" not in outcome.words:
                raise

    def verify(self) -> Standing:
        """See Verifies."""
        page = self._graph("GET", "", params={"fields": "id,name"}).json()
        return Standing(who=f"{page.get('name', '')} ({page['id']})")

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; by the Graph API's own codes, whatever the HTTP status is."""
        error, words, status = _error(response), self.words(response), response.status_code
        match error.get("code"):
            case code if code in TOKEN or code in PERMISSION:
                return Unauthorised(words, status=status)
            case code if code in RATE:
                return RateLimited(words, status=status, until=self._until(response))
            case code if code == BLOCKED:
                return RateLimited(words, status=status, until=self.now() + BLOCKED_FOR)
            case code if code == SAME_AGAIN:
                return Duplicate(words, status=status)
            case 1 | 2:  # "try again" has been seen with posts that were there
                return Unsure(words, status=status) if writes else Transient(words, status=status)
            case _:
                return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network; with Facebook's code, by which its help pages are found."""
        error = _error(response)
        codes = "/".join(str(error[key]) for key in ("code", "error_subcode") if error.get(key))
        return super().said(response) + (f" (code {codes})" if codes else "")

    def _until(self, response: requests.Response) -> datetime | None:
        minutes = _regained_after(response.headers.get("X-Business-Use-Case-Usage", ""))
        if minutes:
            return self.now() + timedelta(minutes=min(minutes, 1440))
        return wait_until(response.headers, now=self.now())

    def _graph(self, method: str, edge: str, *, node: str = "", **kwargs: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}  # never in the address
        base = f"{self.settings.api_base.rstrip('/')}/{self.settings.version}/{node or self.settings.page_id}"
        return self.call(method, base + edge, headers=bearer, **kwargs)


def _receipt(post: Any) -> Receipt:
    remote_id = str(post["id"])
    return Receipt(remote_id=remote_id, permalink=post.get("permalink_url") or f"https://www.facebook.com/{remote_id}")


def _error(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _regained_after(header: str) -> int:
    """Minutes, from Facebook's usage header; 0 where it says nothing."""
    try:
        usages = json.loads(header or "{}").values()
        return max((int(one.get("estimated_time_to_regain_access", 0)) for usage in usages for one in usage), default=0)
    except (ValueError, AttributeError, TypeError):
        return 0
