"""What must stand in no log: every secret that was ever revealed in this process, in the spellings that leak."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

LEAST = 6
"""A shorter text is no secret, and masking it would make every line unreadable."""
MOST = 5000
"""So many are remembered; the oldest are forgotten first, for tokens that are renewed each hour would never end."""
_hidden: dict[str, tuple[str, ...]] = {}


def hide(secret: str) -> None:
    """Keep this out of every log from now on."""
    if len(secret) >= LEAST:
        _hidden.pop(secret, None)
        _hidden[secret] = _spellings(secret)
        while len(_hidden) > MOST:
            _hidden.pop(next(iter(_hidden)), None)


def _spellings(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "surrogatepass")
    coded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    plain = {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    escaped |= {
        deeper for one in escaped for deeper in (json.dumps(one)[1:-1], repr(one)[1:-1], one.replace("'", "\\'"))
    }
    return tuple(sorted({*plain, *escaped, *(one.rstrip("=") for one in coded)}, key=len, reverse=True))


def mask(text: str) -> str:
    """The text without them."""
    for spellings in list(_hidden.values()):
        for spelling in spellings:
            if spelling in text:
                text = text.replace(spelling, "***")
    return text
