"""A government changed its clocks: what is planned on them keeps its wall time, and gets the instant that it means now."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reverberate import zonefiles
from reverberate.schedule import Moment
from reverberate.store import bookings, marks
from reverberate.walltime import instant

if TYPE_CHECKING:
    from datetime import datetime

    from reverberate.model import Share
    from reverberate.store import Store

log = logging.getLogger(__name__)
BATCH = 500
MARK = "zone "


def retime(store: Store, zone: ZoneInfo, *, now: datetime) -> int:
    """Compute the instants of future shares anew where a zone's rules are not those of last time.

    ``zone`` is the site's; zones that it had before are looked at too. Returns how many shares moved.
    """
    with store.read() as tx:
        names = {zone.key, *(name.removeprefix(MARK) for name in marks.named(tx, MARK))}
        known = {name: marks.get(tx, MARK + name)[1] for name in names}
    moved = 0
    for name in sorted(names):
        if (rules := zonefiles.digest(name)) and rules != known[name]:
            moved += _zone(store, ZoneInfo(name), now=now)
            with store.write() as tx:
                marks.put(tx, MARK + name, at=now, words=rules)
    if moved:
        log.warning("the rules of time zones changed: %d shares keep their wall times and move", moved)
    return moved


def _zone(store: Store, zone: ZoneInfo, *, now: datetime) -> int:
    """Batch by batch, each in its own transaction; doing it twice changes nothing."""
    moved, last = 0, 0
    while True:
        with store.write() as tx:
            rows = bookings.on_the_wall(tx, zone.key, after=last, limit=BATCH)
            for share in rows:
                when = _again(share, zone)
                if when.due != share.wanted:
                    reason = f"the rules of {zone.key} changed"
                    moved += bookings.move(tx, share, when, zone=zone.key, now=now, reason=reason)
        if len(rows) < BATCH:
            return moved
        last = rows[-1].id


def _again(share: Share, zone: ZoneInfo) -> Moment:
    spread = timedelta(seconds=share.spread)
    due = instant(share.wall, zone) + spread if share.wall else share.wanted
    return Moment(due=due, wall=share.wall, spread=spread)
