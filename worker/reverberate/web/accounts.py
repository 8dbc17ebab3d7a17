"""Accounts over HTTP: the list, one, pausing and resuming."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from reverberate.store.tokens import Scope
from reverberate.web import models
from reverberate.web.doors import Door, Named, OnlyOnce, needs, troubles

router = APIRouter(tags=["accounts"])
READ, ADMIN = [needs(Scope.READ)], [needs(Scope.ADMIN)]
ACT: dict[str, Any] = {"response_model": models.AccountOut, "dependencies": ADMIN, "responses": troubles(404, 409)}


@router.get("/accounts", response_model=list[models.AccountOut], dependencies=READ, responses=troubles())
def listed(door: Door) -> list[dict[str, Any]]:
    """The accounts, and how they are."""
    return door.accounts()


@router.get("/accounts/{account}", response_model=models.AccountOut, dependencies=READ, responses=troubles(404))
def one(account: Named, door: Door) -> dict[str, Any]:
    """One account, and how it is."""
    return door.account(account)


@router.post("/accounts/{account}/pause", **ACT)
def pause(account: Named, body: models.PauseIn, once: OnlyOnce) -> Response:
    """Let an account's shares wait until it is resumed."""
    return once.answer(lambda: once.front.pause(account, body.why))


@router.post("/accounts/{account}/resume", **ACT)
def resume(account: Named, once: OnlyOnce) -> Response:
    """Let a paused account go on, after what was wrong is mended."""
    return once.answer(lambda: once.front.resume(account))
