"""How a post of ours is known again among those that a network lists: by its link or its words, and by its time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverberate.model import Delivery

CLOCKS_DIFFER = timedelta(minutes=2)
"""How far a network's clock may be from ours."""


def earliest(delivery: Delivery) -> datetime:
    """Nothing that the delivery made can be there from before, by the network's clock; a whole second."""
    return ((delivery.since or delivery.planned) - CLOCKS_DIFFER).replace(microsecond=0)


def parse_instant(told: str | float) -> datetime:
    """An instant as networks tell it, in UTC.

    That is ISO 8601 (``Z``, milliseconds, or an offset; without a zone it is UTC), or seconds since 1970.
    """
    if not isinstance(told, str):
        return datetime.fromtimestamp(told, tz=UTC)
    instant = datetime.fromisoformat(told)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def same_link(text: str, link: str) -> bool:
    """Whether ``link`` stands in ``text`` as a whole address, not merely as the beginning of a longer one."""
    return bool(re.search(re.escape(link.rstrip("/")) + r"/?(?![][\w/?#&=%.~:@!$'()*+,;-]*\w)", text))


def same_words(text: str, part: str) -> bool:
    """Whether two texts say the same, whatever a network made of links, spaces and punctuation."""

    def bare(one: str) -> str:
        return re.sub(r"[\W_]+", "", re.sub(r"https?://\S+|<[^>]*>", "", one)).casefold()

    return bool(bare(part)) and bare(text) == bare(part)


def says(ours: str, link: str, text: str, *links: str) -> bool:
    """Whether a post with this text and these links is that of ``ours``: by the link where it holds one, else by its words."""
    if same_link(ours, link):
        return any(same_link(one, link) for one in (text, *links))
    return same_words(text, ours)
