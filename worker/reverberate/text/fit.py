"""Fitting a text into a limit: the longest that fits, and nothing cut that must stay whole. Pure.

A text is made of pieces. Rigid pieces stay as they are; elastic ones give way in the order of their priority, the
lower number first: a ``Fit`` is shortened at a word (or, in text without spaces, at a grapheme) and ends with an
ellipsis; a ``Drop`` loses items from its end. A link, a mention or a hashtag is a word, so it is never cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverberate.text import graphemes
from reverberate.text.count import fits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.text.limits import Limit

ELLIPSIS = "…"
WHOLE = re.compile(r"https?://\S+|[@#]\S+")
ENDS_ITSELF = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
TRAILING = re.compile(r"[\s,;:–—\-(\[{«“‘]+$")
LEFT_OVER = re.compile(r"[ \t]*[:–—|·\-][ \t]*(?=\x00)|(?<=\x00)[ \t]*[:–—|·\-][ \t]*")
EMPTIED = "\x00"
"""Stands where an elastic piece has nothing left, until the text around it is tidied."""


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
    for index in reversed(gave[:-1]):  # what the last one gave away may leave room for more of those before it
        sizes[index] = _largest(index, sizes, made, limit, top=len(choices[index]) - 1)
    text = made(sizes)
    notes = [_note(pieces[n], sizes[n], choices[n]) for n in order if sizes[n] < len(choices[n]) - 1]
    return Fitted(text=text, fits=fits(text, limit), notes=tuple(notes))


def _rank(piece: Rigid | Fit | Drop) -> float:
    return 0.0 if isinstance(piece, Rigid) else piece.priority


def _largest(index: int, sizes: Sequence[int], made: Callable[[Sequence[int]], str], limit: Limit, *, top: int) -> int:
    """The largest size of one piece with which the whole fits; 0 if none does."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        trial = [*sizes[:index], middle, *sizes[index + 1 :]]
        if fits(made(trial), limit):
            low = middle
        else:
            high = middle - 1
    return low


def _choices(piece: Rigid | Fit | Drop) -> list[str]:
    """What a piece may be, from the least to all of it."""
    match piece:
        case Rigid():
            return [piece.text]
        case Drop():
            return [piece.separator.join(piece.items[:n]) or EMPTIED for n in range(len(piece.items) + 1)]
        case Fit():
            whole = piece.text if piece.most is None else shortened(piece.text, piece.most)
            cuts = [cut for cut in _cuts(whole) if len(cut) >= piece.least]
            nothing = [] if piece.least else [EMPTIED]
            return [*nothing, *cuts, whole or EMPTIED]


def shortened(text: str, characters: int) -> str:
    """``text`` cut to at most so many characters, as ``Fit`` cuts."""
    if len(text) <= characters:
        return text
    return next((cut for cut in reversed(_cuts(text)) if len(cut) <= characters), "")


def _cuts(text: str) -> list[str]:
    """Every way to shorten a text, the shortest first."""
    found: list[str] = []
    for word in re.finditer(r"\S+", text):
        if len(word[0]) > 1 and (not found or not word[0].isascii()) and not WHOLE.match(word[0]):
            found += _inside(text, word.start(), word[0], lone=not found)
        if word.end() < len(text.rstrip()):
            found.append(_ended(text[: word.end()]))
    return list(dict.fromkeys(cut for cut in found if cut))


def _inside(text: str, start: int, word: str, *, lone: bool) -> list[str]:
    """Cuts inside a word: of a text without spaces, or of a first word that is longer than anything may be."""
    spaceless = sum(not character.isascii() for character in word) > len(word) // 2 and len(word) > 12
    if not (spaceless or (lone and len(word) > 40)):
        return []
    return [_ended(text[: start + end]) for end in graphemes.ends(word)[:-1]]


def _ended(text: str) -> str:
    """A cut text with its ellipsis, unless it ends a sentence as it stands."""
    if ENDS_ITSELF.search(text):
        return text
    bare = TRAILING.sub("", text)
    return bare + ELLIPSIS if bare else ""


def tidy(text: str) -> str:
    """No orphaned punctuation, double space or empty line where something was left out."""
    text = LEFT_OVER.sub("", text)
    lines = [re.sub(r"(?<=\S)[ \t]{2,}", " ", line).rstrip() for line in text.split("\n")]
    kept = [line.replace(EMPTIED, "").strip() if EMPTIED in line else line for line in lines if line.strip() != EMPTIED]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


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
