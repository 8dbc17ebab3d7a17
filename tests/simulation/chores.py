"""The store of chores as plain dictionaries: what ``store.chores`` promises. A part of ``store.Model``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from reverberate.model import Chore, ShareState
from reverberate.store.chores import AGAIN
from simulation.rows import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from reverberate.model import Message, Step
    from reverberate.store.chores import Finish
    from simulation.rows import Row, Standing

S = ShareState
NAMES = tuple(one.name for one in fields(Chore))


@dataclass(slots=True)
class ChoreRow:
    """One chore; see ``model.Chore``."""

    id: int
    share_id: int
    account: str
    kind: str
    by: str
    text: str
    asked: datetime
    due: datetime
    wake: datetime | None
    tries: int = 0
    outcome: str = ""
    reason: str = ""
    ended: datetime | None = None

    def chore(self) -> Chore:
        """As it is now."""
        return Chore(**{name: getattr(self, name) for name in NAMES})


class Chores:
    """All that is to be done about shares that are out."""

    rows: dict[int, Row]
    messages: dict[int, Message]
    steps: dict[int, dict[str, Step]]
    intents: dict[tuple[int, int], Intent]
    standings: dict[str, Standing]

    def __init__(self) -> None:
        self.chores: list[ChoreRow] = []

    def ask(self, of: Sequence[tuple[int, str]], kind: str, *, by: str, now: datetime, text: str = "") -> None:
        """See chores."""
        for share_id, account in of:
            standing = self.standings.get(account)
            due = max(now, standing.rest_until) if standing and standing.rest_until else now
            mine = [one for one in self._open(share_id) if one.kind == kind]
            if not mine:
                wake = None if standing and standing.paused else due
                number = len(self.chores) + 1
                mine = [ChoreRow(number, share_id, account, kind, by, text, now, due, wake)]
                self.chores += mine
            for one in mine:
                one.by, one.text, one.asked = by, text, now

    def chores_due(self, *, now: datetime, limit: int) -> list[int]:
        """See chores.take_due."""
        due = sorted(
            (one for one in self.chores if one.wake is not None and one.wake <= now), key=lambda one: (one.wake, one.id)
        )
        for one in due[: max(limit, 0)]:
            one.wake = now + AGAIN
        return list(dict.fromkeys(one.share_id for one in due[: max(limit, 0)]))

    def chores_waiting(self, ids: Iterable[int]) -> dict[int, Chore]:
        """See chores.waiting."""
        asked = set(ids)
        found = [one for one in self.chores if one.share_id in asked and one.wake is not None]
        return {one.share_id: one.chore() for one in sorted(found, key=lambda one: one.kind, reverse=True)}

    def claim_chore(self, chore: Chore, *, fence: int, owner: str, lease: datetime, now: datetime) -> int | None:
        """See chores.claim."""
        row, mine = self.rows[chore.share_id], self.chores[chore.id - 1]
        if not self._may_take(row, mine, fence=fence, now=now):
            return None
        mine.tries, mine.wake = mine.tries + 1, None
        if chore.kind == "delete":
            for other in self._open(chore.share_id):
                if other.id != chore.id:
                    other.ended, other.wake, other.outcome = now, None, "dropped"
        row.fence, row.lease, row.owner = fence + 1, lease, owner
        self.intents[row.id, row.fence] = Intent(row.id, row.fence, chore.kind, mine.tries, now)
        return fence + 1

    def _may_take(self, row: Row, mine: ChoreRow, *, fence: int, now: datetime) -> bool:
        free = row.state is S.SENT and row.lease is None and row.fence == fence
        return free and mine.ended is None and mine.due <= now

    def settle_chore(self, one: Finish) -> bool:
        """See chores.settle."""
        row = self.rows[one.chore.share_id]
        if intent := self.intents.get((row.id, one.fence)):
            intent.ended, intent.outcome = one.now, one.outcome
        if not self._still_mine(row, one):
            return False
        row.lease, row.owner = None, ""
        if one.came == "done":
            self._keep(row, one)
        if one.came:
            self.end_chore(one.chore, one.came, now=one.now, reason=one.reason)
        else:
            self.put_off_chore(one.chore, due=one.due or one.now, reason=one.reason, counts=one.counts)
        return True

    def taken_back(self, share_id: int, *, since: int) -> bool:
        """See chores."""
        mine = (one for one in self.intents.values() if one.share_id == share_id and one.fence > since)
        return any(one.kind == "delete" and one.outcome == "receipt" for one in mine)

    def _still_mine(self, row: Row, one: Finish) -> bool:
        return row.fence == one.fence and row.lease is not None

    def _keep(self, row: Row, one: Finish) -> None:
        if one.chore.kind == "delete":
            row.state, row.reason, row.wake, row.changed = S.CANCELLED, "deleted on the network", None, one.now
            row.receipt, row.key, row.tries, row.first_try = None, one.key, 0, None
            self.steps.pop(row.id, None)
        else:
            row.receipt = one.receipt or row.receipt
            if one.message and row.id in self.messages:
                self.messages[row.id] = one.message

    def end_chore(self, chore: Chore, outcome: str, *, now: datetime, reason: str = "", share: str = "") -> None:
        """See chores.end."""
        del share  # the journal's word for it, which these worlds do not keep
        mine = self.chores[chore.id - 1]
        if mine.ended is not None:
            return
        if chore.kind == "edit" and mine.asked > chore.asked:
            mine.due = mine.wake = now
            return
        mine.ended, mine.wake, mine.outcome, mine.reason = now, None, outcome, reason

    def put_off_chore(self, chore: Chore, *, due: datetime, reason: str, counts: bool = True) -> None:
        """See chores.put_off."""
        mine, standing = self.chores[chore.id - 1], self.standings.get(chore.account)
        if mine.ended is None:
            mine.due, mine.reason, mine.tries = due, reason, mine.tries - (not counts)
            mine.wake = None if standing and standing.paused else due

    def sweep_chores(self, *, now: datetime) -> None:
        """See chores.sweep."""
        for row in self.rows.values():
            if row.state is S.SENT and row.lease is not None and row.lease < now:
                row.lease, row.owner = None, ""
                for one in self._open(row.id):
                    standing = self.standings.get(one.account)
                    one.due, one.reason = now + AGAIN, "its worker died; it is done again"
                    one.wake = None if standing and standing.paused else one.due

    def wake_chores(self, account: str) -> None:
        """See chores.wake_account."""
        for one in self._of_account(account):
            one.wake = one.due

    def silence_chores(self, account: str) -> None:
        """See chores.silence_account."""
        for one in self._of_account(account):
            one.wake = None

    def postpone_chores(self, account: str, *, until: datetime) -> None:
        """See chores.postpone_account."""
        for one in self._of_account(account):
            if one.wake is not None and one.due < until:
                one.due = one.wake = until

    def _open(self, share_id: int) -> list[ChoreRow]:
        return [one for one in self.chores if one.share_id == share_id and one.ended is None]

    def _of_account(self, account: str) -> list[ChoreRow]:
        return [one for one in self.chores if one.account == account and one.ended is None]
