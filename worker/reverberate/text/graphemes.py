"""Grapheme clusters: what people take for one character."""

from __future__ import annotations

import re
from itertools import accumulate

import regex

_CLUSTER = regex.compile(r"\X")
_ALONE = re.compile(
    r"[\x00-\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u058f\u2000-\u200a\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    r"\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]*"
)
"""Where only such characters stand, each is a cluster of its own: none of them joins another."""


def count(text: str) -> int:
    """How many there are."""
    if _ALONE.fullmatch(text):
        return len(text)
    return len(_CLUSTER.findall(text))


def split(text: str) -> list[str]:
    """The clusters of ``text``, in order."""
    if _ALONE.fullmatch(text):
        return list(text)
    return _CLUSTER.findall(text)


def ends(text: str) -> list[int]:
    """The index at which each cluster ends."""
    return list(accumulate(map(len, split(text))))
