"""Splitting a long text into the parts of a thread: at a paragraph, else a sentence, else a word. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverberate.text.count import fits
from reverberate.text.fit import ELLIPSIS, Fit, Rigid, cuts, fit, places, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reverberate.text.fit import Drop
    from reverberate.text.limits import Limit

MOST = 25
"""More parts than this nobody reads; a template may ask for fewer."""
NUMBERINGS = {"none": "", "1/3": "\n\n{}/{}", "(1/3)": "\n\n({}/{})"}
"""By the setting's value, what closes each part."""
PARAGRAPH = re.compile(r"\n\s*\n")
SENTENCE = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A text that flows over as many parts as it needs, ``most`` at the most."""

    text: str
    most: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Threaded:
    """The parts, whether all fit, and what gave way, for people."""

    parts: tuple[str, ...]
    fits: bool
    notes: tuple[str, ...] = ()


def thread(
    before: Sequence[Rigid | Fit | Drop],
    flow: Flow,
    after: Sequence[Rigid | Fit | Drop],
    limit: Limit,
    *,
    numbering: str = "none",
) -> Threaded:
    """``before`` opens the first part, ``flow`` follows over as many parts as it needs, ``after`` closes the last.

    Args:
        before: pieces as ``fit`` takes them; shortened only where they alone are too long for a part.
        after: as ``before``.
        flow: the long text.
        limit: of each part.
        numbering: "1/3", "(1/3)" or "none"; a thread of one part has no number.
    """
    if flow.most <= 1:
        whole = fit([*before, Fit(text=flow.text, priority=0), *after], limit)
        return Threaded(parts=(whole.text,), fits=whole.fits, notes=whole.notes)
    head, tail = fit(before, limit), fit(after, limit)
    alone = _joined(head.text, flow.text.strip(), tail.text)
    if fits(alone, limit):
        return Threaded(parts=(alone,), fits=True, notes=head.notes + tail.notes)
    parts, cut = _numbered(head.text, flow.text.strip(), tail.text, limit, most=flow.most, numbering=numbering)
    notes = (
        *head.notes,
        *tail.notes,
        f"a thread of {len(parts)} parts",
        *(("shortened to fit the thread",) if cut else ()),
    )
    return Threaded(parts=tuple(parts), fits=all(fits(part, limit) for part in parts), notes=notes)


def _numbered(head: str, body: str, tail: str, limit: Limit, *, most: int, numbering: str) -> tuple[list[str], bool]:
    """The parts with their numbers; how many there are decides how long the numbers are."""
    width = 1
    while True:
        room = _number("9" * width, "9" * width, numbering)
        parts, cut = _split(head, body, tail, lambda text, room=room: fits(text + room, limit), most=most)  # type: ignore[misc]  # the default binds this round's room
        if len(str(len(parts))) <= width:
            return [part + _number(n, len(parts), numbering) for n, part in enumerate(parts, start=1)], cut
        width += 1


def _number(part: int | str, of: int | str, numbering: str) -> str:
    return NUMBERINGS[numbering].format(part, of)


def _split(head: str, body: str, tail: str, good: Callable[[str], bool], *, most: int) -> tuple[list[str], bool]:
    """The parts without numbers, and whether the text had to be cut."""
    parts: list[str] = []
    start = head
    while True:
        if good(_joined(start, body, tail)):
            return [*parts, _joined(start, body, tail)], False
        if len(parts) == most - 1:
            return [*parts, _closing(start, body, tail, good)], True
        taken = _first(start, body, good)
        if taken is None:  # not a word fits beside what stands there
            parts.append(start or body)
            body = body if start else ""
        else:
            parts.append(_joined(start, body[:taken].rstrip(), ""))
            body = body[taken:].lstrip()
        start = ""
        if not body:
            return ([*parts, tail] if tail else parts), False


def _closing(start: str, body: str, tail: str, good: Callable[[str], bool]) -> str:
    """The last part that may be: as much as fits, then the end."""
    short = next((cut for cut in reversed(cuts(body)) if good(_joined(start, cut, tail))), "")
    return _joined(start, short, tail) or ELLIPSIS


def _first(start: str, body: str, good: Callable[[str], bool]) -> int | None:
    """Where the next part's share of the text ends; None if nothing of it fits.

    A boundary that leaves more than half of the room empty is passed over for a lesser one.
    """
    word = _last_good(places(body), start, body, good)
    for boundary in (PARAGRAPH, SENTENCE):
        end = _last_good(_ends(boundary, body), start, body, good)
        if end is not None and (word is None or end * 2 >= word):
            return end
    return None if start and _is_short(start, good) else word


def _is_short(start: str, good: Callable[[str], bool]) -> bool:
    """Whether so little room is left beside the beginning that half a sentence there would look lost."""
    return not good(f"{start}\n\n{'x' * 60}")


def _ends(boundary: re.Pattern[str], body: str) -> list[int]:
    return [match.end() if boundary is SENTENCE else match.start() for match in boundary.finditer(body)]


def _last_good(ends: Sequence[int], start: str, body: str, good: Callable[[str], bool]) -> int | None:
    """The last of these ends up to which the text fits; counts grow with the text, so the search may halve."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if good(_joined(start, body[: ends[middle]].rstrip(), "")) else (low, middle)
    while low and not good(_joined(start, body[: ends[low - 1]].rstrip(), "")):
        low -= 1
    return ends[low - 1] if low else None


def _joined(*texts: str) -> str:
    return tidy("\n\n".join(_nonempty(texts)))


def _nonempty(texts: Sequence[str]) -> Iterator[str]:
    return (text.strip() for text in texts if text.strip())
