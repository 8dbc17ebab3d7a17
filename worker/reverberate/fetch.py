"""Fetch what a stranger's address leads to, guarded.

The guard is the way the connection is made, not a check before it: a name is resolved once, the address is judged, and
that very address is connected to, at every hop. There are no proxies, no cookies and no ``.netrc`` here, and one limit
of time for everything together.
"""

from __future__ import annotations

import re
import ssl
import zlib
from base64 import b64encode
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPException, HTTPResponse, responses
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from reverberate.errors import ReverberateError
from reverberate.http import USER_AGENT
from reverberate.wire import Fault, Target, Trouble, Watch, connection, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDIRECTS: Final = 5
PIECE: Final = 1 << 16
GZIP_MAGIC: Final = b"\x1f\x8b"
PERMANENT: Final = frozenset({301, 308})
MOVED: Final = PERMANENT | {302, 303, 307}
SUCCESS: Final = range(200, 300)


class FetchError(ReverberateError):
    """It could not be fetched. The text is one line with the address, without its query and password.

    Attributes:
        kind: why.
        status: the HTTP status, where ``kind`` is STATUS.
        headers: that answer's headers, their names in small letters.
    """

    def __init__(self, what: str, *, kind: Trouble, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what)
        self.kind = kind
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer: 2xx, or 304 to a conditional request.

    Attributes:
        status: the HTTP status.
        url: where it came from, after redirects.
        headers: their names in small letters.
        body: decompressed.
        moved: where the address has moved for good ("" if it has not): every redirect on the way said so.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    moved: str = ""


def fetch(
    url: str,
    *,
    max_bytes: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    trusted_hosts: frozenset[str] = frozenset(),
) -> Fetched:
    """What ``url`` leads to.

    Args:
        url: http or https; a password in it is sent to its own host only.
        max_bytes: how long the decompressed body may be.
        seconds: for everything together: names, connections, redirects, the last byte.
        headers: sent with every hop.
        trusted_hosts: as ``host_and_port`` gives them: where the owner himself named an address. Only these may lie
            in a private network or on an unusual port.

    Raises:
        FetchError: nothing usable came of it.
    """
    with Watch(seconds) as watch:
        target, lasting = _named(url), True
        for hop in range(REDIRECTS + 1):
            trusted = target.place in trusted_hosts
            answer = _ask(target, headers or {}, max_bytes=max_bytes, trusted=trusted, watch=watch)
            if answer.status not in MOVED or "location" not in answer.headers:
                return _judged(target, replace(answer, moved=target.url if hop and lasting else ""))
            lasting = lasting and answer.status in PERMANENT
            target = _redirected(target, answer.headers["location"])
    raise FetchError(f"{target.shown}: more than {REDIRECTS} redirects", kind=Trouble.REDIRECTS)


def host_and_port(url: str) -> str:
    """``host:port`` of an address, as ``trusted_hosts`` wants it.

    Raises:
        FetchError: it is no http or https address.
    """
    return _named(url).place


def _named(url: str) -> Target:
    try:
        return parsed(url)
    except Fault as fault:
        shown = re.sub(r"//[^/]*@", "//", url.partition("?")[0])[:200]
        raise FetchError(f"{shown!r}: {fault}", kind=fault.kind) from None


def _redirected(target: Target, location: str) -> Target:
    """Where a redirect leads. A password stays with the host that it was given for; none is taken from strangers."""
    try:
        onward = parsed(urljoin(target.url, location.encode("latin-1").decode("utf-8", "replace")))
    except (Fault, ValueError):
        raise FetchError(f"{target.shown}: it redirects to what is no address", kind=Trouble.REDIRECTS) from None
    same = (onward.scheme, onward.place) == (target.scheme, target.place)
    return replace(onward, auth=target.auth if same else "")


def _judged(target: Target, answer: Fetched) -> Fetched:
    if answer.status in SUCCESS or answer.status == 304:
        return answer
    words = f"{target.shown}: the server answered {answer.status} {responses.get(answer.status, '')}".rstrip()
    raise FetchError(words, kind=Trouble.STATUS, status=answer.status, headers=answer.headers)


def _ask(target: Target, headers: Mapping[str, str], *, max_bytes: int, trusted: bool, watch: Watch) -> Fetched:
    with _explained(target, watch), closing(connection(target, trusted=trusted, watch=watch)) as made:
        made.request("GET", target.path, headers=_headers(target, headers))
        with made.getresponse() as response:
            found = {name.lower(): value for name, value in reversed(response.getheaders())}
            body = _body(response, max_bytes) if response.status in SUCCESS else b""
        if watch.over:  # what looks like the end may be our own cut
            raise TimeoutError
        return Fetched(status=response.status, url=target.url, headers=found, body=body)


def _headers(target: Target, more: Mapping[str, str]) -> dict[str, str]:
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
    known = {"Authorization": f"Basic {b64encode(target.auth.encode()).decode()}"} if target.auth else {}
    return own | dict(more) | known


@contextmanager
def _explained(target: Target, watch: Watch) -> Iterator[None]:
    try:
        yield
    except (Fault, OSError, HTTPException, ValueError, zlib.error) as error:
        kind, words = _cause(error, watch)
        raise FetchError(f"{target.shown}: {words}", kind=kind) from None


def _cause(error: Exception, watch: Watch) -> tuple[Trouble, str]:
    match error:
        case Fault():
            return error.kind, str(error)
        case _ if watch.over or isinstance(error, TimeoutError):
            return Trouble.TIMEOUT, f"it took longer than {watch.seconds:g} s"
        case ssl.SSLCertVerificationError():
            return Trouble.TLS, f"its certificate is not valid: {error.verify_message}"
        case ssl.SSLError():
            return Trouble.TLS, f"no secure connection came about: {error.reason}"
        case _:
            return Trouble.BROKEN, f"the answer broke off or is not HTTP: {type(error).__name__}"


def _body(response: HTTPResponse, max_bytes: int) -> bytes:
    too_big = Fault(Trouble.TOO_BIG, f"it is longer than {max_bytes:,} bytes")
    if (response.length or 0) > max_bytes:
        raise too_big
    body = bytearray()
    for piece in _decoded(iter(lambda: response.read(PIECE), b""), response.getheader("Content-Encoding", "")):
        body += piece
        if len(body) > max_bytes:
            raise too_big
    if response.length:  # http.client minds a body that is cut off only when it is asked for all at once
        raise Fault(Trouble.BROKEN, "the answer is cut off")
    return bytes(body)


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    match encoding.strip().lower():
        case "" | "identity":
            return pieces
        case "gzip" | "x-gzip":
            return _gunzipped(pieces)
        case other:
            raise Fault(Trouble.BROKEN, f"it is encoded as {other!r}, which was not asked for")


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The decompressed body, never more than PIECE bytes at once, however small a bomb it comes from."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        rest = piece
        while rest:
            if stream.eof and not rest.startswith(GZIP_MAGIC):
                return  # padding, as some servers add
            stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if stream.eof else stream
            yield stream.decompress(rest, PIECE)
            rest = stream.unconsumed_tail or stream.unused_data
    yield stream.flush()
    if not stream.eof:
        raise Fault(Trouble.BROKEN, "the compressed answer is cut off")
