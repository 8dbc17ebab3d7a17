"""Fitting a text into a limit: the longest that fits, and nothing cut that must stay whole. Pure.

A text is made of pieces. Rigid pieces stay as they are; elastic ones give way in the order of their priority, the
lower number first: a ``Fit`` is shortened at a word (or, in text without spaces, at a grapheme) and ends with an
ellipsis; a ``Drop`` loses items from its end. A link, a mention, a hashtag and a grapheme cluster are never cut.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reverberate.text import graphemes
from reverberate.text.count import fits
from reverberate.text.links import mastodon_links, x_links

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.text.limits import Limit

ELLIPSIS = "…"
WHOLE = re.compile(r"(?:https?://|www\.)\S+|[@#＠＃][\w.@-]*\w")
"""What is never cut: addresses, mentions, hashtags. Bare domains are found by the rules of X."""
ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+$")
LONGEST_LINK = 4096
"""So far back an address is looked for."""
ENDS_ITSELF = re.compile(r"[.!?…。！？؟۔।॥][\"'”’»)\]]*$")
TRAILING = re.compile(r"[\s,;:–—\-(\[{«“‘،؛、，：；·|/&+]+$")
LEFT_OVER = re.compile(r"[ \t]*[:–—|·\-][ \t]*(?=\x00)|(?<=\x00)[ \t]*[:–—|·\-][ \t]*")
UNTIDY = ("\x00", "  ", "\t", " \n", "\n\n\n")
EMPTIED = "\x00"
"""Stands where an elastic piece has nothing left, until the text around it is tidied."""
SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u3000-\u30ff\u31f0-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\uff66-\uff9f\U0001f000-\U0001faff\U00020000-\U0003ffff]"
)
"""What stands without spaces: Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean in part, emoji. It is cut at a
grapheme."""
LONGEST_WORD = 40
"""A word longer than this is cut inside if it is all there is."""
CLIMB = 2
"""How many sizes above the found one are tried: counting is not quite monotonic where a cut makes or ends a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rigid:
    """A text that stays as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A text that may be shortened, to ``least`` characters or to nothing, and holds ``most`` at first."""

    text: str
    priority: float = 1.0
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A list whose items may leave from the end."""

    items: tuple[str, ...]
    priority: float = 1.5
    separator: str = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The result: the text, whether it fits, and what gave way, for people."""

    text: str
    fits: bool
    notes: tuple[str, ...] = ()


def fit(pieces: Sequence[Rigid | Fit | Drop], limit: Limit) -> Fitted:
    """The longest text of these pieces that fits; with everything elastic gone if even that does not."""
    whole = tidy("".join(_all_of(piece) for piece in pieces))
    if fits(whole, limit) and not any(isinstance(piece, Fit) and piece.most is not None for piece in pieces):
        return Fitted(text=whole, fits=True)
    choices = [_choices(piece) for piece in pieces]
    sizes = [len(options) - 1 for options in choices]

    def made(trial: Sequence[int]) -> str:
        return tidy("".join(options[size] for options, size in zip(choices, trial, strict=True)))

    order = sorted(
        (n for n, piece in enumerate(pieces) if not isinstance(piece, Rigid)), key=lambda n: _rank(pieces[n])
    )
    gave: list[int] = []
    for index in order:
        if fits(made(sizes), limit):
            break
        gave.append(index)
        sizes[index] = _largest(index, sizes, made, limit, top=sizes[index])
    for index in reversed(gave):  # what the last one gave away may leave room for more of those before it
        sizes[index] = _largest(index, sizes, made, limit, top=len(choices[index]) - 1)
    text = made(sizes)
    notes = [_note(pieces[n], sizes[n], choices[n]) for n in order if sizes[n] < len(choices[n]) - 1]
    return Fitted(text=text, fits=fits(text, limit), notes=tuple(notes))


def _rank(piece: Rigid | Fit | Drop) -> float:
    return 0.0 if isinstance(piece, Rigid) else piece.priority


def _largest(index: int, sizes: Sequence[int], made: Callable[[Sequence[int]], str], limit: Limit, *, top: int) -> int:
    """The largest size of one piece with which the whole fits; 0 if none does."""

    def good(size: int) -> bool:
        return fits(made([*sizes[:index], size, *sizes[index + 1 :]]), limit)

    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if good(middle) else (low, middle - 1)
    while (more := next((size for size in range(low + 1, min(low + CLIMB, top) + 1) if good(size)), 0)) > low:
        low = more
    return low


def _all_of(piece: Rigid | Fit | Drop) -> str:
    match piece:
        case Drop():
            return piece.separator.join(piece.items) or EMPTIED
        case Fit():
            return piece.text or EMPTIED
        case Rigid():
            return piece.text


