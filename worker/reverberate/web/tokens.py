"""Tokens over HTTP: the list, making one, revoking one. What a token's secret is, is told once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Door, Named, ScopeFirst, needs, troubles

router = APIRouter(route_class=ScopeFirst, tags=["tokens"], dependencies=[needs(Scope.ADMIN)])


@router.get("/tokens", response_model=list[models.TokenOut], responses=troubles())
def listed(door: Door) -> list[dict[str, Any]]:
    """The tokens, without their secrets."""
    return door.tokens()


@router.post("/tokens", status_code=201, response_model=models.NewTokenOut, responses=troubles(409))
def create(body: models.TokenIn, door: Door) -> dict[str, Any]:
    """Make a token. It is told in this answer and kept nowhere, so an Idempotency-Key means nothing here."""
    return door.create_token(body.name, body.scope, days=body.days)


@router.delete("/tokens/{name}", status_code=204, responses=troubles(404))
def revoke(name: Named, door: Door) -> Response:
    """End a token at once."""
    door.revoke_token(name)
    return Response(status_code=204)
