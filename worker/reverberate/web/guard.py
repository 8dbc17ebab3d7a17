"""What stands before the routes: host names, tokens, rates, sizes, and the headers that every answer has.

Secure by default: a path that is not named here needs a token.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders

from reverberate.errors import ReverberateError
from reverberate.store import tokens
from reverberate.web import problems
from reverberate.web.limits import Buckets, Rate
from reverberate.web.problems import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reverberate.store import Store
    from reverberate.store.tokens import Token

OPEN = frozenset({"/healthz", "/readyz"})
OPEN_UNDER = ("/pictures/",)
"""Open to anybody: whether it lives, and pictures by their digests, which nobody can guess."""
LOCAL = frozenset({"/metrics", "/status.json"})
"""Open where the web door listens to this machine alone, and is asked by its own name: numbers and states, no post."""
LARGEST = 1024 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one caller may: ``token`` for each token, ``strangers`` for wrong tokens from one address."""

    token: Rate = field(default=Rate(20, 200))
    strangers: Rate = field(default=Rate(1 / 6, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the door is: what it listens on (HOST:PORT), and the names it goes by (``public`` address, ``hosts``)."""

    listen: str = "127.0.0.1:8640"
    public: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        return is_loopback(self.listen.rpartition(":")[0].strip("[]"))

    def knows(self, host: str) -> bool:
        """Whether the door may be asked by that name.

        A page of somebody else's whose name was made to lead here ("DNS rebinding") comes with that page's name. An
        address is no name; and a name without a dot is one that only this network knows.
        """
        if host == urlsplit(self.public).hostname or host in self.hosts:
            return True
        return is_loopback(host) or _is_address(host) or (not self.loopback and host.isalnum())


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """The ASGI application that lets through what may pass; the caller's token is in ``request.state.token``."""

    def __init__(self, app: ASGIApp, store: Store, place: Place, limits: Limits) -> None:
        self._app, self._store, self._place = app, store, place
        self._callers, self._strangers = Buckets(limits.token), Buckets(limits.strangers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return  # no lifespan, no websocket
        send = _with_headers(send)
        try:
            host = self._host(scope)
            scope.setdefault("state", {})["token"] = await self._token(scope, host)
            receive = await _whole(scope, receive)
        except Problem as problem:
            await problems.response(problem)(scope, receive, send)
            return
        except ReverberateError as error:
            await problems.response(problems.of(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _host(self, scope: Scope) -> str:
        try:
            host = urlsplit("//" + Headers(scope=scope).get("host", "")).hostname or ""
        except ValueError:
            host = ""
        if not self._place.knows(host):
            hint = "ask by its address, or name it in hosts or public_url in [service]"
            raise Problem(421, "this door does not go by that name", hint=hint)
        return host

    async def _token(self, scope: Scope, host: str) -> Token | None:
        path: str = scope["path"]
        if path in OPEN or path.startswith(OPEN_UNDER):
            return None
        plain = _bearer(scope)
        if plain is None and path in LOCAL and self._asked_at_home(scope, host):
            return None
        found = await run_in_threadpool(self._recognise, plain) if plain else None
        if found is None:
            raise self._stranger(scope, plain)
        if wait := self._callers.take(found.id, now=time.monotonic()):
            raise _slower("this token asks too often", wait)
        return found

    def _asked_at_home(self, scope: Scope, host: str) -> bool:
        forwarded = any(name in Headers(scope=scope) for name in ("forwarded", "x-forwarded-for", "via"))
        return self._place.loopback and is_loopback(host) and not forwarded

    def _recognise(self, plain: str) -> Token | None:
        now = datetime.now(UTC)
        with self._store.read() as tx:
            found = tokens.recognise(tx, plain, now=now)
        if found and (found.used is None or now - found.used >= tokens.SELDOM):
            with self._store.write() as tx:
                tokens.touch(tx, found.id, now=now)
        return found

    def _stranger(self, scope: Scope, plain: str | None) -> Problem:
        address = (scope.get("client") or ("",))[0]
        if plain is not None and (wait := self._strangers.take(address, now=time.monotonic())):
            return _slower("too many wrong tokens from this address", wait)
        what = "this needs a token" if plain is None else "this token is not known here, or has ended"
        hint = "Authorization: Bearer TOKEN; reverberate token create NAME makes one"
        return Problem(401, what, hint=hint, headers={"WWW-Authenticate": 'Bearer realm="reverberate"'})


def _slower(what: str, wait: float) -> Problem:
    return Problem(429, what, hint="ask more slowly", headers={"Retry-After": str(int(wait) + 1)})


def _bearer(scope: Scope) -> str | None:
    scheme, _, plain = Headers(scope=scope).get("authorization", "").partition(" ")
    return plain.strip() if scheme.lower() == "bearer" and plain.strip() else None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """The body, read up to what is allowed before anything looks at it; then whatever else comes."""
    too_large = Problem(413, f"a request's body may have {LARGEST:,} bytes")
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST:
        raise too_large
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the caller is gone
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST:
            raise too_large
        more = message.get("more_body", False)
    waiting: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving
