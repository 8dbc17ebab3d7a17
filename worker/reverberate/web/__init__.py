"""The web door: health, metrics and status for machines."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reverberate import status
from reverberate.errors import ReverberateError
from reverberate.web.metrics import exposition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from reverberate.service import Service

START_SECONDS = 10


def make_app(service: Service) -> Starlette:
    """The ASGI application. It shows states and numbers only, no post, no message, no secret."""

    def health(_request: Request) -> Response:
        """200 while the database answers."""
        try:
            with service.store.read():
                return PlainTextResponse("ok\n")
        except ReverberateError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)

    def metrics(_request: Request) -> Response:
        return Response(exposition(service), media_type="text/plain; version=0.0.4; charset=utf-8")

    def state(_request: Request) -> Response:
        return JSONResponse(status.overview(service))

    routes = [Route("/healthz", health), Route("/metrics", metrics), Route("/status.json", state)]
    return Starlette(routes=routes)


@contextmanager
def serve(service: Service, *, listen: str) -> Iterator[str]:
    """Serve on ``listen`` (HOST:PORT) in a thread while the block runs; gives the address.

    Raises:
        ReverberateError: the address is taken or not ours to listen on.
    """
    host, _, port = listen.rpartition(":")
    options = uvicorn.Config(
        make_app(service), host=host.strip("[]"), port=int(port), log_level="warning", lifespan="off", access_log=False
    )
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        _wait(server, thread, listen)
        yield f"http://{listen}"
    finally:
        server.should_exit = True
        thread.join(5)


def _wait(server: uvicorn.Server, thread: threading.Thread, listen: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            what = f"the web door cannot listen on {listen}"
            raise ReverberateError(what, hint="another program may use it; set listen in [service]")
        time.sleep(0.01)
