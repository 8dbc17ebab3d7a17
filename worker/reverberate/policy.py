"""What follows from what: pure decisions about attempts. No clock, no I/O; ``now`` and chance are arguments."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT = timedelta(days=1)
"""No server's word makes us wait longer than this; some send nonsense."""
EPOCH_FLOOR = 1_000_000_000
"""A number above this is an instant (seconds since 1970), below it a number of seconds to wait."""


def wait_until(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """When the server says that we may come again; None if it does not say.

    Understands ``Retry-After`` (seconds or an HTTP date) and the rate-limit reset dialects: seconds since 1970 (X,
    Bluesky), ISO 8601 (Mastodon, GoToSocial), seconds left as integer or float (Reddit, Discord). The latest of them
    counts; anything unreadable is ignored, anything absurd is cut to LONGEST_WAIT.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    names = ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset-after", "x-ratelimit-reset", "ratelimit-reset")
    instants = [instant for name in names if (instant := _instant(lowered.get(name, ""), now=now))]
    return min(max(instants), now + LONGEST_WAIT) if instants else None


def _instant(text: str, *, now: datetime) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return _date(text)
    if not math.isfinite(number) or number < 0:
        return None
    if number > EPOCH_FLOOR:
        return datetime.fromtimestamp(min(number, 4e9), tz=UTC)
    return now + timedelta(seconds=min(number, LONGEST_WAIT.total_seconds()))


def _date(text: str) -> datetime | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            instant = parse(text)
        except ValueError:
            continue
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None
