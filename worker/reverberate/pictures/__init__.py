"""Pictures: where a post's may be, what each network takes, and making the one into the other.

Decoding and drawing are done in a confined child, with limits: a hostile file cannot hurt the worker, and the worker
itself never loads the library that they need.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, replace
from typing import Any, Final

from reverberate import confined
from reverberate.pictures.find import candidates, named
from reverberate.pictures.nouns import CardStyle, PictureError, Recoded, colour
from reverberate.pictures.rules import CARD_RULES, RULES, Format, PictureRule
from reverberate.text.fit import Fit, fit
from reverberate.text.limits import Limit, Unit

__all__ = [
    "CARD_RULES",
    "LARGEST",
    "RULES",
    "CardStyle",
    "Format",
    "PictureError",
    "PictureRule",
    "Recoded",
    "candidates",
    "drawn",
    "named",
    "prepare",
]

LARGEST: Final = 20_000_000
"""A longer file is not looked at."""
SECONDS, MEGABYTES = 20.0, 512
"""For the largest picture that is taken: 40 megapixels with transparency."""
CARD_SECONDS, CARD_MEGABYTES = 10.0, 256


def prepare(data: bytes, rule: PictureRule, *, background: str = "#ffffff", alt: str = "") -> Recoded:
    """The picture as a network takes it: upright, small enough, without metadata, its description short enough.

    Args:
        data: the file as it was fetched, whatever it is.
        rule: what the network takes.
        background: what shows through where the network keeps no transparency, and beside a picture that is too wide
            or too tall; ``#rrggbb``.
        alt: what the picture shows.

    Raises:
        PictureError: it cannot be used; in one line, why.
    """
    if len(data) > LARGEST:
        raise PictureError(f"it is longer than {LARGEST // 1_000_000} MB")
    told = {"data": b64encode(data).decode("ascii"), "rule": asdict(rule), "background": colour(background)}
    made = _confined("recode", told, seconds=SECONDS, megabytes=MEGABYTES)
    recoded = Recoded(**{**made, "data": b64decode(made["data"]), "notes": tuple(made["notes"])})
    return _described(recoded, alt, rule)


def drawn(title: str, site: str = "", *, style: CardStyle | None = None) -> bytes:
    """A share card for a post without a picture: its title and the site's name, 1200 by 630 pixels, as a PNG.

    What no font here can draw (emoji, a script for which the system has none) is left out.

    Raises:
        PictureError: nothing is left, or the owner's font cannot be used.
    """
    told = {"title": title, "site": site, "style": asdict(style or CardStyle())}
    return b64decode(_confined("sharecard", told, seconds=CARD_SECONDS, megabytes=CARD_MEGABYTES))


def _confined(module: str, told: Any, *, seconds: float, megabytes: int) -> Any:
    try:
        return confined.run(f"{__name__}.{module}:job", told, seconds=seconds, megabytes=megabytes)
    except confined.JobError as error:
        raise PictureError(error.words if error.kind == "PictureError" else f"it cannot be read: {error}") from None
    except confined.Overrun as error:
        raise PictureError(f"it asks for too much: {error}") from None


def _described(made: Recoded, alt: str, rule: PictureRule) -> Recoded:
    """With its description, shortened as far as the network asks for."""
    alt = " ".join(alt.split())
    if rule.max_alt is None or len(alt) <= rule.max_alt:
        return replace(made, alt=alt)
    if rule.max_alt == 0:
        return replace(made, notes=(*made.notes, "the network has no place for its description"))
    fitted = fit([Fit(text=alt)], Limit(unit=Unit.CHARACTERS, maximum=rule.max_alt))
    note = f"its description was shortened to {len(fitted.text):,} of {len(alt):,} characters"
    return replace(made, alt=fitted.text, notes=(*made.notes, note))
