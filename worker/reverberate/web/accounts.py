"""Accounts over HTTP: the list, one, pausing and resuming."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Door, Named, OnlyOnce, ScopeFirst, needs, troubles

router = APIRouter(route_class=ScopeFirst, tags=["accounts"])
READ, ADMIN = [needs(Scope.READ)], [needs(Scope.ADMIN)]
ACT: dict[str, Any] = {
    "response_model": list[models.AccountOut],
    "dependencies": ADMIN,
    "responses": troubles(404, 409),
}
"""What pauses or resumes answers with the accounts, as they are then."""


@router.get("/accounts", response_model=list[models.AccountOut], dependencies=READ, responses=troubles())
def listed(door: Door) -> list[dict[str, Any]]:
    """The accounts, and how they are."""
    return door.accounts()


@router.get("/accounts/{account}", response_model=models.AccountOut, dependencies=READ, responses=troubles(404))
def one(account: Named, door: Door) -> dict[str, Any]:
    """One account, and how it is."""
    return door.account(account)


@router.get(
    "/accounts/{account}/schedule", response_model=list[models.SlotOut], dependencies=READ, responses=troubles(404, 409)
)
def schedule(
    account: Named,
    door: Door,
    since: Annotated[models.Wall | None, Query(description="From then on instead of now.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="So many.")] = 10,
) -> list[dict[str, Any]]:
    """The account's coming slots, and which share has each; without slots, when the next posts would go."""
    return door.coming(account, since=since, number=limit)


@router.post("/accounts/{account}/pause", **ACT)
def pause(account: Named, body: models.PauseIn, once: OnlyOnce) -> Response:
    """Let an account's shares wait until it is resumed."""
    return once.answer(lambda: once.front.pause(account, body.why))


@router.post("/accounts/{account}/resume", **ACT)
def resume(account: Named, once: OnlyOnce) -> Response:
    """Let a paused account go on, after what was wrong is mended."""
    return once.answer(lambda: once.front.resume(account))


@router.post("/pause", **ACT)
def pause_all(body: models.PauseIn, once: OnlyOnce) -> Response:
    """Let everything wait; what is on its way at this moment still arrives."""
    return once.answer(lambda: once.front.pause("", body.why))


@router.post("/resume", **ACT)
def resume_all(once: OnlyOnce) -> Response:
    """Let everything go on that was paused as a whole."""
    return once.answer(lambda: once.front.resume(""))
