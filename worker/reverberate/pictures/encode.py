"""A finished picture as a file: in the best format and the best quality that a network's limit leaves room for."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from reverberate.pictures.rules import Format, PictureRule

if TYPE_CHECKING:
    from PIL import Image

QUALITIES: Final = (60, 65, 70, 75, 80, 85, 88, 91)
"""Below the first, a smaller picture looks better."""
LOSSLESS_BYTES: Final = 3_000_000
"""An opaque picture stays PNG up to here, so that drawings and screenshots stay sharp."""
EVERY_COLOUR, HALF_THE_COLOURS = 0, 2
"""JPEG's chroma subsampling: the first for edges of drawings, the second for photographs."""


def encoded(picture: Image.Image, rule: PictureRule, *, drawing: bool, expected: float) -> tuple[bytes, Format]:
    """The first file that fits, in the order of preference; else the last, which is too long.

    Args:
        picture: in RGB or RGBA, as large as it is to be.
        rule: what the network takes.
        drawing: whether it came in a format for drawings.
        expected: how long the file may be expected to be in such a format.
    """
    data, form = b"", Format.JPEG
    for form in _choice(picture, rule, drawing=drawing and expected <= LOSSLESS_BYTES):
        data = _written(picture, form, rule.max_bytes, drawing=drawing)
        lossless = form is Format.PNG and picture.mode == "RGB" and rule.formats != (Format.PNG,)
        if len(data) <= (min(LOSSLESS_BYTES, rule.max_bytes) if lossless else rule.max_bytes):
            break
    return data, form


def transparent(rule: PictureRule) -> list[Format]:
    """The formats that a network takes and in which it keeps transparency."""
    return [form for form in (Format.PNG, Format.WEBP) if form in rule.formats and rule.transparency]


def _choice(picture: Image.Image, rule: PictureRule, *, drawing: bool) -> list[Format]:
    """The formats worth a try, the preferred one first."""
    if picture.mode == "RGBA":
        return transparent(rule)
    lossy = next((form for form in (Format.JPEG, Format.WEBP) if form in rule.formats), None)
    if lossy is None:
        return [Format.PNG]
    return [Format.PNG, lossy] if drawing and Format.PNG in rule.formats else [lossy]


def _written(picture: Image.Image, form: Format, most: int, *, drawing: bool) -> bytes:
    """A file in the best quality that fits; if none does, in the worst that is still good."""
    match form:
        case Format.JPEG:
            options = {"subsampling": EVERY_COLOUR if drawing else HALF_THE_COLOURS}
        case Format.WEBP:
            options = {"method": 4}
        case _:
            return _saved(picture, form)
    best = _saved(picture, form, quality=QUALITIES[-1], **options)
    return best if len(best) <= most else _searched(picture, form, most, options)


def _searched(picture: Image.Image, form: Format, most: int, options: dict[str, int]) -> bytes:
    """A binary search below the best quality, which is known not to fit: three more tries."""
    low, high = 0, len(QUALITIES) - 1
    found = data = b""
    while low < high:
        middle = (low + high) // 2
        data = _saved(picture, form, quality=QUALITIES[middle], **options)
        if len(data) <= most:
            found, low = data, middle + 1
        else:
            high = middle
    return found or data  # where none fits, the last try was the worst quality


def _saved(picture: Image.Image, form: Format, **options: int) -> bytes:
    target = BytesIO()
    picture.save(target, format=form.upper(), **options)
    return target.getvalue()
