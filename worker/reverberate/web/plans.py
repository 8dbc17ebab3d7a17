"""What is to come over HTTP: what waits, what a post would become, and what a changed config moves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from reverberate.errors import Missing
from reverberate.model import Scope
from reverberate.web import models
from reverberate.web.doors import Door, Number, OnlyOnce, ScopeFirst, needs, troubles
from reverberate.web.problems import Problem

router = APIRouter(route_class=ScopeFirst, tags=["plan"])
READ, PUBLISH = [needs(Scope.READ)], [needs(Scope.PUBLISH)]
So = Annotated[int, Query(ge=1, le=1000, description="At most so many of what waits.")]


@router.get("/plan", response_model=models.PlanOut, dependencies=READ, responses=troubles(409))
def plan(door: Door, limit: So = 20) -> dict[str, Any]:
    """What waits, the soonest first, in its words; and what the present config would place otherwise. Nothing moves."""
    return door.plan(limit=limit)


@router.post("/plan", response_model=models.PlanOut, dependencies=READ, responses=troubles(409))
def plan_of(body: models.PlanIn, door: Door) -> dict[str, Any]:
    """Where, when and in which words a post would be shared if it were published now. Nothing is stored."""
    try:
        return door.plan_of(body.post.post(), accounts=body.accounts)
    except Missing as error:
        raise Problem(422, error.what, hint=error.hint) from None


@router.get("/posts/{post}/plan", response_model=models.PlanOut, dependencies=READ, responses=troubles(404, 409))
def plan_of_known(post: Number, door: Door) -> dict[str, Any]:
    """The same of a post that is known."""
    return door.plan_of(post)


@router.post("/plan/apply", response_model=models.PlanOut, dependencies=PUBLISH, responses=troubles(409))
def apply(once: OnlyOnce, limit: So = 20) -> Response:
    """Move what the present config places otherwise; `moves` tells what was moved."""
    return once.answer(lambda: once.front.plan(limit=limit, apply=True))
