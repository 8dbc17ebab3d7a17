"""Events over HTTP: the list, and a stream of server-sent events for those who follow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from reverberate.errors import StoreError
from reverberate.front import Front
from reverberate.model import Scope
from reverberate.store import events
from reverberate.web import models
from reverberate.web.doors import (
    AccountFilter,
    Cursor,
    Door,
    Limit,
    ScopeFirst,
    Since,
    SourceFilter,
    Until,
    needs,
    troubles,
)
from reverberate.web.problems import Problem

router = APIRouter(route_class=ScopeFirst, tags=["events"], dependencies=[needs(Scope.READ)])
LOOK, BEAT = 0.5, 15.0
"""Seconds between two looks for what is new, and between two signs of life."""
MOST = 50
"""Streams at the same time."""
Id = Annotated[int | None, Query(ge=1, lt=2**63)]


@router.get("/events", response_model=models.EventsOut, responses=troubles(409))
def listed(
    *,
    door: Door,
    account: AccountFilter = "",
    source: SourceFilter = "",
    kind: Annotated[str, Query(pattern="^[a-z -]{0,40}$", description="Only of this kind.")] = "",
    share: Id = None,
    post: Id = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """What happened, the latest first."""
    wanted = events.Wanted(
        account=account, source=source, kind=kind, share_id=share, post_id=post, since=since, until=until
    )
    items, more = door.events(wanted, cursor=cursor, limit=limit)
    return {"items": items, "next": more}


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses=troubles() | {200: {"content": {"text/event-stream": {}}, "description": "Events, as they come."}},
)
async def stream(
    request: Request,
    door: Door,
    last: Annotated[
        str, Header(alias="Last-Event-ID", pattern=r"^\d{0,18}$", description="Go on after this one.")
    ] = "",
) -> StreamingResponse:
    """Events as they come, each with its number; who comes back with the last one's goes on after it."""
    state = request.app.state
    if state.streams >= MOST:
        raise Problem(503, "too many follow already", headers={"Retry-After": "30"})
    return StreamingResponse(_flow(state, door, int(last) if last else None), media_type="text/event-stream")


async def _flow(state: Any, front: Front, after: int | None) -> AsyncIterator[str]:
    """Looks again and again; nothing is held between two looks."""
    state.streams += 1
    quiet = BEAT
    try:
        while not state.closing:
            try:
                rows, after = await run_in_threadpool(front.following, after)
            except StoreError:  # the database is away: it is asked again, and the follower waits
                rows = []
            for row in rows:
                yield f"id: {row['id']}\nevent: {row['kind']}\ndata: {json.dumps(row, ensure_ascii=False)}\n\n"
            if not rows and quiet >= BEAT:
                yield ": still here\n\n"
            quiet = 0.0 if rows or quiet >= BEAT else quiet + LOOK
            await asyncio.sleep(LOOK)
    finally:
        state.streams -= 1
