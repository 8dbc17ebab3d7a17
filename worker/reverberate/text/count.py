"""Counting as the networks count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import is_normalized, normalize

import regex

from reverberate.text import graphemes
from reverberate.text.limits import Unit
from reverberate.text.links import mastodon_links, x_links

if TYPE_CHECKING:
    from reverberate.text.limits import Limit
    from reverberate.text.links import Span

_HEAVY: Final = re.compile(r"[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
"""What weighs two on X; the rest weighs one."""
_JOINING: Final = re.compile(r"[\u200d\u20e3\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Only where one of these stands can an emoji be more than one character."""
_EMOJI_PART: Final = (
    r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Extended_Pictographic}\ufe0f?)"
    r"(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI: Final = regex.compile(
    rf"[#*0-9]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}|(?![\u00a9\u00ae](?!\ufe0f)){_EMOJI_PART}(?:\u200d{_EMOJI_PART})*"
)
"""Any emoji sequence by its grammar (UTS #51), so that those of later years count right too."""
_ONE_EMOJI: Final = "\u3000"  # any one character that weighs two
_MENTION: Final = re.compile(
    r"(?<![=/\w])@([a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)(@\w+(?:[.-]+\w+)*)?(?![@\uff20]|://)", re.IGNORECASE
)


def count(text: str, limit: Limit) -> int:
    """How much of ``limit.maximum`` the text takes."""
    match limit.unit:
        case Unit.WEIGHTED:
            return _weighted(text, limit.link)
        case Unit.GRAPHEMES:
            return graphemes.count(text) if limit.link is None else _mastodon(text, limit.link)
        case Unit.CHARACTERS:
            return len(text)
        case Unit.UTF16:
            return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
        case Unit.BYTES:
            return _bytes(text)


def fits(text: str, limit: Limit) -> bool:
    """Whether the network takes the text as one message part."""
    if limit.max_bytes is not None and _bytes(text) > limit.max_bytes:
        return False
    return count(text, limit) <= limit.maximum


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _weighted(text: str, link: int | None) -> int:
    if text.isascii():
        spans = x_links(text)
        return len(text) - sum(end - start for start, end in spans) + _cost(spans, link)
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    spans = x_links(text)
    return sum(map(_weight, _between(text, spans))) + _cost(spans, link)


def _cost(spans: list[Span], link: int | None) -> int:
    return sum(end - start if link is None else link for start, end in spans)


def _between(text: str, spans: list[Span]) -> list[str]:
    """What is left of the text without the spans."""
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    if _JOINING.search(text):
        text = _EMOJI.sub(_ONE_EMOJI, text)
    return len(text) + len(_HEAVY.findall(text))


def _mastodon(text: str, link: int) -> int:
    """Graphemes, with links at their fixed price and remote mentions at that of their local part."""
    spans = mastodon_links(text)
    pieces = _between(text, spans)
    if "@" in text:
        pieces = [_MENTION.sub(r"@\1", piece) for piece in pieces]
    return sum(map(graphemes.count, pieces)) + link * len(spans)
