"""What went wrong, as RFC 9457 has it: ``application/problem+json`` with a title, what happened and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from reverberate.errors import Missing, ReverberateError, SourceError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)
MEDIA = "application/problem+json"


class Problem(Exception):
    """A request that is not done: the HTTP status, what happened, and what to do about it."""

    def __init__(self, status: int, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint, self.headers = status, detail, hint, dict(headers or {})


def response(problem: Problem, **more: Any) -> Response:
    """The problem as it goes over the wire."""
    document = {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status}
    document |= {"detail": problem.detail} | ({"hint": problem.hint} if problem.hint else {}) | more
    return JSONResponse(document, problem.status, media_type=MEDIA, headers=problem.headers)


def of(error: ReverberateError) -> Problem:
    """A problem that a person has to mend, with the status that fits."""
    match error:
        case Missing():
            status = 404
        case StoreError():
            status = 503
        case SourceError():
            status = 502
        case _:
            status = 409
    return Problem(status, error.what, hint=error.hint)


def register(app: FastAPI) -> None:
    """Let the app answer every error so."""

    @app.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> Response:
        return response(error)

    @app.exception_handler(ReverberateError)
    async def ours(_request: Request, error: ReverberateError) -> Response:
        return response(of(error))

    @app.exception_handler(HTTPException)
    async def routed(_request: Request, error: HTTPException) -> Response:
        return response(Problem(error.status_code, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        wrong = [{"where": _where(one["loc"]), "words": _said(one["msg"])} for one in error.errors()]
        return response(Problem(422, "; ".join(f"{one['where']}: {one['words']}" for one in wrong)), errors=wrong)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return response(Problem(500, "this is a fault of Reverberate's own", hint="its log says more"))


def _where(location: tuple[Any, ...]) -> str:
    return _said(".".join(str(part) for part in location))


def _said(words: str) -> str:
    """What somebody sent may be no Unicode at all."""
    return words.encode("utf-8", "replace").decode("utf-8")
