"""What Bluesky makes clickable: links, mentions and tags, each at its place in UTF-8 bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import regex

from reverberate.text.tlds import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG_LONGEST: Final = 64
_INVISIBLE: Final = r"\u00ad\u2060\u200a-\u200d\u20e2"
_MENTION: Final = re.compile(r"(?:^|(?<=[\s(]))@([a-zA-Z0-9.-]+)\b")
_LINK: Final = re.compile(
    r"(?:^|(?<=[\s(]))(?:https?://\S+|(?P<host>[a-z][a-z0-9]*(?:\.[a-z0-9]+)+)\S*)", re.IGNORECASE | re.MULTILINE
)
_TAG: Final = regex.compile(
    rf"(?:^|(?<=\s))[#\uff03](?!\ufe0f)([^\s{_INVISIBLE}]*[^\d\s\p{{P}}{_INVISIBLE}][^\s{_INVISIBLE}]*)"
)
_TAG_TAIL: Final = regex.compile(r"\p{P}+$")
_CASHTAG: Final = re.compile(r"(?:^|(?<=[\s(]))\$([A-Za-z][A-Za-z0-9]{0,4})(?=\s|$|[.,;:!?)\"'\u2019])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One clickable stretch of a text.

    Attributes:
        start: where it begins, in UTF-8 bytes.
        end: where it ends, exclusive, in UTF-8 bytes.
        kind: "link", "mention" or "tag".
        value: the whole address, the handle without ``@``, or the tag without ``#``.
    """

    start: int
    end: int
    kind: str
    value: str


def detect(text: str) -> tuple[Facet, ...]:
    """The facets of a text, in their order. A mention is one by its form; whether the handle exists is not known."""
    found = sorted([*_mentions(text), *_links(text), *_tags(text), *_cashtags(text)])
    facets: list[Facet] = []
    bytes_at, character = 0, 0
    for start, end, kind, value in found:
        if start < character:
            continue  # a facet may not overlap the one before
        begin = bytes_at + _size(text[character:start])
        bytes_at, character = begin + _size(text[start:end]), end
        facets.append(Facet(start=begin, end=bytes_at, kind=kind, value=value))
    return tuple(facets)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _mentions(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in _MENTION.finditer(text):
        if _is_host(match[1]) or match[1].endswith(".test"):
            yield match.start(), match.end(), "mention", match[1]


def _links(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in _LINK.finditer(text):
        bare = match["host"]
        if bare and not _is_host(bare):
            continue
        shown = _without_tail(match[0])
        yield match.start(), match.start() + len(shown), "link", f"https://{shown}" if bare else shown


def _without_tail(link: str) -> str:
    """``link`` without what closes the sentence or the bracket around it."""
    if link[-1] in ".,;:!?":
        link = link[:-1]
    return link[:-1] if link.endswith(")") and "(" not in link else link


def _tags(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in _TAG.finditer(text):
        tag = _TAG_TAIL.sub("", match[1])
        if 0 < len(tag) <= _TAG_LONGEST:
            yield match.start(), match.start() + 1 + len(tag), "tag", tag


def _cashtags(text: str) -> Iterator[tuple[int, int, str, str]]:
    for match in _CASHTAG.finditer(text):
        yield match.start(), match.end(), "tag", match[0].upper()


def _is_host(name: str) -> bool:
    return name.rpartition(".")[2].lower() in CURRENT and "." in name
