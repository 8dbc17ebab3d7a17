"""Threads. Source: developers.facebook.com/docs/threads, Posts, Reply Management, Troubleshooting, Insights."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from reverberate.model import Assurance, Reactions, Receipt
from reverberate.networks.containers import Containers, Draft
from reverberate.networks.graph import GraphSettings
from reverberate.networks.graph_flows import of_sixty_days
from reverberate.networks.parts import Part, Threading, each_deleted
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.model import Delivery

METRICS = {"likes": "likes", "reposts": "reposts", "replies": "replies"}


class ThreadsSettings(GraphSettings):
    """One profile."""

    access_token: Secret = Field(description="With threads_basic and threads_content_publish; it lasts 60 days.")
    version: str = Field(default="v1.0", pattern=r"^v\d+\.\d+$", description="Of the Threads API.")
    api_base: str = Field(default="https://graph.threads.net", description="Where the Threads API is.")


class Threads(Threading, Containers):
    """Posts text with its link's card, or a picture that Threads fetches; parts are replies, one after the other."""

    name, title, assurance = "threads", "Threads", Assurance.READABLE
    limit, Settings = LIMITS["threads"], ThreadsSettings
    carries, fetches = frozenset({"attach"}), True  # the link card is Threads' own, from the page's tags
    settle = timedelta(seconds=30)
    settings: ThreadsSettings
    container_edge, publish_edge, quota_edge = "threads", "threads_publish", "threads_publishing_limit"
    state_field, words_field, text_field = "status", "error_message", "text"
    me = "me"
    flow = of_sixty_days(
        "th",
        authorize_url="https://threads.net/oauth/authorize",
        scopes=("threads_basic", "threads_content_publish", "threads_delete", "threads_manage_insights"),
    )

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """See Threading."""
        return self.publish(delivery, _draft(delivery, part))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        """See Threading."""
        return self.trace(delivery, _draft(delivery, part))

    def list_edge(self, draft: Draft) -> str:
        """See Containers; replies have a list of their own."""
        return "replies" if draft.answers else "threads"

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes; asks for threads_delete."""
        each_deleted(delivery, receipt, lambda there: self.remove(there.remote_id))

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts; asks for threads_manage_insights."""
        told = self.read(f"{receipt.remote_id}/insights", metric=",".join(METRICS)).get("data", [])
        return Reactions(**{METRICS[one["name"]]: one["values"][0]["value"] for one in told if one["name"] in METRICS})


def _draft(delivery: Delivery, part: Part) -> Draft:
    """The container of one part: a picture where it can be fetched, else the text, whose first link makes the card."""
    form = {"media_type": "TEXT", "text": part.text}
    picture = part.pictures[0] if part.pictures else None
    if picture and (address := delivery.address(picture.digest)):
        form |= {"media_type": "IMAGE", "image_url": address}
        form |= {"alt_text": picture.alt} if picture.alt else {}
    if part.parent:
        form["reply_to_id"] = part.parent.remote_id
    return Draft(
        name=f"container {part.number + 1}",
        form=form,
        text=part.text,
        since=part.since,
        answers=part.parent is not None,
    )
