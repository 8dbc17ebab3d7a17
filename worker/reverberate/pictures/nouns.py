"""The values that pictures come and go as. Names no library, so that the worker need not load one for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from reverberate.errors import ReverberateError

COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


class PictureError(ReverberateError):
    """This picture cannot be used; another one may. The text says what is wrong with it, without its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoded:
    """A picture that a network takes.

    Attributes:
        data: the file, without metadata.
        mime: e.g. ``image/jpeg``.
        width, height: in pixels.
        alt: what it shows, as long as the network allows.
        notes: what was changed that people may want to know.
    """

    data: bytes
    mime: str
    width: int
    height: int
    alt: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardStyle:
    """How share cards look.

    Attributes:
        background, text, accent: colours as ``#rrggbb``.
        font: a font file of the owner's that goes before ours, or "".
    """

    background: str = "#16202c"
    text: str = "#ffffff"
    accent: str = "#ffb454"
    font: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "font":
                colour(getattr(self, field.name))


def colour(text: str) -> str:
    """The same text, if it is a colour.

    Raises:
        ValueError: it is none.
    """
    if not COLOUR.fullmatch(text):
        raise ValueError(f"{text!r} is not a colour; write it as #rrggbb")
    return text
