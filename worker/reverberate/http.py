"""The one HTTP session: time limits, and errors told apart by whether the network may have the message.

The rule (docs/reliability.md): an error before the whole request was handed to the network is ``Transient``, for a
server cannot accept half a message; an error after it is ``Unsure``, for the answer may have been lost. Requests that
only read (GET, HEAD) post nothing, so their errors are always ``Transient``.
"""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime
from functools import lru_cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidHeader, InvalidURL, MissingSchema, TooManyRedirects
from requests.sessions import merge_hooks
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from reverberate import __version__
from reverberate.errors import Transient, Unauthorised, Unsure
from reverberate.failpoints import reach
from reverberate.http1 import TooLong
from reverberate.masks import hide, veil
from reverberate.transport import LARGEST, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

USER_AGENT = f"Reverberate/{__version__} (self-hosted cross-posting)"
TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and seconds of silence to bear."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})

for _teller, _level in {
    "urllib3": logging.ERROR,
    "requests_oauthlib": logging.INFO,
    "oauthlib": logging.INFO,
    "tweepy": logging.INFO,
}.items():
    logging.getLogger(_teller).setLevel(_level)  # below, they write addresses, signatures and whole answers


@lru_cache(1000)
def _address(url: str) -> str:
    """As requests writes it; prepared once."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url)


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> dict[str, Any]:
    """A request's headers over the session's, whatever the case of their names; None leaves one out."""
    said = {name.lower() for name in theirs or ()}
    both = {name: value for name, value in ours.items() if name.lower() not in said} | dict(theirs or {})
    return {name: value for name, value in both.items() if value is not None}


class Session(requests.Session):
    """A ``requests.Session`` that never waits for ever and raises outcomes instead of transport errors.

    Usable wherever a vendor's library accepts a session. ``secrets`` are masked in every error text, for
    ``requests`` puts addresses into its messages. No cookie is kept, and an answer is always read in full.

    Attributes:
        timeout: seconds to connect, and seconds of silence to bear.
        wrote: whether, since the last ``fresh()``, a request that may have posted something left in full.
        guard: called before each request leaves; raises an Outcome to keep it from leaving.
        lasting: whether a connection is used again. Not where a server closes its own without saying so: a request that
            is written onto one in that moment is lost, and whether it was read cannot be told.
        heard, heard_at: the headers of the last answer, by their names in small letters, and when it came.
    """

    guard: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, *, secrets: Iterable[str] = (), timeout: tuple[float, float] = TIMEOUT) -> None:
        super().__init__()
        self.trust_env = False  # no proxy or .netrc of the machine slips into a request
        self.headers["User-Agent"] = USER_AGENT
        self.max_redirects = 5
        self.wrote = False
        self.lasting = True
        self.heard: dict[str, str] = {}
        self.heard_at: datetime | None = None
        self.timeout = timeout
        self._veils = {secret: veil(secret) for secret in secrets if secret}
        self._transport = Transport(lambda: self.guard())  # noqa: PLW0108 - the guard of then, not of now
        for scheme in ("http://", "https://"):
            self.mount(scheme, self._transport)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does it.

        Raises:
            Unauthorised: the account's address, or a secret in a header, is such that no request can hold it.
        """
        try:
            if request.cookies or self.params or self.auth:
                return super().prepare_request(request)
            return self._prepared(request)
        except (InvalidHeader, InvalidURL, MissingSchema) as error:
            trouble = type(error).__name__
        raise Unauthorised(f"no request can be made of this account's address and secrets ({trouble}); check them")

    def _prepared(self, request: requests.Request) -> requests.PreparedRequest:
        """What ``super()`` makes where there is nothing to merge but headers, in less time."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.url = _address(request.url)
        if request.params:
            prepared.prepare_url(prepared.url, request.params)
        prepared.prepare_headers(_merged(self.headers, request.headers))
        prepared._cookies = self.cookies  # type: ignore[attr-defined]  # noqa: SLF001 - none; a redirect copies them
        prepared.prepare_body(request.data, request.files, request.json)
        if request.auth or "@" in prepared.url:
            prepared.prepare_auth(request.auth, prepared.url)
        prepared.prepare_hooks(merge_hooks(request.hooks, self.hooks))  # type: ignore[no-untyped-call]  # it has no types
        return prepared

    def merge_environment_settings(self, _url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As requests does it, without its look at the environment, which we never ask."""
        given = {"proxies": proxies or self.proxies, "stream": bool(stream), "cert": cert or self.cert}
        return given | {"verify": self.verify if verify is None else verify}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As requests does it, within the time limits; only reads are redirected.

        Raises:
            Transient: nothing can have been accepted.
            Outcome: the guard's, and nothing was sent.
            Unsure: the request left in full and no whole answer came back.
        """
        kwargs["timeout"] = kwargs.get("timeout") or self.timeout
        if request.method not in READS:
            kwargs["allow_redirects"] = False  # where that leads cannot tell whether the message was accepted
        passage = self._transport.passage
        passage.whole = passage.used = False
        self.guard()
        if not self.lasting:
            self._transport.close()
        reach("send: before connecting")
        try:
            response = self._answered(request, **kwargs)
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            outcome = self._outcome(request, error)
        else:
            reach("send: answer read")
            self.heard = {name.lower(): value for name, value in response.headers.items()}
            self.heard_at = datetime.now(UTC)
            return response
        finally:
            self.wrote = self.wrote or (passage.whole and request.method not in READS)
        raise outcome  # out here, for a chained error would carry the address and its secrets

    def _answered(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """The answer. A read that went onto a used connection which broke goes out once more, on a new one."""
        try:
            return super().send(request, **kwargs)
        except (ConnectionError, ssl.SSLError):
            if request.method not in READS or not self._transport.passage.used:
                raise
        self.lasting = False
        self._transport.close()
        return super().send(request, **kwargs)

    def fresh(self) -> None:
        """Forget what was written before: an attempt begins."""
        self.wrote = False

    def _outcome(self, request: requests.PreparedRequest, error: Exception) -> Transient | Unsure:
        host = urlsplit(request.url or "").netloc.rpartition("@")[2] or "the server"
        words = self.mask(f"{host} {self._trouble(error)}")
        if request.method in READS or not self._transport.passage.whole:
            return Transient(words)
        return Unsure(f"the answer was lost: {words}")

    def _trouble(self, error: Exception) -> str:
        """What happened, for people: the libraries' own words are long and hold addresses."""
        match error:
            case ssl.SSLError():
                return "does not speak TLS as it should"
            case NameResolutionError():
                return "has no address: its name does not resolve"
            case NewConnectionError():
                return "refused the connection"
            case TimeoutError() if self._transport.passage.whole:
                return f"said nothing for {self.timeout[1]:g} s"
            case TimeoutError() | ConnectTimeoutError():
                return f"did not answer within {self.timeout[0]:g} s"
            case TooManyRedirects():
                return "redirects without end"
            case TooLong():
                return f"answered with more than {LARGEST // 2**20} MB"
            case _:
                return f"broke the connection ({type(error).__name__})"

    def learn(self, secret: str) -> None:
        """Keep this out of every text too: a token that was handed out on the way."""
        self._veils[secret] = veil(secret)
        hide(secret)

    def mask(self, text: str) -> str:
        """``text`` without this session's secrets, however a server spells them."""
        for _, one in sorted(self._veils.items(), key=lambda item: len(item[0]), reverse=True):
            text = one.over(text)
        return text
