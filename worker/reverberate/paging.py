"""Pages of lists: a cursor is the place where the page before ended, in letters that go through any address."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from reverberate.errors import ReverberateError
from reverberate.store.tables import EPOCH, MICROSECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Place: TypeAlias = tuple[datetime, int]
Page: TypeAlias = "tuple[list[dict[str, Any]], str | None]"
"""A page of a list, and the cursor of the next one, if there is one."""


def cursor_of(at: datetime, number: int) -> str:
    """A place in a list, for handing on."""
    return urlsafe_b64encode(f"{(at - EPOCH) // MICROSECOND}.{number}".encode()).decode("ascii").rstrip("=")


def place(cursor: str) -> Place | None:
    """Back from there; None for "".

    Raises:
        ReverberateError: it is no cursor.
    """
    if not cursor:
        return None
    try:
        at, number = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).split(b".")
        found = EPOCH + int(at) * MICROSECOND, int(number)
    except (ValueError, OverflowError):
        found = None
    if found is None or not 0 <= found[1] < 2**63:
        raise ReverberateError("this is no cursor", hint="take the one that came with the page before")
    return found


def page(found: Sequence[Any], limit: int, show: Callable[[Any], dict[str, Any]], at: Callable[[Any], Place]) -> Page:
    """A page, and where the next one begins if there is one: one more than wanted was asked for, to know."""
    more = cursor_of(*at(found[limit - 1])) if len(found) > limit else None
    return [show(one) for one in found[:limit]], more
