"""Canaries for secrets, a server that repeats them in its errors, and a search for them in every spelling."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from reverberate.testing import Asked, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

AWKWARD = "/+&\"<%>'= "
"""What is spelled otherwise in addresses, JSON, HTML and Python's own words."""
LEAST = 12


def core(name: str, end: str) -> str:
    """Twelve and more letters and digits that stand nowhere by chance."""
    return f"cn{hashlib.sha256(f'{name} {end}'.encode()).hexdigest()[:LEAST]}"


def canary(name: str) -> str:
    """A secret whose two halves are known again however the middle is spelled."""
    return f"{core(name, 'begin')}{AWKWARD}{core(name, 'end')}"


def needles(secret: str) -> tuple[str, ...]:
    """What of a secret betrays it: its runs of letters and digits that are long enough to be no accident."""
    runs = "".join(letter if letter.isalnum() else " " for letter in secret).split()
    found = tuple(run for run in runs if len(run) >= LEAST)
    assert found, "this secret could not be found again"
    return found


def spellings(needle: str) -> dict[str, bytes]:
    """How it may stand somewhere. Escaping does not touch letters and digits; encoding all of it does."""
    raw = needle.encode()
    shifted = {}
    for before in range(3):  # base64 looks otherwise by where in its text the secret begins
        code = base64.b64encode(b"\0" * before + raw)
        kept = len(code) - len(code) % 4 - 4
        shifted[f"base64, shifted by {before}"] = code[4 if before else 0 : kept]
    return {"plain": raw, "backwards": raw[::-1], "hexadecimal": raw.hex().encode(), **shifted}


def leaks(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Which secret stands in which place, in which spelling."""
    return [
        f"{name} in {place} ({how})"
        for name, secret in secrets.items()
        for needle in needles(secret)
        for how, spelling in spellings(needle).items()
        for place, content in places.items()
        if spelling in content
    ]


def _json(text: str) -> bytes:
    return json.dumps(
        {"error": {"message": text, "code": text}, "description": text, "errors": [{"detail": text}]}
    ).encode()


SAYINGS: tuple[tuple[int, str, Callable[[str], bytes]], ...] = (
    (500, "application/json", _json),
    (403, "text/html", lambda text: f"<h1>No</h1><pre>{html.escape(text)}</pre>".encode()),
    (429, "text/plain", lambda text: quote_plus(text).encode()),
    (400, "application/json", lambda text: json.dumps({"error": text, "reason": text, "message": text}).encode()),
    (502, "text/plain", lambda text: json.dumps(json.dumps(text)).encode()),
    (401, "text/plain", lambda text: repr(text).encode()),
    (404, "text/plain", lambda text: quote(text).encode()),
    (422, "text/plain", lambda text: base64.b64encode(text.encode())),
    (200, "text/html", lambda text: text.encode()),
)
"""How it says no: the status, the kind, and how the request is spelled in it."""


class Echo(ScriptedServer):
    """A network that answers every request with an error that repeats it, each time in another way.

    Every eleventh answer is a redirection to an address with the secrets, every twelfth breaks off amid them.
    """

    def __init__(self, session: Mapping[str, str]) -> None:
        super().__init__(self._echoed)
        self._turns = itertools.count()
        self._session = json.dumps({"did": "did:plc:a", "handle": "a.test", **session}).encode()

    def _echoed(self, asked: Asked) -> Reply:
        turn = next(self._turns)
        if "createSession" in asked.target and turn % 3:
            return Reply(body=self._session)
        told = "\n".join(_lines(asked))
        turn %= len(SAYINGS) + 2
        if turn == len(SAYINGS):
            return Reply(status=302, headers={"Location": f"{self.url}/elsewhere?{quote_plus(told)[:2000]}"})
        if turn > len(SAYINGS):
            return Reply(status=500, body=_json(told), cut=200 + len(told), reset=True)
        status, kind, spell = SAYINGS[turn]
        return Reply(status=status, headers={"Content-Type": kind}, body=spell(told))


def _lines(asked: Asked) -> Iterator[str]:
    yield f"{asked.headers.get('authorization', '')} {asked.method} {asked.target}"
    yield from (f"{name}: {value}" for name, value in asked.headers.items())
    yield asked.body.decode("latin-1")
