"""What happened."""

from __future__ import annotations

from pydantic import Field

from reverberate.web.models.base import Out


class HappenedOut(Out):
    """What happened, and when."""

    at: str | None
    kind: str
    words: str


class EventOut(HappenedOut):
    """What happened, when, and to what."""

    id: int
    share: int | None
    account: str
    source: str


class EventsOut(Out):
    """A page of events."""

    items: list[EventOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")
