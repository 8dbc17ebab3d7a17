"""One attempt: asking the network, and saying what came of it in words and in the row that is to be written."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reverberate.errors import Outcome, Refused, Unsure
from reverberate.failpoints import reach
from reverberate.model import ShareState
from reverberate.networks.base import Finds
from reverberate.networks.parts import known_part
from reverberate.store.endings import Ending

if TYPE_CHECKING:
    from datetime import datetime

    from reverberate.model import Delivery, Receipt, Share
    from reverberate.networks.base import Network
    from reverberate.policy import Verdict

log = logging.getLogger(__name__)
LATE = timedelta(minutes=15)
"""A share that is sent so much later than planned says so."""


def too_late(share: Share, *, now: datetime) -> str:
    """Why a share is not tried any more, for people."""
    hours = (now - share.wanted).total_seconds() / 3600
    return f"it is {hours:.0f} hours late, more than max_late allows; retry it if you still want it"


def told_late(verdict: Verdict, share: Share, *, now: datetime) -> Verdict:
    """The verdict, with a word on how late it is where a share could not be tried in time and max_late allowed it."""
    late = now - share.wanted
    if verdict.state is not ShareState.SENT or share.tries or verdict.reason or late < LATE:
        return verdict
    hours, minutes = divmod(int(late.total_seconds()) // 60, 60)
    return replace(verdict, reason=f"sent {hours} h {minutes:02d} min late: it could not be tried before")


def told_how_much(verdict: Verdict, delivery: Delivery) -> Verdict:
    """The verdict, with a word on a thread that ends before its last part: what is there stays there."""
    parts = len(delivery.message.parts)
    there = sum(known_part(delivery, number) is not None for number in range(parts))
    if verdict.state is ShareState.SENT or not there or there == parts:
        return verdict
    return replace(verdict, reason=f"{verdict.reason}; {there} of {parts} parts of the thread are there")


def sent_by(network: Network, delivery: Delivery) -> Receipt | Outcome:
    """What came of sending. A plug-in that fails is Unsure if a request left in full, else Refused; nothing is raised."""
    network.session.fresh()
    try:
        found = network.send(delivery)
    except Outcome as outcome:
        return outcome
    except Exception as error:
        log.exception("the plug-in for %s failed", network.name)
        words = f"the plug-in failed: {type(error).__name__}"
        return Unsure(words) if network.session.wrote else Refused(words)
    reach("send: understood")
    return found


def seen_by(network: Network, delivery: Delivery) -> Receipt | Outcome | None:
    """What the network shows of an earlier attempt; None if it shows nothing. Nothing is raised."""
    if not isinstance(network, Finds):
        return Refused(f"{network.title} cannot be asked for our own posts")
    try:
        found = network.find(delivery)
    except Outcome as outcome:
        return outcome
    except Exception as error:
        log.exception("the plug-in for %s failed to look up", network.name)
        return Refused(f"the plug-in failed to look up: {type(error).__name__}")
    reach("look: found")
    return found


def ending_of(share_id: int, fence: int, found: Receipt | Outcome | None, verdict: Verdict, *, now: datetime) -> Ending:
    """What is to be written down of an attempt."""
    outcome = found if isinstance(found, Outcome) else None
    return Ending(
        share_id=share_id,
        fence=fence,
        now=now,
        state=verdict.state,
        outcome="nothing" if found is None else type(found).__name__.lower(),
        due=verdict.due,
        words=outcome.words if outcome else "",
        status=outcome.status if outcome else None,
        reason=verdict.reason,
        receipt=verdict.receipt,
        counts=verdict.counts,
    )
