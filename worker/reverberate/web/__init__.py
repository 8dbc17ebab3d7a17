"""The web door: health, metrics and status for machines."""

from __future__ import annotations

import socket
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
from reverberate.web.pictures import picture_route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from reverberate.service import Service

START_SECONDS = 10


def make_app(service: Service) -> Starlette:
    """The ASGI application. It shows states and numbers, and pictures to who knows their digest: no post, no message, no secret."""

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
    routes.append(picture_route(service.store))
    return Starlette(routes=routes)


@contextmanager
def serve(service: Service, *, listen: str) -> Iterator[str]:
    """Serve on ``listen`` (HOST:PORT) in a thread while the block runs; gives the address.

    Raises:
        ReverberateError: the address is taken or not ours to listen on.
    """
    with _bound(listen) as bound:
        options = uvicorn.Config(make_app(service), log_level="warning", lifespan="off", access_log=False)
        server = uvicorn.Server(options)
        thread = threading.Thread(target=server.run, args=([bound],), name="web", daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            yield f"http://{listen}"
        finally:
            server.should_exit = True
            thread.join(5)


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, OverflowError) as error:
        what = f"the web door cannot listen on {listen}: {getattr(error, 'strerror', None) or error}"
        raise ReverberateError(what, hint="set listen in [service]") from None


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ReverberateError("the web door does not start")
        time.sleep(0.01)
