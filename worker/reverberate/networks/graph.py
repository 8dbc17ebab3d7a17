"""The Graph API as Meta's networks share it: who asks, and what its errors mean.

Source: developers.facebook.com/docs/graph-api, Handling Errors and Rate Limits; Instagram API, Error Codes.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.networks.base import Network, NetworkSettings, read_object
from reverberate.policy import wait_until
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

TOKEN = {102, 190}
PERMISSION = {10, *range(200, 300)}
RATE = {4, 17, 32, 341, 613, 80001, 80002}
BLOCKED, BLOCKED_FOR = 368, timedelta(hours=6)
SAME_AGAIN = 506
UNKNOWN = {-1, 1, 2}
"""Its own trouble. "Please try again" has been seen with posts that were there."""
DOWNLOAD, NOT_READY, QUOTA, SPAM = 2207003, 2207027, 2207042, 2207051
RESTRICTED = 4279013
LOST = (2207008, 2207020, 4279009)
"""The container is not there (any more): too old, or Meta lost it."""
QUOTA_REST = timedelta(hours=1)
"""A quota counts the last 24 hours: room comes a little at a time, and asking costs nothing."""
UNSEEN = 33
"""The subcode (of 100) of what is not there, or not for us to see."""


class GraphSettings(NetworkSettings):
    """What all of them need."""

    access_token: Secret = Field(description="The account's access token.")
    client_id: str = Field(default="", description="Your app's id; only `connect` needs it.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; only `connect` needs it.")


class Graph(Network):
    """A network behind the Graph API."""

    def graph(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One call; the token goes in a header, never in the address. Raises as ``call``."""
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        return self.call(
            method, f"{self.settings.api_base.rstrip('/')}/{self.settings.version}/{path}", headers=bearer, **kwargs
        )

    def read(self, path: str, **params: str) -> Mapping[str, Any]:
        """The object that a GET answers. Raises as ``call``, and Transient for what cannot be read."""
        return read_object(self.graph("GET", path, params=params))

    def remove(self, remote_id: str) -> None:
        """Delete an object; one that is gone already counts as done."""
        try:
            self.graph("DELETE", remote_id)
        except Refused as outcome:
            if not says(outcome, UNSEEN):
                raise

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; by the Graph API's own codes, whatever the HTTP status is."""
        error, words, status = error_of(response), self.words(response), response.status_code
        code = error.get("code")
        if found := self._by_subcode(error, words, status=status, writes=writes):
            return found
        match code:
            case _ if code in UNKNOWN:
                return Unsure(words, status=status) if writes else Transient(words, status=status)
            case _ if code in TOKEN or code in PERMISSION:
                return Unauthorised(words, status=status)
            case _ if code in RATE:
                return RateLimited(words, status=status, until=self._until(response))
            case _ if code == BLOCKED:
                return RateLimited(words, status=status, until=self.now() + BLOCKED_FOR)
            case _ if code == SAME_AGAIN:
                return Duplicate(words, status=status)
            case _:
                return super().outcome(response, writes=writes)

    def _by_subcode(self, error: Any, words: str, *, status: int, writes: bool) -> Outcome | None:
        """What is told apart only by the second number."""
        match error.get("error_subcode"):
            case subcode if subcode in LOST:
                return Unsure(words, status=status)
            case subcode if subcode in {DOWNLOAD, NOT_READY}:
                return Transient(words, status=status, after=timedelta(seconds=30))
            case subcode if subcode == QUOTA:
                return RateLimited(words, status=status, until=self.now() + QUOTA_REST)
            case subcode if subcode == RESTRICTED:
                return Unauthorised(words, status=status)
            case subcode if subcode == SPAM and writes:  # a live post has been seen after it
                return Unsure(words, status=status)
            case _:
                return None

    def said(self, response: requests.Response) -> str:
        """See Network; with Meta's code, by which its help pages are found."""
        error = error_of(response)
        codes = "/".join(str(error[key]) for key in ("code", "error_subcode") if error.get(key))
        return super().said(response) + (f" (code {codes})" if codes else "")

    def _until(self, response: requests.Response) -> datetime | None:
        minutes = _regained_after(response.headers.get("X-Business-Use-Case-Usage", ""))
        if minutes:
            return self.now() + timedelta(minutes=min(minutes, 1440))
        return wait_until(response.headers, now=self.now())


def says(outcome: Outcome, *subcodes: int) -> bool:
    """Whether the Graph API gave one of these as the second number, which its words end with."""
    return any(outcome.words.endswith(f"/{subcode})") for subcode in subcodes)


def error_of(response: requests.Response) -> dict[str, Any]:
    """The Graph API's error; empty where the answer holds none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
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
