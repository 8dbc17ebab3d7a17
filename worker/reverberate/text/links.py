"""Links in a text, as the networks that count them differently find them.

Both X and Mastodon go by the rules of twitter-text: a host whose last label is a known top-level domain, a path and a
query that end where punctuation does. X takes a bare ``example.dev`` for a link too; Mastodon wants the scheme, and
lets a path hold any letter. Every text is searched in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from reverberate.text.tlds import KNOWN

_ACCENTED: Final = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    "\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_CYRILLIC: Final = "\u0400-\u04ff"
_MARKS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # of writing direction
_SPACES: Final = "\t-\r \u0085\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NOT_BEFORE: Final = r"(?<![A-Za-z0-9@\uff20$#\uff03\ufffe\ufeff\uffff])"
_LABEL_LONGEST: Final = 63
_LINK_LONGEST: Final = 4096

_HOST: Final = re.compile(rf"(?:[^!'\"#%&()*+,\\/:;<=>?@\[\]^{{|}}~${_SPACES}{_MARKS}\ufffe\ufeff\uffff]+)")
"""A run of what may stand in a host after a scheme, dots, hyphens and underscores included."""
_LATIN_TLD: Final = re.compile(r"xn--[-0-9a-z]+|[a-z]+(?![-0-9a-z@+])", re.IGNORECASE)
_OTHER_TLDS: Final = frozenset(name for name in KNOWN if not name.isascii())
_OTHER_LONGEST: Final = max(map(len, _OTHER_TLDS))
_TLD_GOES_ON: Final = re.compile(r"[-0-9A-Za-z@+]")
_TCO: Final = re.compile(
    r"https?://t\.co/([a-z0-9]+)(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?", re.IGNORECASE
)
_TCO_LONGEST: Final = 40


class Span(NamedTuple):
    """Where a link stands: indices into the text, ``end`` exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Rules:
    """One network's idea of a link: where one may begin, and what its path and query may hold and end with."""

    begin: re.Pattern[str]
    path: re.Pattern[str]
    path_tail: str
    query: re.Pattern[str]
    query_tail: str


def _path(general: str) -> re.Pattern[str]:
    """A slash and a run of path characters, with brackets that close again, one inside another at most."""
    return re.compile(
        rf"(?::[0-9]+)?/(?:{general}+|\((?:{general}+|{general}*\({general}+\){general}*)\))*", re.IGNORECASE
    )


_X: Final = _Rules(
    begin=re.compile(
        rf"{_NOT_BEFORE}(?:(?P<scheme>https?://)|(?<![-_./])(?=[0-9a-z{_ACCENTED}])"
        rf"(?P<bare>(?:[-0-9a-z{_ACCENTED}]{{1,{_LABEL_LONGEST}}}\.)+))",
        re.IGNORECASE,
    ),
    path=_path(rf"[a-z0-9{_CYRILLIC}{_ACCENTED}!*';:=+,.$/%#\[\]\-\u2013_~@|&]"),
    path_tail="!*';:,.$%[]~|&@\u2013",
    query=re.compile(r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*", re.IGNORECASE),
    query_tail="!?*'@();:+$%[].,~|",
)
_MASTODON: Final = _Rules(
    begin=re.compile(rf"{_NOT_BEFORE}(?P<scheme>(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://)", re.IGNORECASE),
    path=_path(rf"[^{_SPACES}<>()?]"),
    path_tail="!*\"'\u300c\u300d<>;:=,.$%[]~&|@",
    query=re.compile(r"\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^\u00a0-\U0010ffff]*", re.IGNORECASE),
    query_tail="!?*'();:+$%[].,~|@^",
)


def x_links(text: str) -> list[Span]:
    """The links that X would shorten; ``text`` in normal form C."""
    return _find(text, _X) if "." in text else []


def mastodon_links(text: str) -> list[Span]:
    """The links that Mastodon counts as 23 characters."""
    return _find(text, _MASTODON) if "://" in text else []


def _find(text: str, rules: _Rules) -> list[Span]:
    found: list[Span] = []
    position = 0
    while match := rules.begin.search(text, position):
        bare = match.lastgroup == "bare"
        end, position = _bare(text, match, rules) if bare else _schemed(text, match, rules)
        if end:
            found.append(Span(match.start(), end))
    return found


def _schemed(text: str, match: re.Match[str], rules: _Rules) -> tuple[int, int]:
    """Where a link with a scheme ends (0: it is none), and where to search on."""
    host = _HOST.match(text, match.end())
    if host is None:
        return 0, match.end()
    end = _host_end(text, match.end(), host.end())
    if not end:
        return 0, host.end()
    whole = _query_end(text, _path_end(text, end, rules), rules)
    if tco := _TCO.match(text, match.start(), whole):
        return (tco.end(), tco.end()) if len(tco[1]) <= _TCO_LONGEST else (0, whole)
    sound = _encodable(text[match.end() : end]) and whole - match.start() <= _LINK_LONGEST
    return (whole if sound else 0), whole


def _bare(text: str, match: re.Match[str], rules: _Rules) -> tuple[int, int]:
    """As ``_schemed``. Without a scheme a port or a query counts only together with a path."""
    dots = [match.start() + index for index, char in enumerate(match[0]) if char == "."]
    end = next((end for dot in reversed(dots) if (end := _tld_end(text, dot + 1))), 0)
    if not end or not _encodable(text[match.start() : end]):
        return 0, max(end, match.end())
    pathed = _path_end(text, end, rules)
    end = _query_end(text, pathed, rules) if pathed > end else end
    return end, end


def _host_end(text: str, start: int, stop: int) -> int:
    """Where the longest host from ``start`` ends; 0 if there is none before ``stop``."""
    best, label = 0, start
    for index in range(start, stop):
        if text[index] != ".":
            continue
        if not _sound_label(text[label:index]):
            break
        if "_" not in text[label:index]:
            best = _tld_end(text, index + 1) or best
        label = index + 1
    return best


def _sound_label(label: str) -> bool:
    return bool(label) and label[0] not in "-_" and label[-1] not in "-_"


def _tld_end(text: str, start: int) -> int:
    """Where the top-level domain that begins at ``start`` ends; 0 if none does."""
    if (latin := _LATIN_TLD.match(text, start)) and (latin[0].startswith("xn--") or latin[0].lower() in KNOWN):
        return latin.end()
    if text[start : start + _OTHER_LONGEST].isascii():
        return 0
    for end in range(min(start + _OTHER_LONGEST, len(text)), start, -1):
        if text[start:end].lower() in _OTHER_TLDS and not _TLD_GOES_ON.match(text, end):
            return end
    return 0


def _encodable(host: str) -> bool:
    """Whether each label has a form that name servers take."""
    return all(_encoded_length(label) <= _LABEL_LONGEST for label in host.split("."))


def _encoded_length(label: str) -> int:
    if label.isascii():
        return len(label)
    if label.lower().startswith("xn--"):
        return _LABEL_LONGEST + 1  # says that it is encoded, and is not
    return len("xn--") + len(label.encode("punycode", "replace"))


def _path_end(text: str, start: int, rules: _Rules) -> int:
    if match := rules.path.match(text, start):
        slash = text.index("/", start)
        return slash + max(1, len(text[slash : match.end()].rstrip(rules.path_tail)))
    port = re.compile(r":[0-9]+").match(text, start)
    return port.end() if port else start


def _query_end(text: str, start: int, rules: _Rules) -> int:
    match = rules.query.match(text, start)
    return start + len(match[0].rstrip(rules.query_tail)) if match else start
