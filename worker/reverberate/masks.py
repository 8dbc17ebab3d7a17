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
ROOM = 24
"""So many letters may one become, when escapes are escaped again."""
CLEAR = 8
"""So many letters of base64 are no accident."""
_hidden: dict[str, Veil] = {}


@dataclass(frozen=True, slots=True)
class Veil:
    """Masks one secret.

    Attributes:
        spelled: it, as it is usually spelled, and what base64 makes of it; the longest first.
        runs: its runs of letters and digits, with room for whatever else becomes of the rest; None where they are too few.
        anchor: the first run: a text without it needs no closer look.
    """

    spelled: tuple[str, ...]
    runs: re.Pattern[str] | None
    anchor: str

    def over(self, text: str) -> str:
        """The text without the secret."""
        for one in self.spelled:
            if one in text:
                text = text.replace(one, "***")
        return self.runs.sub("***", text) if self.runs and self.anchor in text else text


def veil(secret: str) -> Veil:
    """What masks this secret, which is not empty."""
    runs = list(RUN.finditer(secret))
    coded = set().union(
        *map(_coded, (secret, *(run[0] for run in runs)))
    )  # each run too: the rest may be escaped within
    spelled = sorted(_usual(secret) | coded, key=len, reverse=True)
    if sum(len(run[0]) for run in runs) < LEAST:
        return Veil(tuple(spelled), None, "")
    gaps = ((after.start() - before.end(), after[0]) for before, after in pairwise(runs))
    rest = "".join(f"(?>.{{0,{gap * ROOM}}}?{run})" for gap, run in gaps)  # atomic: no text takes long
    return Veil(tuple(spelled), re.compile(runs[0][0] + rest, re.DOTALL), runs[0][0])


def hide(secret: str) -> None:
    """Keep this out of every log from now on."""
    if len(secret) >= LEAST:
        known = _hidden.pop(secret, None)
        _hidden[secret] = known or veil(secret)
        while len(_hidden) > MOST:
            _hidden.pop(next(iter(_hidden)), None)


def mask(text: str) -> str:
    """The text without them."""
    for one in list(_hidden.values()):
        text = one.over(text)
    return text


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
