"""The web door: the HTTP API, and health, metrics and status for machines."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from reverberate.errors import ReverberateError
from reverberate.web.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.service import Service
    from reverberate.web.guard import Limits

START_SECONDS = 10


@contextmanager
def serve(
    service: Service, *, listen: str, ring: Callable[[], None] = lambda: None, limits: Limits | None = None
) -> Iterator[str]:
    """Serve on ``listen`` (HOST:PORT) in a thread while the block runs; gives the address.

    ``ring`` tells the dispatcher that something may be due.

    Raises:
        ReverberateError: the address is taken or not ours to listen on.
    """
    with _bound(listen) as bound:
        app = make_app(service, listen=listen, ring=ring, limits=limits)
        options = uvicorn.Config(
            app, log_level="warning", lifespan="off", access_log=False, server_header=False, timeout_graceful_shutdown=3
        )
        server = uvicorn.Server(options)
        thread = threading.Thread(target=server.run, args=([bound],), name="web", daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            yield f"http://{listen}"
        finally:
            app.close()
            server.should_exit = True
            thread.join(5)


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, OverflowError) as error:
        what = f"the web door cannot listen on {listen}: {getattr(error, 'strerror', None) or error}"
        raise ReverberateError(what, hint="set listen in [service]") from None
    # asyncio asks for this only where the socket names its protocol; else each body waits 40 ms behind its headers
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ReverberateError("the web door does not start")
        time.sleep(0.01)
