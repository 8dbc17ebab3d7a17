"""Grapheme clusters: what people take for one character."""

from __future__ import annotations

from itertools import accumulate

import regex

_CLUSTER = regex.compile(r"\X")


def count(text: str) -> int:
    """How many there are."""
    if text.isascii() and "\r" not in text:
        return len(text)
    return sum(1 for _ in _CLUSTER.finditer(text))


def split(text: str) -> list[str]:
    """The clusters of ``text``, in order."""
    if text.isascii() and "\r" not in text:
        return list(text)
    return _CLUSTER.findall(text)


def ends(text: str) -> list[int]:
    """The index at which each cluster ends."""
    return list(accumulate(map(len, split(text))))
