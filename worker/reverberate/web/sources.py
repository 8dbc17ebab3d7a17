"""Sources over HTTP: the list, one, and looking now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Door, Named, OnlyOnce, ScopeFirst, needs, troubles

router = APIRouter(route_class=ScopeFirst, tags=["sources"])
READ, ADMIN = [needs(Scope.READ)], [needs(Scope.ADMIN)]


@router.get("/sources", response_model=list[models.SourceOut], dependencies=READ, responses=troubles())
def listed(door: Door) -> list[dict[str, Any]]:
    """The sources, and how their last look went."""
    return door.sources()


@router.get("/sources/{source}", response_model=models.SourceOut, dependencies=READ, responses=troubles(404))
def one(source: Named, door: Door) -> dict[str, Any]:
    """One source."""
    return door.source(source)


@router.post(
    "/sources/{source}/poll", response_model=models.LookedOut, dependencies=ADMIN, responses=troubles(404, 409, 502)
)
def poll(source: Named, once: OnlyOnce) -> Response:
    """Look at a source now; what is new there is planned."""
    return once.answer(lambda: once.front.poll(source))
