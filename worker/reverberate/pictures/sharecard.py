"""A share card: a post's title and its site's name as a picture. Runs in a confined child.

Fonts are tried in order, and the one that can draw the most of a text draws it: the owner's; Manrope, which we bring
along (Latin, Greek, Cyrillic, Vietnamese); what the system has for other scripts; at last Pillow's own, ASCII only.
"""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageDraw, ImageFont

from reverberate.pictures.nouns import CardStyle, PictureError
from reverberate.text import graphemes

if TYPE_CHECKING:
    from collections.abc import Sequence

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

WIDTH, HEIGHT, MARGIN = 1200, 630, 80
TITLE_SIZES: Final = (88, 76, 66, 58, 50, 44, 40)
SITE_SIZE: Final = 34
LEADING: Final = 1.22
BAR: Final = (96, 10)
TITLE_ROOM: Final = HEIGHT - 2 * MARGIN - 3 * SITE_SIZE
LONGEST: Final = 1000
"""So many characters of a title are looked at; not even so many fit in the smallest size."""
ELLIPSIS: Final = "…"
OUR_FONT: Final = ("font_manrope", "files/Manrope-Bold.ttf")
FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
SYSTEM_FONTS: Final = (
    "DejaVuSans-Bold.ttf",
    "NotoSans-Bold.ttf",
    "NotoSansCJK-Bold.ttc",
    "NotoSansArabic-Bold.ttf",
    "NotoSansHebrew-Bold.ttf",
    "NotoSansDevanagari-Bold.ttf",
    "NotoSansThai-Bold.ttf",
    "wqy-zenhei.ttc",
    "NotoEmoji-Bold.ttf",
)
PROBE_SIZE: Final = 16
NOWHERE: Final = "\U0010fffe"
"""No font has it, so that it shows what a font draws for what it has not."""
UNDRAWN: Final = frozenset({"Cf", "Mn", "Me", "Zs"})
"""Categories of characters that have no picture of their own."""
RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A text ready to be drawn: its lines in one font."""

    lines: tuple[str, ...]
    font: Font
    size: int


def job(told: dict[str, Any]) -> str:
    """``drawn`` for a confined child: the PNG as Base64."""
    return b64encode(drawn(told["title"], told["site"], CardStyle(**told["style"]))).decode("ascii")


def drawn(title: str, site: str, style: CardStyle) -> bytes:
    """The card as a PNG. Without a title the site's name stands in its place.

    Raises:
        PictureError: there is nothing that could be drawn.
    """
    title, site = (" ".join(text.split()) for text in (title, site))
    if not title:
        title, site = site, ""
    headline, font = _drawable(title[:LONGEST], style)
    name, name_font = _drawable(site, style) if site else ("", font)
    if not headline:
        raise PictureError("no font here can draw the title", hint="install one, or name one in the card's style")
    block = _set(headline, font)
    picture = _painted(block, _one_line(name, name_font), style)
    target = BytesIO()
    picture.save(target, format="PNG")
    return target.getvalue()


def _painted(block: _Block, site: _Block, style: CardStyle) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), style.background)
    draw = ImageDraw.Draw(picture)
    right = _is_right_to_left("".join(block.lines))
    edge = WIDTH - MARGIN - BAR[0] if right else MARGIN
    draw.rectangle((edge, MARGIN - BAR[1], edge + BAR[0], MARGIN), fill=style.accent)
    _write(draw, block, top=MARGIN + SITE_SIZE, fill=style.text, right=right)
    _write(draw, site, top=HEIGHT - MARGIN - SITE_SIZE, fill=style.accent, right=right)
    return picture


def _write(draw: ImageDraw.ImageDraw, block: _Block, *, top: int, fill: str, right: bool) -> None:
    for number, line in enumerate(block.lines):
        left = WIDTH - MARGIN - draw.textlength(line, font=block.font) if right else MARGIN
        draw.text((left, top + round(number * block.size * LEADING)), line, font=block.font, fill=fill)


def _is_right_to_left(text: str) -> bool:
    """By the first character that has a direction."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L" or direction in RIGHT_TO_LEFT:
            return direction != "L"
    return False


