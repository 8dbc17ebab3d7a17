"""What attempts mean for whole accounts: success, a pause, a rest, money that comes back, a network that does not work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverberate.policy import tripped
from reverberate.store import journal, turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What one attempt means for its account.

    Attributes:
        account: its name.
        now: when.
        took: whether the network took a message.
        broken: how the network did not work, or "" where it answered.
        pause: why the account waits for its owner, or "".
        rest_until: until when it rests, or None; ``why`` says why.
        why: see above.
        back: what was counted as spent and was not, in millionths.
        same_host: the accounts on the same server, which rest together when it does not work.
    """

    account: str
    now: datetime
    took: bool = False
    broken: str = ""
    pause: str = ""
    rest_until: datetime | None = None
    why: str = ""
    back: int = 0
    same_host: tuple[str, ...] = ()


def apply(tx: Connection, several: Sequence[Aftermath]) -> None:
    """Write down what attempts mean for their accounts."""
    took = [one.account for one in several if one.took]
    if took:
        journal.succeeded(tx, took, now=several[0].now)
    answered = [one.account for one in several if not one.took and not one.broken]
    if answered:
        journal.works(tx, answered)
    for one in several:
        _exceptional(tx, one)


def _exceptional(tx: Connection, one: Aftermath) -> None:
    if one.pause:
        journal.pause(tx, one.account, now=one.now, why=one.pause)
    if one.rest_until:
        journal.rest(tx, one.account, until=one.rest_until, now=one.now, why=one.why)
    if one.back:
        turns.add(tx, one.account, -one.back, now=one.now)
    if one.broken and (pause := tripped(journal.failed(tx, one.account))) is not None:
        for name in one.same_host:
            words = f"the network does not work: {one.broken}"
            journal.rest(tx, name, until=one.now + pause, now=one.now, why=words)
