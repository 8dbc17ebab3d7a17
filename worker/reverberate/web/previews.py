"""Previews over HTTP: what each account would make of a post that is not published yet."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from reverberate.errors import Missing
from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Caller, Door, ScopeFirst, may_fetch, needs, troubles
from reverberate.web.problems import Problem

router = APIRouter(route_class=ScopeFirst, tags=["preview"])


@router.post(
    "/preview", response_model=list[models.PreviewOut], dependencies=[needs(Scope.READ)], responses=troubles(409)
)
def preview(body: models.PreviewIn, door: Door, caller: Caller) -> list[dict[str, Any]]:
    """What each of these accounts, or every one, would send, counted as its network counts. Nothing is stored."""
    may_fetch(caller, pictures=body.pictures)
    try:
        return door.preview(body.post.post(), accounts=body.accounts, pictures=body.pictures)
    except Missing as error:
        raise Problem(422, error.what, hint=error.hint) from None
