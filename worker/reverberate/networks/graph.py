"""The Graph API as Meta's networks share it: who asks, and what its errors mean.

Source: developers.facebook.com/docs/graph-api, Handling Errors and Rate Limits; Instagram API, Error Codes.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.networks.answers import Means, fine_if
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from datetime import datetime

    import requests

DOWNLOAD, NOT_READY, QUOTA, SPAM = 2207003, 2207027, 2207042, 2207051
RESTRICTED = 4279013
LOST = (2207008, 2207020, 4279009)
"""The container is not there (any more): too old, or Meta lost it."""
UNSEEN = 33
"""The subcode (of 100) of what is not there, or not for us to see."""
MOST_MINUTES = 1440


class GraphSettings(AppSettings):
    """What all of them need."""

    access_token: Secret = Field(description="The account's access token.")
    version: str


class Graph(REST):
    """A network behind the Graph API; by its own codes an answer is known, whatever the HTTP status is."""

    told_in, coded = ("error",), ("code", "error_subcode")  # by which Meta's help pages are found
    table = (
        # told apart by the second number alone
        Means(Unsure, codes=LOST),
        Means(Transient, codes={DOWNLOAD, NOT_READY}, wait=timedelta(seconds=30)),
        Means(RateLimited, codes={QUOTA}, wait=timedelta(hours=1)),  # of 24 hours: room comes a little at a time
        Means(Unauthorised, codes={RESTRICTED}),
        Means(Unsure, codes={SPAM}, writes=True),  # a live post has been seen after it
        # by the first
        Means(Unsure, codes={-1, 1, 2}),  # "please try again" has been seen with posts that were there
        Means(Unauthorised, codes={102, 190, 10, *range(200, 300)}),  # the token, or a permission
        Means(RateLimited, codes={4, 17, 32, 341, 613, 80001, 80002}),
        Means(RateLimited, codes={368}, wait=timedelta(hours=6)),  # blocked
        Means(Duplicate, codes={506}),
    )

    def root(self) -> str:
        """See REST."""
        return f"{super().root()}/{self.settings.version}/"

    def remove(self, remote_id: str) -> None:
        """Delete an object; one that is gone already counts as done."""
        with fine_if(f"(code 100/{UNSEEN})"):
            self.api("DELETE", remote_id)

    def until(self, response: requests.Response) -> datetime | None:
        """See Network; Meta tells in minutes, where it tells."""
        minutes = _regained_after(response.headers.get("X-Business-Use-Case-Usage", ""))
        return self.now() + timedelta(minutes=min(minutes, MOST_MINUTES)) if minutes else super().until(response)


def says(outcome: Outcome, *subcodes: int) -> bool:
    """Whether the Graph API gave one of these as the second number, which its words end with."""
    return any(outcome.words.endswith(f"/{subcode})") for subcode in subcodes)


def _regained_after(header: str) -> int:
    """Minutes, from Facebook's usage header; 0 where it says nothing."""
    try:
        usages = json.loads(header or "{}").values()
        return max((int(one.get("estimated_time_to_regain_access", 0)) for usage in usages for one in usage), default=0)
    except (ValueError, AttributeError, TypeError):
        return 0
