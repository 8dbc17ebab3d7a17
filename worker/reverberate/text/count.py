"""Counting as the networks count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import is_normalized, normalize

import regex

from reverberate.text import graphemes
from reverberate.text.escape import written
from reverberate.text.limits import Unit
from reverberate.text.links import mastodon_links, x_links

if TYPE_CHECKING:
    from reverberate.text.limits import Limit

_HEAVY: Final = re.compile(r"[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")
"""What weighs two on X; the rest weighs one."""
_JOINS: Final = r"\u20e3\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_JOINED: Final = re.compile(rf".(?:[\u200d{_JOINS}]|(?<=\u200d).)+", re.DOTALL)
"""Only here can an emoji be more than one character; looking for this first is much faster."""
_EMOJI_PART: Final = (
    r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f?)"
    r"(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI: Final = regex.compile(
    rf"[#*0-9]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}|(?![\u00a9\u00ae](?!\ufe0f)){_EMOJI_PART}(?:\u200d{_EMOJI_PART})*"
)
"""Any emoji sequence by its grammar (UTS #51), so that those of later years count right too."""
_ONE_EMOJI: Final = "\u3000"  # any one character that weighs two
_WORD: Final = r"[\w\u0300-\u036f]"
_MENTION: Final = re.compile(
    rf"(?<![=/\w])@([a-z0-9_]++(?:[.-]++[a-z0-9_]++)*+)(?:@{_WORD}++(?:[.-]++{_WORD}++)*+)?+(?![@\uff20]|://)",
    re.IGNORECASE,
)
_HASHTAG: Final = re.compile(r"[#\uff03]\w")


def count(text: str, limit: Limit, *, warning: str = "") -> int:
    """How much of ``limit.maximum`` the text takes, before it is escaped.

    ``warning`` is the content warning above it, for networks that count both together: Mastodon and its kin. A link in
    it counts as it is written.
    """
    if limit.escape:
        text = written(text, limit.escape)
    match limit.unit:
        case Unit.WEIGHTED:
            return _weighted(warning + text, limit.link)
        case Unit.GRAPHEMES:
            return graphemes.count(warning + (text if limit.link is None else _countable(text, limit.link)))
        case Unit.CHARACTERS:
            return len(warning) + len(text)
        case Unit.UTF16:
            return _utf16(warning) + _utf16(text)
        case Unit.BYTES:
            return _bytes(warning) + _bytes(text)


def fits(text: str, limit: Limit, *, warning: str = "") -> bool:
    """Whether the network takes the text as one message part."""
    if limit.max_bytes is not None and _bytes(text) > limit.max_bytes:
        return False
    if limit.tags is not None and len(_HASHTAG.findall(text)) > limit.tags:
        return False
    return count(text, limit, warning=warning) <= limit.maximum


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _weighted(text: str, link: int | None) -> int:
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    spans = [] if link is None else x_links(text)
    shown = _replaced(text, [(start, end, "\n") for start, end in spans])
    return _weight(shown) + len(spans) * ((link or 1) - len("\n"))


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    text = _JOINED.sub(_without_joins, text)
    return len(text) + sum(map(len, _HEAVY.findall(text)))


def _without_joins(match: re.Match[str]) -> str:
    return _EMOJI.sub(_ONE_EMOJI, match[0])


def _countable(text: str, link: int) -> str:
    """What Mastodon counts: each link as so many characters, each remote mention as its local part."""
    spans = [(start, end, "x" * link) for start, end in mastodon_links(text)]
    if "@" in text:
        spans += [(match.start(), match.end(), f"@{match[1]}") for match in _MENTION.finditer(text)]
    return _replaced(text, sorted(spans))


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """``text`` with other words in place of the spans; one that overlaps the one before it stays."""
    made: list[str] = []
    done = 0
    for start, end, words in spans:
        if start >= done:
            made += text[done:start], words
            done = end
    return "".join([*made, text[done:]])
