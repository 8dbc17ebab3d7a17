"""Shares, and what a person may say to them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from reverberate.model import ShareState
from reverberate.web.models.base import Address, In, Out, Text, Wall
from reverberate.web.models.events import HappenedOut


class RescheduleIn(In):
    """When to send it instead; without an offset it is meant on the site's clock."""

    at: Wall


class EditIn(In):
    """What it is to say; what is out is rendered anew without words."""

    text: Text = Field(default="", max_length=100_000)


class ResolveIn(In):
    """What became of an unsure share: `sent`, it is there; `resend`, it is not; `give-up`, leave it."""

    outcome: Annotated[str, StringConstraints(pattern="^(sent|resend|give-up)$")]
    url: Address | None = Field(default=None, description="Its address on the network, with `sent`.")


class ShareOut(Out):
    """A share, for a listing."""

    id: int
    post: int
    title: str = Field(description="The post's.")
    account: str
    state: ShareState
    due: str | None = Field(description="When it is, or was, due; of what is sent: when it was sent for.")
    tries: int
    permalink: str
    reason: str
    changed: str | None


class AttemptOut(Out):
    """One try."""

    number: int
    kind: str = Field(description="`send`, or `look`: what became of an earlier try?")
    started: str | None
    ended: str | None
    seconds: float | None
    outcome: str
    status: int | None = Field(description="The HTTP status that the network answered with.")
    words: str = Field(description="The network's own words.")
    next_try: str | None


class ChoreOut(Out):
    """What was to be done about a share that is out, and what came of it."""

    kind: str = Field(description="`edit` or `delete`.")
    by: str = Field(description="`hand`, or `update`: the post was changed.")
    asked: str | None
    due: str | None
    tries: int
    outcome: str
    ended: str | None
    reason: str


class StoryOut(ShareOut):
    """A share with its frozen message, all its attempts and all that happened to it."""

    message: dict[str, Any] | None
    attempts: list[AttemptOut]
    chores: list[ChoreOut]
    events: list[HappenedOut]


class SharesOut(Out):
    """A page of shares."""

    items: list[ShareOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")
