"""Pre-flight: an account is asked how it stands some time before its next scheduled share.

So a dead token is found before it matters. Each account is asked once for each time ahead, never for each share, and
not at all while its posts arrive; what is wrong is told as an event. Nothing is paused for it, unless its owner must
reconnect, as after a delivery.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from reverberate import standings
from reverberate.store import journal, preflights

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reverberate.service import Service
    from reverberate.standings import Stand
    from reverberate.store import Transaction

log = logging.getLogger(__name__)


def look(service: Service, *, now: Callable[[], datetime]) -> list[Stand]:
    """Ask the accounts whose time has come, and tell what is wrong; how those that were asked stand."""
    flights = {name: ahead for name in service.config.accounts if (ahead := service.accounts.preflight(name))}
    with service.store.read() as tx:
        due = preflights.due(tx, flights, now=now())
    if not due:
        return []
    with service.store.write() as tx:
        mine = [name for name, (_, ahead) in due.items() if preflights.take(tx, name, ahead, now=now())]
    found = standings.ask(service.accounts, mine, now=now)
    with service.store.write() as tx:
        for one in found:
            _tell(tx, one, due[one.account][0], now=now())
    return found


def _troubles(one: Stand, share_due: datetime) -> list[str]:
    """What may keep that share from arriving."""
    ends = one.expires is not None and one.expires <= share_due
    early = [f"its permission ends on {one.expires:%Y-%m-%d %H:%M} UTC, before the share"] if ends else []
    return [*one.troubles, *early]


def _tell(tx: Transaction, one: Stand, share_due: datetime, *, now: datetime) -> None:
    words = "; ".join(_troubles(one, share_due))
    before = preflights.note(tx, one.account, words)
    if words:
        words += f"; its next share is due at {share_due:%Y-%m-%d %H:%M} UTC"
        log.warning("account %s: %s", one.account, words)
        journal.note(tx, "preflight trouble", now=now, account=one.account, words=words)
    elif before:
        journal.note(tx, "preflight fine", now=now, account=one.account)
    if one.pause:
        journal.pause(tx, one.account, now=now, why=one.pause)
