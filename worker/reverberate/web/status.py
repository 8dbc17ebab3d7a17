"""The one screen over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Door, ScopeFirst, needs, troubles

router = APIRouter(route_class=ScopeFirst, tags=["status"])


@router.get("/status", response_model=models.StatusOut, dependencies=[needs(Scope.READ)], responses=troubles())
def status(door: Door) -> dict[str, Any]:
    """What needs a hand first, what comes next, what went last; and how all accounts and sources are."""
    return door.status()
