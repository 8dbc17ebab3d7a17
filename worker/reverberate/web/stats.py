"""Reactions over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import AccountFilter, Door, ScopeFirst, needs, troubles

router = APIRouter(route_class=ScopeFirst, tags=["statistics"])
Days = Annotated[int, Query(ge=1, le=3650, description="Shares that were sent in the last so many days.")]


@router.get("/stats", response_model=models.StatsOut, dependencies=[needs(Scope.READ)], responses=troubles())
def stats(door: Door, account: AccountFilter = "", days: Days = 90) -> dict[str, Any]:
    """What people made of the posts: by account, by post (the most liked first), by the hour at which they were sent."""
    return door.stats(account=account, days=days)
