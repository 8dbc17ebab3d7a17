"""How long a connection lasts, when to refresh it, when to warn of its end: pure, ``now`` is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import connecting
from reverberate.errors import Outcome, RateLimited, Transient, Unsure
from reverberate.networks.flows import OAuth2Flow

if TYPE_CHECKING:
    from reverberate.networks.flows import Flow, Grant
    from reverberate.store.connections import Connection

AGAIN, LATER = timedelta(seconds=30), timedelta(minutes=15)
"""When to try again: after a lost or absent answer, and after a no that may be mended."""
WARNINGS = (1, 7, 30)
"""Days before its end at which the owner is told of a token that cannot be refreshed."""


def lasting(one: Connection, flow: Flow, grant: Grant, *, now: datetime) -> Connection:
    """The connection with the grant's end, and when to refresh it: ahead of it, or half-way where that is nearer."""
    refresh_at = None
    if isinstance(flow, OAuth2Flow) and connecting.refreshable(flow, grant) and grant.expires:
        refresh_at = grant.expires - (flow.ahead if flow.ahead < grant.expires - now else (grant.expires - now) / 2)
    return replace(one, expires=grant.expires, refresh_at=refresh_at, lease=None, begun=None, trouble="", warned=None)


def next_try(trouble: Outcome, *, now: datetime) -> datetime:
    match trouble:
        case RateLimited(until=datetime() as until):
            return max(until, now + AGAIN)
        case Transient(after=timedelta() as after):
            return now + max(after, AGAIN)
        case Transient() | Unsure() | RateLimited():
            return now + AGAIN
        case _:
            return now + LATER


def warned_at(left: timedelta) -> int | None:
    """The warning that is due so long before the end."""
    return next((days for days in WARNINGS if left <= timedelta(days=days)), None)


def ending(seen: Connection) -> str:
    """When and why its secrets end, and what to do; no word of it is secret."""
    when = f"its token ends on {seen.expires:%Y-%m-%d %H:%M} UTC" if seen.expires else "its token has ended"
    why = f" and cannot be refreshed ({seen.trouble})" if seen.trouble else ""
    return f"{when}{why}; connect it again: reverberate connect {seen.account}"


def warning(seen: Connection, *, now: datetime) -> str:
    """The words before its end: others each time, for the same are told once."""
    left = (seen.expires - now) if seen.expires else timedelta(0)
    days = max(round(left / timedelta(days=1)), 0)
    return f"{days} day{'' if days == 1 else 's'} left: {ending(seen)}"
