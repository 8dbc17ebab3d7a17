"""The store as plain dictionaries: what ``store.claims``, ``shares``, ``journal``, ``turns`` and ``aftermath`` promise.

``test_model.py`` holds it against the real one. Each method is one step of a transaction; nothing comes in between.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import policy
from reverberate.model import Message, Post, Receipt, Share, ShareState, Step, Work
from reverberate.store.claims import RING_AGAIN, RING_SELDOM
from reverberate.store.turns import month_of
from simulation.chores import Chores
from simulation.rows import Intent, Row, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reverberate.model import JSON
    from reverberate.schedule import Moment
    from reverberate.store.aftermath import Aftermath
    from reverberate.store.claims import Claim
    from reverberate.store.endings import Ending
    from reverberate.store.turns import Allowance

S = ShareState
WAITS = {S.SCHEDULED, S.UNSURE}


class Model(Chores):
    """All that the store remembers of shares and accounts."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, Row] = {}
        self.posts: dict[int, Post] = {}
        self.messages: dict[int, Message] = {}
        self.steps: dict[int, dict[str, Step]] = {}
        self.intents: dict[tuple[int, int], Intent] = {}
        self.standings: dict[str, Standing] = {}

    def plan(self, share: Share, post: Post) -> None:
        """A share to come."""
        standing = self.standings.get(share.account)
        row = Row.of(share)
        if standing and standing.rest_until:
            row.due = max(share.due, standing.rest_until)
        waits = share.state is S.SCHEDULED and not (standing and standing.paused)
        row.wake = row.due if waits else None
        self.rows[share.id], self.posts[share.id] = row, post

    def next_wake(self) -> datetime | None:
        """When the next share wants attention."""
        return self.coming()[0]

    def coming(self) -> tuple[datetime | None, datetime | None]:
        """When the next share wants attention, and when the first claim runs out."""
        wake: datetime | None = None
        lease: datetime | None = None
        for row in self.rows.values():
            if row.wake is not None and (wake is None or row.wake < wake):
                wake = row.wake
            if row.lease is not None and (lease is None or row.lease < lease):
                lease = row.lease
        wakes = [wake, *(one.wake for one in self.chores)]
        return min((one for one in wakes if one is not None), default=None), lease

    def take_due(self, *, now: datetime, limit: int) -> list[int]:
        """See claims."""
        due = sorted(
            (row for row in self.rows.values() if row.wake is not None and row.wake <= now),
            key=lambda row: (row.wake, row.id),
        )
        for row in due[:limit]:
            row.wake = now + min(max(now - row.due, RING_AGAIN), RING_SELDOM)
        return [*(row.id for row in due[:limit]), *self.chores_due(now=now, limit=limit - len(due[:limit]))]

    def work(self, ids: Iterable[int]) -> list[Work]:
        """See claims."""
        asked = [self.rows[one] for one in ids if one in self.rows]
        wanted = self.chores_waiting(row.id for row in asked)
        waits = self._works(row for row in asked if row.wake is not None and row.lease is None)
        out = self._works(row for row in asked if row.id in wanted and row.wake is None and row.lease is None)
        return [*waits, *(replace(one, chore=wanted[one.share.id]) for one in out)]

    def _works(self, some: Iterable[Row]) -> list[Work]:
        rows = sorted(some, key=lambda row: (row.due, row.id))
        return [
            Work(
                share=row.share(),
                post=self.posts[row.id],
                message=self.messages.get(row.id),
                steps=dict(self.steps.get(row.id, {})) if row.fence else {},
            )
            for row in rows
        ]

    def record(self, share_id: int, fence: int, name: str, answer: Mapping[str, JSON], *, now: datetime) -> bool:
        """See claims."""
        row = self.rows[share_id]
        ours = row.fence == fence and row.lease is not None
        if ours or not self.taken_back(share_id, since=fence):
            self.steps.setdefault(share_id, {}).setdefault(name, Step(answer=dict(answer), at=now))
        return ours

    def claim(
        self, claims: Sequence[Claim], *, owner: str, lease: datetime, now: datetime
    ) -> dict[int, tuple[int, Message]]:
        """See claims."""
        ready = [wish for wish in claims if self._may(wish, now=now)]
        taken = [wish for wish in ready if self._free(wish, self.rows[wish.share_id], now=now)]
        return {wish.share_id: self._take(wish, owner=owner, lease=lease, now=now) for wish in taken}

    def _free(self, wish: Claim, row: Row, *, now: datetime) -> bool:
        same = row.state is wish.state and wish.fence in {None, row.fence}
        return same and row.lease is None and row.wake is not None and row.due <= now

    def _take(self, wish: Claim, *, owner: str, lease: datetime, now: datetime) -> tuple[int, Message]:
        row = self.rows[wish.share_id]
        row.fence, row.lease, row.owner, row.wake = row.fence + 1, lease, owner, None
        if wish.kind == "look":
            row.looks += 1
        else:
            row.state, row.tries, row.looks, row.changed = S.SENDING, row.tries + 1, 0, now
            row.first_try = row.first_try or now
            if wish.allowance and wish.allowance.bounded:
                self._spend(wish.allowance, now=now)
        frozen = self.messages.setdefault(row.id, wish.message)
        self.intents[row.id, row.fence] = Intent(row.id, row.fence, wish.kind, row.tries, now)
        return row.fence, frozen

    def _may(self, wish: Claim, *, now: datetime) -> bool:
        wanted = wish.allowance
        if wish.kind != "send" or wanted is None or not wanted.bounded:
            return True
        due = self._turn(wanted, now=now)
        if due is not None:
            self.put_off(wish.share_id, due=due)
        return due is None

    def _turn(self, wanted: Allowance, *, now: datetime) -> datetime | None:
        standing = self._standing(wanted.account)
        spent = standing.spent.setdefault(month_of(now), 0)
        if wanted.budget is not None and spent + wanted.price > wanted.budget:
            return (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
        for name in wanted.paces:
            standing.turns.setdefault(name, (now, now))
        for name, pace in wanted.paces.items():
            full, booked = standing.turns[name]
            if pace.taken(full, now=now) is None:
                due = pace.next_turn(full, booked)
                standing.turns[name] = (full, due)
                return due
        return None

    def _spend(self, one: Allowance, *, now: datetime) -> None:
        standing = self._standing(one.account)
        for name, pace in one.paces.items():
            full, booked = standing.turns.setdefault(name, (now, now))
            standing.turns[name] = (pace.taken(full, now=now) or full, booked)
        if one.price:
            month = month_of(now)
            standing.spent[month] = standing.spent.get(month, 0) + one.price

    def put_off(self, share_id: int, *, due: datetime) -> None:
        """See claims."""
        row = self.rows[share_id]
        if row.lease is None and row.wake is not None and row.state is S.SCHEDULED and row.due < due:
            row.due = row.wake = due

    def renew(self, ids: Sequence[int], *, owner: str, lease: datetime) -> set[int]:
        """See claims."""
        held = [self.rows[one] for one in ids if self.rows[one].lease is not None and self.rows[one].owner == owner]
        for row in held:
            row.lease = lease
        return {row.id for row in held}

    def settle(self, endings: Sequence[Ending]) -> set[int]:
        """See claims."""
        for one in endings:
            if intent := self.intents.get((one.share_id, one.fence)):
                intent.ended, intent.outcome = one.now, one.outcome
        held = [one for one in endings if self._may_write(one, self.rows[one.share_id])]
        for one in held:
            self._end(one, self.rows[one.share_id])
        return {one.share_id for one in held}

    def _may_write(self, ending: Ending, row: Row) -> bool:
        if row.fence == ending.fence and row.lease is not None:
            return True
        return ending.receipt is not None and row.lease is None and row.state in WAITS

    def _end(self, one: Ending, row: Row) -> None:
        row.state, row.reason, row.receipt, row.changed = one.state, one.reason, one.receipt, one.now
        row.due, row.wake = one.due or row.due, one.due if one.state in WAITS else None
        row.lease, row.owner, row.crashes = None, "", 0
        row.tries -= not one.counts
        self._silence_paused(row)

    def _silence_paused(self, row: Row) -> None:
        standing = self.standings.get(row.account)
        if standing and standing.paused and row.state in WAITS:
            row.wake = None

    def sweep(self, *, now: datetime, settle: Callable[[str], timedelta]) -> list[int]:
        """See claims."""
        self.sweep_chores(now=now)
        lost = [row for row in self.rows.values() if row.lease is not None and row.lease < now]
        for row in lost:
            row.state, row.lease, row.owner, row.changed = S.UNSURE, None, "", now
            row.crashes += 1
            row.due = now + settle(row.account)
            row.wake = None if row.crashes >= policy.CRASHES else row.due
            row.reason = "its worker died"
            self._silence_paused(row)
        return [row.id for row in lost]

    def change(
        self,
        share_id: int,
        *,
        doors: Iterable[ShareState],
        to: ShareState,
        now: datetime,
        reason: str,
        when: Moment | None = None,
        zone: str = "",
        receipt: Receipt | None = None,
        anew: bool = False,
        event: str = "",  # noqa: ARG002 - the journal's word for it, which these worlds do not keep
    ) -> bool:
        """See shares."""
        row = self.rows[share_id]
        if row.state not in set(doors) or row.lease is not None:
            return False
        row.state, row.reason, row.changed = to, reason, now
        row.wake = when.due if when and to in WAITS else None
        if when:
            row.due = row.wanted = when.due
            row.wall, row.fixed, row.spread = when.wall, when.fixed, int(when.spread.total_seconds())
            row.zone = zone if when.wall else ""
        row.receipt = receipt or row.receipt
        if anew:
            row.tries, row.first_try = 0, None
        return True

    def get(self, share_id: int) -> Share | None:
        """See shares."""
        row = self.rows.get(share_id)
        return row.share() if row else None

    def unfreeze(self, share_id: int) -> None:
        """See shares."""
        self.messages.pop(share_id, None)

    def aftermath(self, one: Aftermath) -> None:
        """See store.aftermath."""
        standing = self._standing(one.account)
        if one.took:
            standing.failures, standing.rest_until = 0, None
        elif not one.broken:
            standing.failures = 0
        if one.pause:
            self._pause(one.account, now=one.now)
        if one.rest_until:
            self._rest(one.account, until=one.rest_until)
        if one.back:
            month = month_of(one.now)
            standing.spent[month] = standing.spent.get(month, 0) - one.back
        if one.broken:
            standing.failures += 1
            if (rest := policy.tripped(standing.failures)) is not None:
                for name in one.same_host:
                    self._rest(name, until=one.now + rest)

    def _pause(self, account: str, *, now: datetime) -> None:
        self._standing(account).paused = now
        for row in self._of(account):
            row.wake = None
        self.silence_chores(account)

    def _rest(self, account: str, *, until: datetime) -> None:
        self._standing(account).rest_until = until
        for row in self._of(account):
            if row.wake is not None and row.due < until:
                row.due = row.wake = until
        self.postpone_chores(account, until=until)

    def resume(self, account: str) -> None:
        """See journal."""
        standing = self._standing(account)
        standing.paused, standing.rest_until, standing.failures = None, None, 0
        for row in self._of(account):
            if row.lease is None and row.state in WAITS:
                row.wake = row.due
        self.wake_chores(account)

    def _of(self, account: str) -> list[Row]:
        return [row for row in self.rows.values() if row.account == account]

    def _standing(self, account: str) -> Standing:
        return self.standings.setdefault(account, Standing())
