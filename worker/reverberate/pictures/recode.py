"""A picture's bytes made into what a network takes. Runs in a confined child.

Only this module, ``encode`` and ``sharecard`` name Pillow.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageCms, UnidentifiedImageError

from reverberate.pictures.bare import is_bare
from reverberate.pictures.encode import encoded, transparent
from reverberate.pictures.nouns import PictureError, Recoded
from reverberate.pictures.rules import Format, PictureRule
from reverberate.pictures.sizes import planned

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PIXELS: Final = 40_000_000
READ: Final = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
"""What blogs show. Every further decoder is a further way in."""
SMALLEST_STEP: Final = 0.9
ORIENTATION: Final = 0x0112
UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is set upright, by the orientation that its camera noted."""
TURNED: Final = frozenset({5, 6, 7, 8})
"""Orientations in which width and height change places."""
DEEP: Final = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
DRAWINGS: Final = frozenset({"PNG", "GIF", "BMP"})
"""Formats in which things lie that must stay sharp."""
PLAIN_MODES: Final = frozenset({"1", "L", "P", "RGB"})
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What decoders were seen to raise for broken files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What there is and what is to become of it."""

    data: bytes
    source: Image.Image
    size: tuple[int, int]
    rule: PictureRule
    background: str
    orientation: int = 1
    notes: tuple[str, ...] = ()

    @property
    def format(self) -> str:
        return "JPEG" if self.source.format == "MPO" else str(self.source.format)


def job(told: dict[str, Any]) -> dict[str, Any]:
    """``recode`` for a confined child: everything as JSON, bytes as Base64."""
    rule = PictureRule.revived(told["rule"])
    made = recode(b64decode(told["data"]), rule, background=told["background"])
    return {
        "data": b64encode(made.data).decode("ascii"),
        "mime": made.mime,
        "width": made.width,
        "height": made.height,
        "notes": made.notes,
    }


def recode(data: bytes, rule: PictureRule, *, background: str = "#ffffff") -> Recoded:
    """The picture as the rule asks for it: upright, in sRGB, without metadata; of several frames the first.

    A JPEG or PNG that is all this already comes back as it is.

    Raises:
        PictureError: it is none, is damaged, too large to be opened or too small to be shown.
    """
    with _decoding(data), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about flaws of the file that the decoder knows how to mend
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(data), formats=READ) as source:
            _check_size(source)
            work = _noted(_Job(data=data, source=source, size=source.size, rule=rule, background=background))
            return _kept(work) or _remade(work)


@contextmanager
def _decoding(data: bytes) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError:
        raise PictureError(f"it is no picture that can be read: {_beginning(data)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"it has more than the {MOST_PIXELS // 1_000_000} megapixels that are taken") from None
    except DAMAGED as error:
        raise PictureError(f"it is damaged: {str(error) or type(error).__name__}") from None


def _beginning(data: bytes) -> str:
    head = data[:400].lstrip().lower()
    if not head:
        return "it is empty"
    if b"<svg" in head:
        return "it is an SVG drawing"
    return "it is a text or a web page" if head.startswith((b"<", b"{")) else "its format is unknown"


def _check_size(source: Image.Image) -> None:
    """Before any pixel is decoded: the header alone says how much memory they would take."""
    width, height = source.size
    if width * height > MOST_PIXELS:
        raise PictureError(
            f"it has {width:,} by {height:,} pixels, more than the {MOST_PIXELS // 1_000_000} megapixels that are taken"
        )


def _noted(work: _Job) -> _Job:
    """With the orientation that its camera noted."""
    notes = list(work.notes)
    if getattr(work.source, "is_animated", False) and work.source.format != "MPO":
        notes.append("of a moving picture only the first frame was taken")
    try:
        orientation = int(work.source.getexif().get(ORIENTATION, 1))
    except (*DAMAGED, TypeError):
        orientation = 1
        notes.append("its EXIF data could not be read")
    return replace(work, orientation=orientation, notes=tuple(notes))


def _kept(work: _Job) -> Recoded | None:
    """The file itself, where nothing about it needs to change."""
    source, rule = work.source, work.rule
    modes = PLAIN_MODES | ({"RGBA", "LA"} if rule.transparency else set())
    fits = (
        work.format in {"JPEG", "PNG"}
        and Format(work.format.lower()) in rule.formats
        and source.mode in modes
        and ("transparency" not in source.info or rule.transparency)
        and len(work.data) <= rule.max_bytes
        and planned(*source.size, rule).canvas == source.size
    )
    if not fits or not is_bare(work.data):
        return None
    source.load()  # whether it is whole
    _check_least(*source.size, rule)
    return _recoded(work, work.data, Format(work.format.lower()), source.size)


def _remade(work: _Job) -> Recoded:
    upright = work.size[::-1] if work.orientation in TURNED else work.size
    _check_least(*planned(*upright, work.rule).canvas, work.rule)
    work, picture = _decoded(work, upright)
    shrink = 1.0
    while True:
        framed = _framed(picture, upright, work, shrink=shrink)
        _check_least(*framed.size, work.rule)
        data, form = encoded(framed, work.rule, drawing=work.format in DRAWINGS, expected=_expected(framed, work))
        if len(data) <= work.rule.max_bytes:
            return _recoded(work, data, form, framed.size)
        if max(framed.size) == 1:
            raise PictureError(f"it cannot be made to fit into {work.rule.max_bytes:,} bytes")
        shrink *= min(SMALLEST_STEP, 0.95 * sqrt(work.rule.max_bytes / len(data)))


def _check_least(width: int, height: int, rule: PictureRule) -> None:
    if width < rule.min_width or height < rule.min_height:
        raise PictureError(
            f"it is too small: {width:,} by {height:,} pixels, where {rule.min_width:,} by {rule.min_height:,} are needed"
        )


def _decoded(work: _Job, upright: tuple[int, int]) -> tuple[_Job, Image.Image]:
    """The picture upright, in RGB or RGBA, no larger than it will be."""
    source = work.source
    wanted = planned(*upright, work.rule).picture
    lying = wanted[::-1] if work.orientation in TURNED else wanted
    profile = source.info.get("icc_profile")
    if source.format in {"JPEG", "MPO"}:
        source.draft(source.mode, lying)  # the decoder itself halves it, once or more often, at far less cost
    picture = _deep(source) if source.mode in DEEP else _shallow(source)
    if picture.size != lying:
        picture = picture.resize(lying, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture, note = _in_srgb(picture, profile)
    picture = picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGB")
    if picture.mode == "RGBA":
        picture, note = _unmasked(picture, work, note)
    if work.orientation in UPRIGHT:
        picture = picture.transpose(UPRIGHT[work.orientation])
    return replace(work, notes=(*work.notes, *note)), picture


def _deep(source: Image.Image) -> Image.Image:
    """Sixteen bits of grey as eight."""
    return source.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _shallow(source: Image.Image) -> Image.Image:
    if source.mode == "RGBA":
        return source  # not converted, for that would copy it
    if source.mode == "LA" or "transparency" in source.info:
        return source.convert("RGBA")
    if source.mode in {"L", "RGB", "CMYK"}:
        return source
    return source.convert("L" if source.mode == "1" else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """The colours as they were meant, for those who do not look for a profile; and a note if they are not."""
    if not profile:
        return picture, ()
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).lower():
            return picture, ()
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture, ("its colour profile could not be used",)
    return converted or picture, ()


def _unmasked(picture: Image.Image, work: _Job, notes: tuple[str, ...]) -> tuple[Image.Image, tuple[str, ...]]:
    """With transparency only where there is some and the network shows it."""
    alpha = picture.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return picture.convert("RGB"), notes
    if transparent(work.rule):
        return picture, notes
    flat = Image.new("RGB", picture.size, work.background)
    flat.paste(picture, mask=alpha)
    return flat, (*notes, f"what is transparent was filled with {work.background}")


def _framed(picture: Image.Image, upright: tuple[int, int], work: _Job, *, shrink: float) -> Image.Image:
    """The picture in its final size, with bars where the network's proportions ask for them."""
    plan = planned(*upright, work.rule, shrink=shrink)
    if picture.size != plan.picture:
        picture = picture.resize(plan.picture, Image.Resampling.LANCZOS)
    if plan.canvas != plan.picture:
        bars = (0, 0, 0, 0) if picture.mode == "RGBA" else work.background
        canvas = Image.new(picture.mode, plan.canvas, bars)
        canvas.paste(picture, ((canvas.width - picture.width) // 2, (canvas.height - picture.height) // 2))
        picture = canvas
    picture.info = {}  # encoders write down what they find there
    return picture


def _expected(picture: Image.Image, work: _Job) -> float:
    """How long its file would be, if each pixel took as much as it did."""
    width, height = work.size
    return len(work.data) * picture.width * picture.height / (width * height)


def _recoded(work: _Job, data: bytes, form: Format, size: tuple[int, int]) -> Recoded:
    notes = list(work.notes)
    if size[0] * size[1] < work.size[0] * work.size[1]:
        notes.append(f"made smaller: {size[0]:,} by {size[1]:,} pixels")
    return Recoded(data=data, mime=form.mime, width=size[0], height=size[1], notes=tuple(notes))
