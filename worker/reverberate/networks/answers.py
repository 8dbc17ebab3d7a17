"""What vendors answer: reading it, and what it means where it is no success.

What an answer means is data: a network lists rows (``Means``), the first that fits holds, and behind them stand those
that hold everywhere (``USUAL``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverberate.errors import Outcome, OutOfCredit, RateLimited, Refused, Transient, Unauthorised, Unsure

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import requests


@dataclass(frozen=True, slots=True)
class Means:
    """A row of a network's table: what an answer means that is no success, where all that the row names holds.

    Attributes:
        outcome: what it means. To a read, Unsure is Transient: nothing was posted by one.
        status: the HTTP statuses; all where it names none.
        codes: the vendor's own codes, one of which was told; all where it names none.
        words: what the answer's words hold one of, in small letters; all where it names none.
        header: what the answer's headers have; all where it names none.
        path: what the address that was asked ends with; any where it names none.
        writes: whether it was asked to write; either where it names none.
        wait: how long it lasts, where the answer tells nothing and the vendor is known for it.
        hint: what is said after the vendor's words.
    """

    outcome: type[Outcome]
    status: Container[int] | None = None
    codes: Container[object] | None = None
    words: Sequence[str] = ()
    header: str = ""
    path: str = ""
    writes: bool | None = None
    wait: timedelta | None = None
    hint: str = ""

    def fits(self, response: requests.Response, *, codes: Iterable[object], words: str, writes: bool) -> bool:
        """Whether all that the row names holds."""
        return (
            (self.status is None or response.status_code in self.status)
            and (self.codes is None or any(code in self.codes for code in codes))
            and (not self.words or any(one in words.lower() for one in self.words))
            and (not self.header or self.header in response.headers)
            and str(response.url or "").endswith(self.path)
            and self.writes in {None, writes}
        )

    def made(self, words: str, *, status: int, writes: bool, now: datetime, until: datetime | None) -> Outcome:
        """The outcome itself; ``until`` is what the answer tells of how long to wait."""
        told = f"{words}; {self.hint}" if self.hint else words
        if self.outcome is RateLimited:
            return RateLimited(told, status=status, until=now + self.wait if self.wait else until)
        if self.outcome is Transient or (self.outcome is Unsure and not writes):
            return Transient(told, status=status, after=self.wait)
        return self.outcome(told, status=status)


USUAL = (
    Means(Unauthorised, {401}),
    Means(OutOfCredit, {402}),
    Means(RateLimited, {429}),
    Means(Unsure, {408, 425, *range(500, 1000)}),
    Means(Refused),
)
"""What statuses mean wherever a vendor says nothing else."""


def read_object(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of a successful answer to a read.

    Raises:
        Transient: the body is none; asking again is harmless.
    """
    body = _body(response)
    if body is None:
        raise Transient("the answer was a success but not readable as JSON", status=response.status_code)
    return body


def read_list(response: requests.Response) -> list[Any]:
    """The JSON list of a successful answer to a read. Raises as ``read_object``."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, list):
        raise Transient("the answer was a success but not readable as a list", status=response.status_code)
    return body


def json_object(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of a successful answer to a write.

    Raises:
        Unsure: the body is none; the server said 2xx, so it may well have the message.
    """
    body = _body(response)
    if body is None:
        raise Unsure("the answer was a success but not readable as JSON", status=response.status_code)
    return body


def body_of(response: requests.Response, *keys: str) -> Mapping[str, Any]:
    """The JSON object of any answer, an error's too, or that which lies in it below ``keys``; empty where it is none."""
    body = _body(response)
    for key in keys:
        body = body.get(key) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def codes_in(body: Mapping[str, Any], *keys: str) -> tuple[int | str, ...]:
    """The vendor's codes that stand in an object under these keys; what is neither number nor word is none."""
    told = (body.get(key) for key in keys)
    return tuple(code for code in told if code and isinstance(code, int | str) and code is not True)


def _body(response: requests.Response) -> Mapping[str, Any] | None:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


@contextmanager
def missing_is_fine() -> Iterator[None]:
    """Deleting what is gone already: an answer of 404 or 410 is no trouble."""
    try:
        yield
    except Outcome as outcome:
        if outcome.status not in {404, 410}:
            raise


@contextmanager
def fine_if(*words: str) -> Iterator[None]:
    """An outcome in whose words one of these stands, in small letters, is no trouble."""
    try:
        yield
    except Outcome as outcome:
        if not any(one in outcome.words.lower() for one in words):
            raise
