"""What follows from what: pure decisions about attempts. No clock, no I/O; ``now`` and chance are arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from reverberate.errors import (
    Duplicate,
    Outcome,
    OutOfCredit,
    RateLimited,
    Refused,
    Retired,
    Transient,
    Unauthorised,
    Unsure,
)
from reverberate.model import Assurance, Receipt, ShareState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import Share

WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
"""Between the ten tries, before jitter: the shape that Standard Webhooks recommends, about 75 hours in all."""
LOOKS = 2
"""So many look-ups must find nothing before the same message is sent again: listings lag."""
LAST_LOOK = 4
"""Before the last try is given up for good there is one look more, after so many times the usual wait."""
LONGEST_LOOK = timedelta(minutes=15)
"""Between two look-ups while the network cannot be asked, at the most."""
REST = timedelta(minutes=5)
"""How long an account rests when the network asks for it without saying how long."""
MAX_LATE = timedelta(days=1)
"""A share that could not even be tried for so long is not sent any more."""
PREFLIGHT = (timedelta(hours=12), timedelta(hours=1))
"""So long before a scheduled share its account is asked how it stands."""
CRASHES = 3
"""A share over which so many workers died is not tried again before a person has looked at it."""
TRIPS = 5
"""So many attempts in a row find a network not working before its accounts rest."""
TRIPPED, LONGEST_TRIP = timedelta(seconds=30), timedelta(minutes=30)
"""How long they rest, doubling from the first to the second; then one share goes ahead and tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """What the policy must know of a network.

    Attributes:
        assurance: what the network gives us to deliver exactly once.
        finds: whether our own posts can be looked up.
        always: whether the identity that we choose holds for ever, so that sending again is always harmless.
        resend: whether the owner prefers a second copy to a question, where nothing else is possible.
        waits: between the tries; there is one try more than these.
        settle: how long the network's listings need before a look-up is worth anything, and between two of them.
    """

    assurance: Assurance
    finds: bool
    always: bool
    resend: bool = False
    waits: tuple[timedelta, ...] = WAITS
    settle: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from an attempt.

    Attributes:
        state: the share's next state.
        due: when to act on it next; None when nobody needs to, or a person must.
        reason: why, in words.
        receipt: the network's proof, if there is one.
        rest_until: until when the whole account waits, or None.
        pause: why the whole account waits for its owner, or "".
        counts: whether the attempt was a try at all; being told to wait, or to reconnect, is none.
    """

    state: ShareState
    due: datetime | None = None
    reason: str = ""
    receipt: Receipt | None = None
    rest_until: datetime | None = None
    pause: str = ""
    counts: bool = True


def too_late(share: Share, *, most: timedelta, now: datetime) -> bool:
    """Whether a share has waited so long without a single try that sending it now would be wrong."""
    return share.state is ShareState.SCHEDULED and share.tries == 0 and now - share.wanted > most


def tripped(failures: int) -> timedelta | None:
    """How long an account rests after so many attempts in a row that found its network not working; None if not."""
    if failures < TRIPS:
        return None
    doubled: int = 2 ** min(failures - TRIPS, 10)
    return min(TRIPPED * doubled, LONGEST_TRIP)


def next_step(share: Share, ability: Ability) -> str:
    """What to do with a due share: "send" it, "look" whether it is there already, or "ask" a person."""
    if share.state is ShareState.SCHEDULED:
        return "send"
    if ability.assurance is Assurance.IDENTITY and ability.always and share.tries <= len(ability.waits):
        return "send"
    if ability.finds:
        return "look"
    return "send" if ability.resend else "ask"


def after_send(
    outcome: Receipt | Outcome,
    *,
    tries: int,
    ability: Ability,
    now: datetime,
    chance: float,
    doubt: bool = False,
) -> Verdict:
    """What follows from an attempt to send.

    Args:
        outcome: what it came to.
        tries: how many attempts there were, this one included.
        ability: what the network can do.
        now: the time.
        chance: a random number from 0 to 1.
        doubt: whether an earlier attempt may have arrived: that this one brought nothing does not settle it.
    """
    verdict = _after_send(outcome, tries=tries, ability=ability, now=now, chance=chance)
    if doubt and ability.always and verdict.state is not ShareState.SENT:
        return replace(verdict, state=ShareState.UNSURE, due=verdict.due or now + ability.settle)
    return verdict


def _after_send(outcome: Receipt | Outcome, *, tries: int, ability: Ability, now: datetime, chance: float) -> Verdict:
    match outcome:
        case Receipt():
            return Verdict(state=ShareState.SENT, receipt=outcome)
        case Duplicate(receipt=Receipt() as receipt):
            return Verdict(state=ShareState.SENT, receipt=receipt, reason=outcome.words)
        case Transient():
            return _again(outcome, tries=tries, wait=outcome.after, ability=ability, now=now, chance=chance)
        case RateLimited():
            until = outcome.until or now + REST
            return Verdict(state=ShareState.SCHEDULED, due=until, rest_until=until, reason=outcome.words, counts=False)
        case Unauthorised() | OutOfCredit():
            return Verdict(state=ShareState.SCHEDULED, due=now, pause=outcome.words, reason=outcome.words, counts=False)
        case Refused():
            return Verdict(state=ShareState.REFUSED, reason=outcome.words)
        case Retired():
            return Verdict(state=ShareState.SKIPPED, reason=outcome.words)
        case _:  # Unsure, Duplicate without its receipt
            return _question(outcome, tries=tries, ability=ability, now=now, chance=chance)


def after_chore(outcome: Receipt | Outcome, *, tries: int, ability: Ability, now: datetime, chance: float) -> Verdict:
    """What follows from an attempt to edit or delete: as for one to send, but doing it twice harms nothing.

    The state is ``sent`` where it is done, ``scheduled`` where it is to be done again.
    """
    if isinstance(outcome, Unsure | Duplicate):
        outcome = Transient(outcome.words, status=outcome.status)
    return _after_send(outcome, tries=tries, ability=ability, now=now, chance=chance)


def after_look(
    found: Receipt | Outcome | None, *, looks: int, tries: int, ability: Ability, now: datetime, chance: float
) -> Verdict:
    """What follows from looking up whether an earlier attempt arrived; ``found`` is None if it is not to be seen."""
    match found:
        case Receipt():
            return Verdict(state=ShareState.SENT, receipt=found, reason="found on the network")
        case None if looks < LOOKS:
            due = now + ability.settle
            return Verdict(state=ShareState.UNSURE, due=due, reason="not to be seen yet; looking again")
        case None if looks == LOOKS and tries > len(ability.waits):
            due = now + ability.settle * LAST_LOOK
            return Verdict(state=ShareState.UNSURE, due=due, reason="not to be seen yet; a last look before giving up")
        case None:
            missing = Transient("looked up and not there: it never arrived")
            return _again(missing, tries=tries, wait=None, ability=ability, now=now, chance=chance)
        case RateLimited():
            until = found.until or now + REST
            return Verdict(state=ShareState.UNSURE, due=until, rest_until=until, reason=found.words)
        case Unauthorised() | OutOfCredit():
            return Verdict(state=ShareState.UNSURE, due=now, pause=found.words, reason=found.words)
        case Transient():
            pause = min(max(ability.settle, timedelta(seconds=1)) * 2 ** min(looks, 10), LONGEST_LOOK)
            due = now + max(found.after or pause, pause)
            return Verdict(state=ShareState.UNSURE, due=due, reason=f"cannot be looked up now: {found.words}")
        case _:
            return Verdict(state=ShareState.UNSURE, reason=f"cannot be looked up, please check: {found.words}")


def _question(outcome: Outcome, *, tries: int, ability: Ability, now: datetime, chance: float) -> Verdict:
    if ability.assurance is Assurance.IDENTITY and ability.always and tries <= len(ability.waits):
        due = now + ability.waits[tries - 1] * (0.5 + chance)
        return Verdict(state=ShareState.UNSURE, due=due, reason=outcome.words)
    if ability.finds:
        return Verdict(state=ShareState.UNSURE, due=now + ability.settle, reason=outcome.words)
    if ability.resend:
        return _again(outcome, tries=tries, wait=None, ability=ability, now=now, chance=chance)
    return Verdict(state=ShareState.UNSURE, reason=f"{outcome.words}; please check whether it is there")


def _again(
    outcome: Outcome, *, tries: int, wait: timedelta | None, ability: Ability, now: datetime, chance: float
) -> Verdict:
    if tries > len(ability.waits):
        return Verdict(state=ShareState.REFUSED, reason=f"gave up after {tries} tries: {outcome.words}")
    ours = ability.waits[tries - 1] * (0.5 + chance)
    return Verdict(state=ShareState.SCHEDULED, due=now + max(ours, wait or ours), reason=outcome.words)


LONGEST_WAIT = timedelta(days=1)
"""No server's word makes us wait longer than this; some send nonsense."""
EPOCH_FLOOR = 1_000_000_000
"""A number above this is an instant (seconds since 1970), below it a number of seconds to wait."""


def skew(headers: Mapping[str, str], *, at: datetime | None) -> timedelta | None:
    """How far the clock that wrote ``Date`` is ahead of ours, at which the answer came ``at``; None if it is not told."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    if at is None or told.tzinfo is None:
        return None
    return timedelta(seconds=round((told - at).total_seconds()))


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
            return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # the second: a year, or an offset, that no calendar holds
            continue
    return None
