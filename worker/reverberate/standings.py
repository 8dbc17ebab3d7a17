"""How accounts stand with their networks: asked of all at the same time, with a time limit for each."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reverberate.errors import Outcome, ReverberateError, Unauthorised
from reverberate.networks import versions
from reverberate.networks.base import Verifies
from reverberate.policy import skew, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reverberate.accounts import Accounts
    from reverberate.networks.base import Network

log = logging.getLogger(__name__)
LIMIT = 20.0
"""Seconds for one account."""
AT_ONCE = 50
"""Accounts that are asked at the same time."""
PATIENCE = (5.0, 10.0)
"""Seconds to connect, and seconds of silence to bear: shorter than for a delivery, for somebody waits."""
ENDS_SOON = timedelta(days=7)
SKEWED = timedelta(minutes=1)
"""Half of what look-ups allow for: beyond it, clocks are a danger to delivering exactly once."""
QUOTAS = ("x-rate-limit", "ratelimit", "x-ratelimit")
"""How the headers begin that tell how many requests are left: X, Bluesky, Mastodon and most others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one account stands.

    Attributes:
        account, network: its name, and its network's.
        who: who we are there; "" where that was not told.
        expires: when its permission ends unless the owner acts.
        skew: how far the network's clock is ahead of ours, to the second.
        notes, troubles: one line each.
        pause: why the account's shares can't arrive before its owner reconnects it, or "".
    """

    account: str
    network: str
    who: str = ""
    expires: datetime | None = None
    skew: timedelta | None = None
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    pause: str = ""


def ask(accounts: Accounts, names: Sequence[str], *, now: Callable[[], datetime], limit: float = LIMIT) -> list[Stand]:
    """How these accounts stand, in their order. Never raises: what goes wrong is a trouble of its account."""
    found: dict[str, Stand] = {}
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        threads = [threading.Thread(target=_into, args=(found, accounts, name, now), daemon=True) for name in some]
        deadline = time.monotonic() + limit
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
    return [found.get(name) or _silent(accounts, name, limit) for name in names]


def _into(found: dict[str, Stand], accounts: Accounts, name: str, now: Callable[[], datetime]) -> None:
    try:
        found[name] = _one(accounts, name, now)
    except ReverberateError as error:
        found[name] = Stand(account=name, network=accounts.get(name).network, troubles=(str(error),))
    except Exception as error:
        log.exception("asking about %s failed", name)
        words = f"the plug-in failed: {type(error).__name__}"
        found[name] = Stand(account=name, network=accounts.get(name).network, troubles=(words,))


def _silent(accounts: Accounts, name: str, limit: float) -> Stand:
    words = f"did not answer within {limit:g} s"
    return Stand(account=name, network=accounts.get(name).network, troubles=(words,))


def _one(accounts: Accounts, name: str, now: Callable[[], datetime]) -> Stand:
    network = accounts.another(name)
    stand = partial(Stand, account=name, network=network.name)
    if network.retired:
        return stand(notes=(network.retired,))
    if not isinstance(network, Verifies):
        return stand(notes=("cannot be asked",))
    network.session.timeout = PATIENCE
    try:
        standing = network.verify()
    except Outcome as outcome:
        pause = outcome.words if isinstance(outcome, Unauthorised) else ""
        heard = _heard(network, now())
        return stand(skew=heard.skew, troubles=(outcome.words, *heard.troubles), pause=pause)
    heard = _heard(network, now())
    notes, troubles = _ending(standing.expires, now=now())
    return stand(
        who=standing.who,
        expires=standing.expires,
        skew=heard.skew,
        notes=(*standing.notes, *notes, *heard.notes),
        troubles=(*standing.troubles, *troubles, *heard.troubles),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the answer tells beside its body."""

    skew: timedelta | None
    notes: tuple[str, ...]
    troubles: tuple[str, ...]


def _heard(network: Network, now: datetime) -> _Heard:
    """What the network's last answer tells of its clock, of what is left, and what is known of its API's version."""
    headers, at = network.session.heard, network.session.heard_at
    ahead = skew(headers, at=at)
    note, trouble = versions.told(network.name, str(getattr(network.settings, "version", "")), now=now)
    left, none_left = quota(headers, now=now)
    clock = f"its clock and ours differ by {abs(ahead).total_seconds():.0f} s" if ahead and abs(ahead) > SKEWED else ""
    return _Heard(ahead, tuple(filter(None, (left, note))), tuple(filter(None, (none_left, trouble, clock))))


def quota(headers: Mapping[str, str], *, now: datetime) -> tuple[str, str]:
    """How many requests are left, as a note, or as a trouble where there are none; "" where it is not told."""
    for name in QUOTAS:
        limit, left = headers.get(f"{name}-limit", ""), headers.get(f"{name}-remaining", "")
        if limit.isdecimal() and left.isdecimal():
            until = wait_until(headers, now=now)
            words = f"{left} of {limit} requests left" + (f" until {until:%H:%M} UTC" if until else "")
            return (words, "") if int(left) else ("", words)
    used = _used(headers)
    words = f"{used} % of its calls used" if used is not None else ""
    return ("", words) if used is not None and used >= 100 else (words, "")


def _used(headers: Mapping[str, str]) -> int | None:
    """The highest of the percentages in Meta's usage headers; None where they tell none."""
    found: list[int] = []
    for name in ("x-app-usage", "x-page-usage", "x-business-use-case-usage"):
        try:
            told = json.loads(headers.get(name, "{}"))
            usages = [told] if "call_count" in told else [one for several in told.values() for one in several]
            found += [int(one[key]) for one in usages for key in ("call_count", "total_time", "total_cputime")]
        except (ValueError, AttributeError, TypeError, KeyError):
            continue
    return max(found, default=None)


def _ending(expires: datetime | None, *, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """When its permission ends: a note, or a trouble where that is soon."""
    if expires is None:
        return (), ()
    days = (expires.astimezone(UTC) - now) // timedelta(days=1)
    if expires <= now:
        return (), (f"its permission ended on {expires:%Y-%m-%d}: reconnect it",)
    words = f"its permission ends on {expires:%Y-%m-%d}, in {days} days"
    return ((), (f"{words}: reconnect it",)) if expires - now <= ENDS_SOON else ((words,), ())
