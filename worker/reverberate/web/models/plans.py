"""What is to come."""

from __future__ import annotations

from pydantic import Field

from reverberate.web.models.base import AccountName, In, Out
from reverberate.web.models.posts import PostIn


class PlanIn(In):
    """What to look ahead for."""

    post: PostIn
    accounts: list[AccountName] = Field(default=[], max_length=200, description="Only these; all when empty.")


class ComingOut(Out):
    """What will be shared: where, when, and in which words."""

    share: int | None = Field(description="Its number; none while the post is not published.")
    post: int | None
    title: str
    account: str
    at: str = Field(description="On the site's clock, with its offset; empty where it cannot be told.")
    state: str
    reason: str
    parts: list[str] = Field(description="The words that it has, or would have now.")
    problem: str


class MoveOut(Out):
    """A share that the present config places otherwise than it is planned: `from` where it is, `to` where it would be."""

    share: int
    post: int
    title: str
    account: str
    from_: str = Field(alias="from")
    to: str


class PlanOut(Out):
    """What waits, the soonest first; and what the present config would move, or has moved."""

    shares: list[ComingOut]
    moves: list[MoveOut]
