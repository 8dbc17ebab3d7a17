"""How large a picture becomes under a network's rule. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reverberate.pictures.rules import PictureRule

ROUNDING: Final = 1e-6
"""So that 4096 / 7300 of 7300 is 4096."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a picture becomes: itself, and with the bars around it."""

    picture: tuple[int, int]
    canvas: tuple[int, int]


def planned(width: int, height: int, rule: PictureRule, *, shrink: float = 1.0) -> Plan:
    """The largest size that the rule allows, never larger than the picture is; ``shrink`` makes it smaller still."""
    across, down = _canvas(width, height, rule)
    scale = min(1.0, rule.max_width / across, rule.max_height / down)
    if rule.max_pixels is not None:
        scale = min(scale, sqrt(rule.max_pixels / (across * down)))
    if rule.max_sum is not None:
        scale = min(scale, rule.max_sum / (across + down))
    scale *= shrink
    picture = (max(1, int(width * scale + ROUNDING)), max(1, int(height * scale + ROUNDING)))
    return Plan(picture=picture, canvas=_canvas(*picture, rule))


def _canvas(width: int, height: int, rule: PictureRule) -> tuple[int, int]:
    """The size with the bars that the rule's proportions ask for."""
    if rule.widest is not None and width > rule.widest * height:
        return width, ceil(width / rule.widest)
    if rule.tallest is not None and width < rule.tallest * height:
        return ceil(height * rule.tallest), height
    return width, height
