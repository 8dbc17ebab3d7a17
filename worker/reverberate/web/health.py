"""For machines: whether it lives, its metrics, its states and numbers; no post, no message, no secret."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from reverberate import status
from reverberate.errors import ReverberateError
from reverberate.web.doors import Door
from reverberate.web.metrics import exposition
from reverberate.web.ready import readiness

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def health(door: Door) -> Response:
    """200 while the database answers."""
    try:
        with door.service.store.read():
            return PlainTextResponse("ok\n")
    except ReverberateError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)


@router.get("/readyz")
def ready(door: Door) -> Response:
    """200 while the database answers and a dispatcher lives; what is wrong, by part."""
    fine, told = readiness(door.service)
    return JSONResponse(told, status_code=200 if fine else 503)


@router.get("/metrics")
def metrics(door: Door) -> Response:
    """In Prometheus' text format."""
    return Response(exposition(door.service), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/status.json")
def state(door: Door) -> dict[str, Any]:
    """Accounts, sources and shares at a glance."""
    return status.overview(door.service)