def _set(text: str, font: str) -> _Block:
    """The text in the largest size in which it fits; in the smallest it is cut."""
    for size in TITLE_SIZES:
        loaded = _font(font, size)
        lines = _wrapped(text, loaded)
        most = int(TITLE_ROOM / (size * LEADING))
        if len(lines) <= most:
            return _Block(lines=tuple(lines), font=loaded, size=size)
    lines[most - 1] = _shortened(f"{lines[most - 1]} {lines[most]}", loaded)
    return _Block(lines=tuple(lines[:most]), font=loaded, size=size)


def _one_line(text: str, font: str) -> _Block:
    loaded = _font(font, SITE_SIZE)
    line = text if _fits(text, loaded) else _shortened(text, loaded)
    return _Block(lines=(line,) if line else (), font=loaded, size=SITE_SIZE)


def _shortened(text: str, font: Font) -> str:
    clusters = graphemes.split(text)
    while clusters and not _fits("".join(clusters).rstrip() + ELLIPSIS, font):
        clusters.pop()
    return "".join(clusters).rstrip() + ELLIPSIS


def _wrapped(text: str, font: Font) -> list[str]:
    """Lines that fit across; a word is broken only where it alone is wider."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _fits(longer, font):
            lines[-1] = longer
        else:
            lines += _broken(word, font)
    return lines


def _broken(word: str, font: Font) -> list[str]:
    lines = [""]
    for cluster in graphemes.split(word):
        if lines[-1] and not _fits(lines[-1] + cluster, font):
            lines.append("")
        lines[-1] += cluster
    return lines


def _fits(text: str, font: Font) -> bool:
    return font.getlength(text) <= WIDTH - 2 * MARGIN


def _drawable(text: str, style: CardStyle) -> tuple[str, str]:
    """What the best font can draw of a text, and that font. It is its words that count, not its emoji."""
    clusters = graphemes.split(text)
    words = [cluster for cluster in clusters if cluster[0].isalnum()] or clusters
    best, chosen = -1, ""
    for font in _fonts(style.font):
        drawn_words = len(_kept(words, _font(font, PROBE_SIZE)))
        if drawn_words > best:
            best, chosen = drawn_words, font
        if drawn_words == len(words):
            break
    return " ".join("".join(_kept(clusters, _font(chosen, PROBE_SIZE))).split()), chosen


def _kept(clusters: Sequence[str], probe: Font) -> list[str]:
    """The clusters that a font draws as something else than what it draws for what it has not."""
    unknown = bytes(probe.getmask(NOWHERE))
    drawn = {one for one in set("".join(clusters)) if _is_mere(one) or bytes(probe.getmask(one)) != unknown}
    return [cluster for cluster in clusters if drawn.issuperset(cluster)]


def _is_mere(character: str) -> bool:
    """Whether it only changes how others are drawn, or leaves room."""
    return unicodedata.category(character) in UNDRAWN


def _fonts(own: str) -> Sequence[str]:
    """The paths of the fonts to be tried; "" is Pillow's own."""
    return ([own] if own else []) + list(_known_fonts())


@cache
def _known_fonts() -> tuple[str, ...]:
    spec = find_spec(OUR_FONT[0])
    ours = [Path(folder) / OUR_FONT[1] for folder in (spec.submodule_search_locations or ())] if spec else []
    there = {path.name: path for folder in FOLDERS for path in folder.rglob("*.tt[fc]")}
    system = [there[name] for name in SYSTEM_FONTS if name in there]
    return (*(str(path) for path in (*ours, *system) if path.is_file()), "")


def _font(path: str, size: int) -> Font:
    """A font in a size. Not kept: each that is open counts against the child's few open files."""
    if not path:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(path, size)
    except OSError as error:
        raise PictureError(f"the font {path} cannot be used: {error}") from None
