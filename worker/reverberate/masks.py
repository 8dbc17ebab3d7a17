"""What must stand in no text of ours: every secret that was ever revealed in this process, however it is spelled.

Servers repeat requests in their errors, and spell them as they like: as addresses, forms, JSON, HTML, base64, and one in
another. All but base64 leave letters and digits alone, so a secret is known by its runs of those, with little between them.
"""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote, quote_plus

LEAST = 6
"""A shorter text is no secret, and masking it would make every line unreadable."""
MOST = 5000
"""So many are remembered; the oldest are forgotten first, for tokens that are renewed each hour would never end."""
RUN = re.compile(r"[0-9A-Za-z]{4,}")
"""Fewer letters may stand in an escape by chance."""
ENOUGH = 12
"""A single run so long is no word; a shorter one may be ("refresh" of a secret "refresh-1")."""
SAFE = re.compile(r"[0-9A-Za-z_.~-]*")
"""What no usual escape touches."""
ROOM = 24
"""So many letters may one become, when escapes are escaped again."""
HEAD = 4
"""No mark is shorter, but for that of a secret without a run of letters."""
CLEAR = 8
"""So many letters of base64 are no accident."""


@dataclass(frozen=True, slots=True)
class Veil:
    """Masks one secret.

    Attributes:
        anchor: its first run of letters and digits: a text without it needs a look for base64 only. "" where it has none.
        spelled: it, as it is usually spelled; the longest first.
        runs: its runs, with room for whatever else becomes of the rest; None where they are too few.
        coded: what base64 makes of it and of its runs; the longest first.
        marks: a text without any of these does not hold it.
    """

    anchor: str
    spelled: tuple[str, ...]
    runs: re.Pattern[str] | None
    coded: tuple[str, ...]
    marks: tuple[str, ...]

    def over(self, text: str) -> str:
        """The text without the secret."""
        if self.anchor in text:
            text = _without(text, self.spelled)
            text = self.runs.sub("***", text) if self.runs else text
        return _without(text, self.coded)


def _without(text: str, spellings: tuple[str, ...]) -> str:
    for one in spellings:
        if one in text:
            text = text.replace(one, "***")
    return text


def veil(secret: str) -> Veil:
    """What masks this secret, which is not empty."""
    runs = list(RUN.finditer(secret))
    coded = set().union(
        *map(_coded, (secret, *(run[0] for run in runs)))
    )  # each run too: the rest may be escaped within
    anchor, codes = runs[0][0] if runs else "", tuple(sorted(coded, key=len, reverse=True))
    return Veil(
        anchor=anchor,
        spelled=tuple(sorted(_usual(secret), key=len, reverse=True)),
        runs=_pattern(runs) if len(runs) > 1 or len(anchor) >= ENOUGH else None,
        coded=codes,
        marks=(anchor, *codes),
    )


def _pattern(runs: list[re.Match[str]]) -> re.Pattern[str]:
    gaps = ((after.start() - before.end(), after[0]) for before, after in pairwise(runs))
    rest = "".join(f"(?>.{{0,{gap * ROOM}}}?{run})" for gap, run in gaps)  # atomic: no text takes long
    return re.compile(runs[0][0] + rest, re.DOTALL)


class Masks:
    """Masks many secrets. A text is looked through once, however many they are: by what their marks begin with."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._hidden: dict[str, Veil] = {}
        self._used: dict[
            str, None
        ] = {}  # the same, in the order of their last use: apart, for none may be away for a moment
        self._heads: dict[str, tuple[str, ...]] = {}  # the secrets of which a mark begins so

    def hide(self, secret: str) -> None:
        """Keep this out of every text from now on."""
        if len(secret) < LEAST:
            return
        if secret not in self._hidden:
            self._hidden[secret] = veil(secret)
            for head in _heads(self._hidden[secret]):
                self._heads[head] = (*self._heads.get(head, ()), secret)
        self._used.pop(secret, None)
        self._used[secret] = None
        while len(self._used) > self._most:
            self._forget(next(iter(self._used)))

    def over(self, text: str) -> str:
        """The text without them; the longest go first, for one may be a part of another."""
        near = set(self._heads.get("", ()))
        for at in range(len(text) - HEAD + 1):
            if found := self._heads.get(text[at : at + HEAD]):
                near.update(found)
        for secret in sorted(near, key=len, reverse=True):
            one = self._hidden.get(secret)
            text = one.over(text) if one else text
        return text

    def _forget(self, secret: str) -> None:
        self._used.pop(secret, None)
        one = self._hidden.pop(secret, None)
        for head in _heads(one) if one else ():
            rest = tuple(other for other in self._heads.get(head, ()) if other != secret)
            if rest:
                self._heads[head] = rest
            else:
                self._heads.pop(head, None)


def _heads(one: Veil) -> set[str]:
    return {mark[:HEAD] for mark in one.marks}


_all = Masks()


def hide(secret: str) -> None:
    """Keep this out of every log from now on."""
    _all.hide(secret)


def mask(text: str) -> str:
    """The text without them."""
    return _all.over(text)


def _usual(secret: str) -> set[str]:
    """Masked whole, and where there are few letters and digits to know it by."""
    addresses = {
        quote(secret, errors="replace"),
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return addresses | {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret)}


def _coded(secret: str) -> set[str]:
    """What base64 makes of a text around it, without the letters that depend on what stands before and after."""
    raw = secret.encode("utf-8", "surrogatepass")
    found = set()
    for before in range(3):
        whole = (before + len(raw)) // 3 * 3 - before  # up to the last letter that nothing after it changes
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(code(b"\0" * before + raw[:whole]).decode()[4 if before else 0 :])
    return {code for code in found if len(code) >= CLEAR}
