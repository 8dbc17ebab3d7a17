"""What the routes ask for: the front of the installation, a scope, a place in a list, an answer given once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime
from starlette.responses import JSONResponse, Response

from reverberate.front import Front
from reverberate.model import Scope
from reverberate.store import answers
from reverberate.store.tokens import Token
from reverberate.web.models import Trouble
from reverberate.web.problems import Problem

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
bearer = HTTPBearer(auto_error=False, scheme_name="token", description="Made by `reverberate token create NAME`.")


def _front(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


async def front_of(request: Request) -> Front:
    """The installation that this app speaks for."""
    return _front(request)


async def caller_of(request: Request) -> Token:
    """Whose request it is; the guard has recognised the token."""
    token: Token | None = request.state.token
    if token is None:
        raise Problem(401, "this needs a token")
    return token


def needs(scope: Scope) -> Any:
    """A dependency that refuses callers with less."""

    async def check(request: Request, _declared: Annotated[object, Security(bearer)] = None) -> None:
        await _refuse_less(request, scope)

    check.scope = scope  # type: ignore[attr-defined]  # what the description, and the tests, tell of a route
    return Depends(check)


async def _refuse_less(request: Request, scope: Scope) -> None:
    caller = await caller_of(request)
    if not caller.scope.includes(scope):
        hint = f"make one with: reverberate token create NAME --scope {scope}"
        raise Problem(403, f"this needs a token with the scope {scope}; {caller.name} has {caller.scope}", hint=hint)


class ScopeFirst(APIRoute):
    """A route that looks at its caller before it reads what was sent: nothing is told to who may not ask."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, behind the question for the scope."""
        handle, scopes = super().get_route_handler(), scopes_of(self.dependant)

        async def careful(request: Request) -> Response:
            for scope in scopes:
                await _refuse_less(request, scope)
            return await handle(request)

        return careful


def scopes_of(dependant: Dependant) -> set[Scope]:
    """The scopes that a route's dependencies ask for."""
    own = getattr(dependant.call, "scope", None)
    found = {own} if isinstance(own, Scope) else set()
    return found.union(*(scopes_of(each) for each in dependant.dependencies))


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An answer that is given once for each Idempotency-Key of a caller."""

    front: Front
    caller: Token
    key: str
    digest: str

    def answer(self, do: Callable[[], Any], *, status: int = 200) -> Response:
        """Do it, or give again what was answered when the same request came with the same key.

        Raises:
            Problem: 422, the key came with another request; 409, that request is being worked on.
        """
        if not self.key:
            return JSONResponse(do(), status)
        store = self.front.service.store
        with store.write() as tx:
            first = answers.begin(tx, self.caller.id, self.key, self.digest, now=datetime.now(UTC))
        if first is not None:
            return self._again(first)
        try:
            body = do()
        except BaseException:
            with store.write() as tx:
                answers.forget(tx, self.caller.id, self.key)
            raise
        with store.write() as tx:
            answers.finish(tx, self.caller.id, self.key, status=status, body=body)
        return JSONResponse(body, status)

    def _again(self, first: answers.Answer) -> Response:
        if first.digest != self.digest:
            raise Problem(422, "this Idempotency-Key came with another request", hint="take a new key")
        if first.status is None:
            raise Problem(409, "the request that came first is being worked on", headers={"Retry-After": "1"})
        return JSONResponse(first.body, first.status, headers={"Idempotency-Replayed": "true"})


async def once_of(
    request: Request,
    front: Annotated[Front, Depends(front_of)],
    caller: Annotated[Token, Depends(caller_of)],
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            pattern=r"^[!-~]*$",
            description="The same key with the same request gives the first answer again, for 24 hours.",
        ),
    ] = "",
) -> Once:
    """This request, once."""
    told = [request.method, request.url.path, request.url.query]
    digest = hashlib.sha256("\n".join(told).encode() + b"\n" + await request.body()).hexdigest()
    return Once(front=front, caller=caller, key=key, digest=digest)


def may_fetch(caller: Token, *, pictures: bool) -> None:
    """Refuse whoever may only see, when a preview is to fetch a post's pictures: that asks strangers' servers."""
    if pictures and not caller.scope.includes(Scope.PUBLISH):
        raise Problem(403, "fetching pictures needs a token with the scope publish", hint="leave pictures out")


Door = Annotated[Front, Depends(front_of)]
Caller = Annotated[Token, Depends(caller_of)]
OnlyOnce = Annotated[Once, Depends(once_of)]
Number = Annotated[int, Path(ge=1, lt=2**63)]
Named = Annotated[str, Path(pattern=NAME)]
AccountFilter = Annotated[str, Query(pattern=rf"^$|{NAME}", description="Only of this account.")]
SourceFilter = Annotated[str, Query(pattern=rf"^$|{NAME}", description="Only of this source.")]
Cursor = Annotated[str, Query(max_length=100, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
Since = Annotated[AwareDatetime | None, Query(description="From then on.")]
Until = Annotated[AwareDatetime | None, Query(description="Before then.")]


def troubles(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What else a route may answer, for its description."""
    return {status: {"model": Trouble} for status in sorted({400, 401, 403, 413, 421, 422, 429, 503, *statuses})}