def _choices(piece: Rigid | Fit | Drop) -> list[str]:
    """What a piece may be, from the least to all of it."""
    match piece:
        case Rigid():
            return [piece.text]
        case Drop():
            return [piece.separator.join(piece.items[:n]) or EMPTIED for n in range(len(piece.items) + 1)]
        case Fit():
            whole = piece.text if piece.most is None else shortened(piece.text, piece.most)
            found = [cut for cut in cuts(whole) if len(cut) >= piece.least]
            nothing = [] if piece.least and whole else [EMPTIED]
            return [*nothing, *found, whole or EMPTIED]


def shortened(text: str, characters: int) -> str:
    """``text`` cut to at most so many characters, as ``Fit`` cuts."""
    if len(text) <= characters:
        return text
    return next((cut for cut in reversed(cuts(text)) if len(cut) <= characters), "")


@lru_cache(maxsize=32)  # the same post is fitted for one network after the other
def cuts(text: str) -> tuple[str, ...]:
    """Every way to shorten a text, the shortest first."""
    made = (_ended(text[:place]) for place in places(text))
    found = list(dict.fromkeys(cut for cut in made if cut))
    return tuple(cut for n, cut in enumerate(found) if n == 0 or len(cut) >= len(found[n - 1]))


def places(text: str) -> list[int]:
    """Where a text may be cut: behind each word but the last, and inside words of scripts without spaces."""
    kept = _kept(text)
    starts = [start for start, _ in kept]
    end = len(text.rstrip())
    found: list[int] = []
    for word in re.finditer(r"\S+", text):
        found += [place for place in _inside(text, word, lone=not found) if not _inner(place, kept, starts)]
        if word.end() < end:
            found.append(word.end())
    return found


def _kept(text: str) -> list[tuple[int, int]]:
    """The spans that must stay whole, in order."""
    spans = [match.span() for match in WHOLE.finditer(text)]
    return sorted({*spans, *((start, stop) for start, stop in x_links(text))})


def _inner(place: int, kept: Sequence[tuple[int, int]], starts: Sequence[int]) -> bool:
    """Whether a place lies inside a span."""
    before = bisect_right(starts, place - 1)
    return any(start < place < stop for start, stop in kept[max(0, before - 2) : before])


def _inside(text: str, word: re.Match[str], *, lone: bool) -> list[int]:
    """Places inside a word: in a script without spaces, or of a first word that is longer than anything may be."""
    if not (lone and len(word[0]) > LONGEST_WORD) and not SPACELESS.search(word[0]):
        return []
    start = word.start()
    ends = [start + end for end in graphemes.ends(word[0])[:-1]]
    if lone and len(word[0]) > LONGEST_WORD:
        return ends
    return [end for end in ends if SPACELESS.match(text[end - 1]) or SPACELESS.match(text[end])]


def _ended(text: str) -> str:
    """A cut text with its ellipsis, unless it ends a sentence as it stands."""
    if ENDS_ITSELF.search(text):
        return text
    bare = TRAILING.sub("", text)
    if not bare:
        return ""
    return f"{bare} {ELLIPSIS}" if _ends_with_link(bare) else bare + ELLIPSIS


def _ends_with_link(text: str) -> bool:
    """Whether an ellipsis set right behind would be taken for a part of the address."""
    last = text[-LONGEST_LINK:]
    return bool(ADDRESS.search(last)) or any(stop == len(last) for _, stop in (*x_links(last), *mastodon_links(last)))


def tidy(text: str) -> str:
    """No orphaned punctuation, double space or empty line where something was left out."""
    if text == text.strip() and not any(sign in text for sign in UNTIDY):
        return text
    text = LEFT_OVER.sub("", text)
    lines = [re.sub(r"(?<=\S)[ \t]{2,}", " ", line).rstrip() for line in text.split("\n")]
    kept = [_bare(line) if EMPTIED in line else line for line in lines if line.strip() != EMPTIED]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _bare(line: str) -> str:
    return re.sub(r"(?<=\S)[ \t]{2,}", " ", line.replace(EMPTIED, "")).strip()


def _note(piece: Rigid | Fit | Drop, size: int, options: Sequence[str]) -> str:
    match piece:
        case Drop():
            return f"dropped to fit: {' '.join(piece.items[size:])}"
        case Fit() if options[size] == EMPTIED:
            return f"left out to fit: {_start(piece.text)}"
        case Fit():
            return f"shortened to fit: {_start(piece.text)}"
        case _:
            return ""


def _start(text: str) -> str:
    return f"{text[:40]}{ELLIPSIS}" if len(text) > 40 else text
