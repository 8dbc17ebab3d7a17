"""The guarded way to a host: resolve once, judge the address, connect to that very address, all before one deadline."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from typing import Final, Self
from urllib.parse import unquote

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from reverberate.addresses import is_owned, is_public

PORTS: Final = frozenset({80, 443, 8080, 8443})
"""Where websites are; other ports only where the owner named them."""
USUAL: Final = {"http": 80, "https": 443}


class Trouble(StrEnum):
    """Why something could not be fetched."""

    URL = "bad url"
    ADDRESS = "refused address"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_BIG = "too big"
    REDIRECTS = "redirects"
    STATUS = "status"
    BROKEN = "broken answer"


class Fault(Exception):
    """Why it cannot be had, before the address is put in front."""

    def __init__(self, kind: Trouble, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to go. ``auth`` is a user's name and password, or empty."""

    scheme: str
    host: str
    port: int
    path: str
    auth: str = ""

    @property
    def place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host.rstrip('.')}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.place.removesuffix(f':{USUAL[self.scheme]}')}{self.path}"

    @property
    def shown(self) -> str:
        """For people and logs: the query is left out, for it may hold somebody's token."""
        return self.url.partition("?")[0]


def parsed(url: str) -> Target:
    """The parts of an http or https address.

    Raises:
        Fault: it is none.
    """
    try:
        parts = parse_url(url.strip())
    except LocationParseError:
        raise Fault(Trouble.URL, "this is not an address") from None
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise Fault(Trouble.URL, "an address must begin with http:// or https:// and a host")
    return Target(
        scheme=parts.scheme,
        host=parts.host.strip("[]"),
        port=parts.port if parts.port is not None else USUAL[parts.scheme],
        path=parts.request_uri,
        auth=unquote(parts.auth or ""),
    )


class Watch:
    """One limit of time for everything: when it is reached, the connection is cut, whatever waits on it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._wires: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for wire in self._wires:
                wire.close()
            self._wires = []

    @property
    def left(self) -> float:
        return max(self._until - time.monotonic(), 1e-3)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._until

    def guard(self, wire: socket.socket) -> socket.socket:
        """Have the connection cut at the end; on a duplicate, for TLS takes the socket itself away."""
        wire.settimeout(self.left)
        with self._lock:
            self._wires.append(wire.dup())
        return wire

    def _cut(self) -> None:
        with self._lock:
            for wire in self._wires:
                with suppress(OSError):  # it may be closed already
                    wire.shutdown(socket.SHUT_RDWR)


def connection(target: Target, *, trusted: bool, watch: Watch) -> HTTPConnection:
    """A connection that is already made, so that http.client resolves and connects nothing itself.

    Raises:
        Fault: it may not be made, or cannot.
        OSError: it broke off; TimeoutError at the deadline, TLS's own errors among them.
    """
    wire = _wire(target, trusted=trusted, watch=watch)
    if target.scheme == "http":
        connection = HTTPConnection(target.host, target.port)
    else:
        connection = HTTPSConnection(target.host, target.port, context=_authorities())
        try:
            wire = _authorities().wrap_socket(wire, server_hostname=target.host.rstrip("."))
        except BaseException:
            wire.close()
            raise
    connection.sock = wire
    connection.auto_open = 0  # it must never connect by itself, past the guard
    return connection


def _wire(target: Target, *, trusted: bool, watch: Watch) -> socket.socket:
    if target.port not in PORTS and not trusted:
        raise Fault(Trouble.ADDRESS, f"port {target.port} is not one where websites are")
    addresses = _resolved(target, watch)
    allowed = [address for address in addresses if is_public(address) or (trusted and is_owned(address))]
    if not allowed:
        raise Fault(Trouble.ADDRESS, f"it leads to {addresses[0]}, which is not on the public internet")
    for left, address in zip(range(len(allowed), 0, -1), allowed, strict=True):
        try:
            return watch.guard(_dial(address, target.port, seconds=watch.left / left))
        except OSError as error:
            refusal = error.strerror or str(error)
    if watch.over:
        raise TimeoutError
    raise Fault(Trouble.CONNECT, f"no connection to {allowed[-1]} port {target.port}: {refusal}")


def _dial(address: str, port: int, *, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _resolved(target: Target, watch: Watch) -> list[str]:
    """The host's addresses, asked for once; in a thread of its own, for the system's resolver knows no deadline."""
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True, name="resolver").start()
    try:
        answer = answers.get(timeout=watch.left)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, list) and answer:
        return answer
    raise Fault(Trouble.DNS, f"there is no host {target.host!r}, or its name cannot be resolved now")


@cache
def _authorities() -> ssl.SSLContext:
    """The system's certificate authorities and the bundled ones: some systems have none, some owners have their own."""
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context
