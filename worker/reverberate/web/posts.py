"""Posts over HTTP: the list, one, publishing, and why a post is on an account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from reverberate.errors import Missing
from reverberate.model import Scope
from reverberate.store import posts
from reverberate.web import models
from reverberate.web.doors import (
    Caller,
    Cursor,
    Door,
    Limit,
    Named,
    Number,
    OnlyOnce,
    ScopeFirst,
    Since,
    SourceFilter,
    Until,
    may_fetch,
    needs,
    troubles,
)
from reverberate.web.problems import Problem

router = APIRouter(route_class=ScopeFirst, tags=["posts"])
READ, PUBLISH = [needs(Scope.READ)], [needs(Scope.PUBLISH)]


@router.get("/posts", response_model=models.PostsOut, dependencies=READ, responses=troubles(409))
def listed(
    *,
    door: Door,
    source: SourceFilter = "",
    since: Since = None,
    until: Until = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """The posts that are known, the latest seen first."""
    items, more = door.posts(posts.Wanted(source=source, since=since, until=until), cursor=cursor, limit=limit)
    return {"items": items, "next": more}


@router.post(
    "/posts",
    status_code=201,
    response_model=models.PublishedOut,
    dependencies=PUBLISH,
    responses=troubles(409),
)
def publish(body: models.PublishIn, once: OnlyOnce) -> Response:
    """Share a post, on these accounts or on all; a post that is known already plans nothing anew."""

    def do() -> dict[str, Any]:
        try:
            return once.front.publish(body.post.post(), accounts=body.accounts, at=body.at)
        except Missing as error:
            raise Problem(422, error.what, hint=error.hint) from None

    return once.answer(do, status=201)


@router.get("/posts/{post}", response_model=models.WholePostOut, dependencies=READ, responses=troubles(404))
def one(post: Number, door: Door) -> dict[str, Any]:
    """A post, whole, with its shares."""
    return door.post(post)


@router.get("/posts/{post}/preview", response_model=list[models.PreviewOut], dependencies=READ, responses=troubles(404))
def previewed(
    post: Number,
    door: Door,
    caller: Caller,
    account: Annotated[
        list[models.AccountName], Query(max_length=200, description="Only these; may be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies it
    *,
    pictures: Annotated[
        bool, Query(description="Fetch and prepare its pictures too; needs the scope publish.")
    ] = False,
) -> list[dict[str, Any]]:
    """What each account would make of a post that is known."""
    may_fetch(caller, pictures=pictures)
    return door.preview_known(post, accounts=account, pictures=pictures)


@router.get(
    "/posts/{post}/why/{account}", response_model=models.WhyOut, dependencies=READ, responses=troubles(404, 409)
)
def why(post: Number, account: Named, door: Door) -> dict[str, Any]:
    """Why a post is, or is not, on an account."""
    return door.why(post, account)
