"""Links in a text, as the networks that count them differently find them.

Both X and Mastodon go by the rules of twitter-text: a host whose last label is a known top-level domain, a path and a
query that end where punctuation does. X takes a bare ``example.dev`` for a link too; Mastodon wants the scheme, and
lets a path hold any letter. Every text is searched in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from reverberate.text.tlds import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

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

_NO_HOST: Final = rf"!'\"#%&()*+,\\/:;<=>?@\[\]^{{|}}~${_SPACES}{_MARKS}\ufffe\ufeff\uffff"
"""What stands in no host."""
_LABEL: Final = re.compile(rf"[^-._{_NO_HOST}](?:[^.{_NO_HOST}]*[^-._{_NO_HOST}])?\.")
_LABEL_STOP: Final = re.compile(rf"[.{_NO_HOST}]")
_HOST_LONGEST: Final = 512
_LATIN_HOST: Final = re.compile(rf"(?:[-0-9a-z{_ACCENTED}]+\.)+", re.IGNORECASE)
_SKIPPED_AFTER: Final = frozenset("-_./")
"""What follows one of these on X is no link, unless it has a scheme."""
_LATIN_TLD: Final = re.compile(r"xn--[-0-9a-z]+|[a-z]+(?![-0-9a-z@+])", re.IGNORECASE)
_OTHER_TLDS: Final = frozenset(name for name in KNOWN if not name.isascii())
_OTHER_LONGEST: Final = max(map(len, _OTHER_TLDS))
_TLD_GOES_ON: Final = re.compile(r"[-0-9A-Za-z@+]")
_PORT: Final = re.compile(r":[0-9]+")
_WORD_END: Final = re.compile(r"[ \n]")
_WORD_ENDS: Final = frozenset(["", " ", "\n"])
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
    begin=re.compile(rf"{_NOT_BEFORE}(?:(?P<scheme>https?://)|(?=[^-._{_NO_HOST}]))", re.IGNORECASE),
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
    return _find(text, _X)


def mastodon_links(text: str) -> list[Span]:
    """The links that Mastodon counts as 23 characters."""
    return _find(text, _MASTODON) if "://" in text else []


def _find(text: str, rules: _Rules) -> list[Span]:
    found: list[Span] = []
    for start, stop in _dotted(text):
        position = start
        while match := rules.begin.search(text, position, stop):
            spans, position = (_schemed if match["scheme"] else _bare)(text, match, rules)
            found += spans
    return found


def _dotted(text: str) -> Iterator[tuple[int, int]]:
    """The words that have a dot inside: no link is without one, and none goes on after a space or a line's end."""
    stop, dot = 0, text.find(".")
    while dot >= 0:
        if text[dot + 1 : dot + 2] not in _WORD_ENDS:
            start = max(stop, text.rfind(" ", stop, dot) + 1, text.rfind("\n", stop, dot) + 1)
            stop = end.start() if (end := _WORD_END.search(text, dot)) else len(text)
            yield start, stop
        dot = text.find(".", max(stop, dot + 1))


def _schemed(text: str, match: re.Match[str], rules: _Rules) -> tuple[list[Span], int]:
    """The link with a scheme, if it is one, and where to search on: something must stand between two links."""
    start, named = match.span()
    end, _ = _host(text, named)
    if not end:
        return [], named
    whole = _query_end(text, _path_end(text, end, rules), rules)
    if tco := _TCO.match(text, start, whole):
        return ([Span(start, tco.end())] if len(tco[1]) <= _TCO_LONGEST else []), whole + 1
    sound = _encodable(text[named:end]) and whole - start <= _LINK_LONGEST
    return ([Span(start, whole)] if sound else []), whole + 1


def _bare(text: str, match: re.Match[str], rules: _Rules) -> tuple[list[Span], int]:
    """As ``_schemed``. Of a host in any script only what is Latin makes links; a path and its query belong to the last.

    A port or a query without a path belongs to none, and is not searched either.
    """
    start = match.start()
    if start == 0 and not text[0].isascii() and text[1:2] not in _SKIPPED_AFTER:
        return [], 1  # what could stand before a link is taken for just that
    end, stopped = _host(text, start)
    if not end:
        return [], _beyond(text, start, stopped)
    pathed = _path_end(text, end, rules)
    whole = _query_end(text, pathed, rules)
    sound = text[start - 1 : start] not in _SKIPPED_AFTER and _encodable(text[start:end])
    spans = list(_latin(text, start, end)) if sound else []
    if spans and "/" in text[end:pathed]:
        spans[-1] = Span(spans[-1].start, whole)
    return spans, whole + 1


def _latin(text: str, position: int, stop: int) -> Iterator[Span]:
    """The hosts in Latin script within a longer host."""
    while match := _LATIN_HOST.search(text, position, stop):
        position = match.end()
        dot, end = position - 1, 0
        while dot >= match.start() and not (end := _tld_end(text, dot + 1)):
            dot = text.rfind(".", match.start(), dot)
        if end:
            position = max(position, end)
            yield Span(match.start(), end)


def _host(text: str, start: int) -> tuple[int, int]:
    """Where the longest host from ``start`` ends, 0 if there is none, and the first place where no label stands."""
    best, label = 0, start
    while (name := _LABEL.match(text, label)) and label - start < _HOST_LONGEST:
        label = name.end()
        if "_" not in name[0]:
            best = _tld_end(text, label) or best
    return best, label


def _beyond(text: str, start: int, label: int) -> int:
    """Where the next link may begin after a host that is none and stops at ``label``."""
    ending = _LABEL_STOP.search(text, label)
    stop = ending.start() if ending else len(text)
    if text.startswith("://", stop):
        return max(start + 1, stop - len("https"))
    if text[stop : stop + 1] != ".":
        return stop
    return stop + 1 if text[stop - 1] in _SKIPPED_AFTER else label + 1


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
    if len(host) <= _LABEL_LONGEST and host.isascii():
        return True
    return all(_encoded_length(label) <= _LABEL_LONGEST for label in host.split("."))


@lru_cache(maxsize=1024)  # a text is counted many times while it is fitted, and this is slow
def _encoded_length(label: str) -> int:
    if label.isascii() or len(label) > _LABEL_LONGEST:
        return len(label)
    if label.lower().startswith("xn--"):
        return _LABEL_LONGEST + 1  # says that it is encoded, and is not
    return len("xn--") + len(label.encode("punycode", "replace"))


def _path_end(text: str, start: int, rules: _Rules) -> int:
    if match := rules.path.match(text, start):
        slash = text.index("/", start)
        return slash + max(1, len(text[slash : match.end()].rstrip(rules.path_tail)))
    port = _PORT.match(text, start)
    return port.end() if port else start


def _query_end(text: str, start: int, rules: _Rules) -> int:
    match = rules.query.match(text, start)
    return start + len(match[0].rstrip(rules.query_tail)) if match else start
