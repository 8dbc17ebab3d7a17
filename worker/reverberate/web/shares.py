"""Shares over HTTP: the list, the story of one, and the doors that a person opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from reverberate.model import Scope, ShareState
from reverberate.store import shares
from reverberate.web import models
from reverberate.web.doors import (
    AccountFilter,
    Cursor,
    Door,
    Limit,
    Number,
    OnlyOnce,
    ScopeFirst,
    Since,
    SourceFilter,
    Until,
    needs,
    troubles,
)

router = APIRouter(route_class=ScopeFirst, tags=["shares"])
READ, PUBLISH = [needs(Scope.READ)], [needs(Scope.PUBLISH)]
ACT: dict[str, Any] = {
    "response_model": models.StoryOut,
    "dependencies": PUBLISH,
    "responses": troubles(404, 409),
}


@router.get("/shares", response_model=models.SharesOut, dependencies=READ, responses=troubles(409))
def listed(
    *,
    door: Door,
    state: Annotated[list[ShareState], Query(description="Only in these states; may be given again.")] = [],  # noqa: B006 - FastAPI copies it
    account: AccountFilter = "",
    source: SourceFilter = "",
    post: Annotated[int | None, Query(ge=1, lt=2**63, description="Only of this post.")] = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Shares by when they are, or were, due: the latest first; `since` and `until` bound that time."""
    wanted = shares.Wanted(
        states=tuple(dict.fromkeys(state)), account=account, source=source, post_id=post, since=since, until=until
    )
    items, more = door.shares(wanted, cursor=cursor, limit=limit)
    return {"items": items, "next": more}


@router.get("/shares/{share}", response_model=models.StoryOut, dependencies=READ, responses=troubles(404))
def one(share: Number, door: Door) -> dict[str, Any]:
    """The whole story of a share: its message, every attempt, all that happened."""
    return door.share(share)


@router.post("/shares/{share}/retry", **ACT)
def retry(share: Number, once: OnlyOnce) -> Response:
    """Send it anew, in words rendered anew; only where nothing can have been posted."""
    return _act(once, share, "retry")


@router.post("/shares/{share}/cancel", **ACT)
def cancel(share: Number, once: OnlyOnce) -> Response:
    """Call it off."""
    return _act(once, share, "cancel")


@router.post("/shares/{share}/approve", **ACT)
def approve(share: Number, once: OnlyOnce) -> Response:
    """Release a held share."""
    return _act(once, share, "approve")


@router.post("/shares/{share}/reschedule", **ACT)
def reschedule(share: Number, body: models.RescheduleIn, once: OnlyOnce) -> Response:
    """Let it be sent at another time."""
    return _act(once, share, "reschedule", {"at": body.at.isoformat()})


@router.post("/shares/{share}/edit", **ACT)
def edit(share: Number, body: models.EditIn, once: OnlyOnce) -> Response:
    """Let it say these words: at once while it waits; what is out is edited on its network by a worker (see `chores`)."""
    return _act(once, share, "edit", {"text": body.text})


@router.post("/shares/{share}/delete", **ACT)
def delete(share: Number, once: OnlyOnce) -> Response:
    """Take it back: a worker deletes it on its network (see `chores`)."""
    return _act(once, share, "delete")


@router.post("/shares/{share}/resolve", **ACT)
def resolve(share: Number, body: models.ResolveIn, once: OnlyOnce) -> Response:
    """Say what became of an unsure share."""
    return _act(once, share, "resolve", {"outcome": body.outcome, "url": body.url})


def _act(once: OnlyOnce, share: int, wish: str, told: Mapping[str, Any] | None = None) -> Response:
    return once.answer(lambda: once.front.act(share, wish, told))
