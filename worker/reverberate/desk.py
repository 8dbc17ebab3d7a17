"""What a person may do to a share: the doors between its states that only a person opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverberate.errors import Missing, ReverberateError
from reverberate.model import Receipt, ShareState
from reverberate.store import journal, shares, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reverberate.store import Store, Transaction

S = ShareState
WAITING = (S.HELD, S.SCHEDULED)


class Desk:
    """A person's hand on the shares of one store. Every method raises a ReverberateError where the door is shut."""

    def __init__(self, store: Store, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._now = store, now

    def retry(self, share_id: int) -> None:
        """Send it anew, from the first try, in words rendered anew; only where nothing can have been posted."""
        self._open(
            share_id,
            (S.REFUSED, S.SKIPPED, S.CANCELLED, *WAITING),
            S.SCHEDULED,
            "retried by hand",
            self._now(),
            anew=True,
        )

    def approve(self, share_id: int) -> None:
        """Release a held share."""
        self._open(share_id, (S.HELD,), S.SCHEDULED, "approved", self._now(), anew=True)

    def cancel(self, share_id: int) -> None:
        """Call it off."""
        self._open(share_id, WAITING, S.CANCELLED, "cancelled by hand")

    def reschedule(self, share_id: int, due: datetime) -> None:
        """Let it be sent at ``due`` (aware)."""
        self._open(share_id, WAITING, S.SCHEDULED, f"rescheduled to {due.isoformat()}", due.astimezone(UTC))

    def resolve_sent(self, share_id: int, *, permalink: str = "") -> None:
        """A person has seen it on the network."""
        receipt = Receipt(remote_id=permalink or "seen by its owner", permalink=permalink)
        self._open(share_id, (S.UNSURE,), S.SENT, "resolved by hand: it is there", receipt=receipt)

    def resolve_resend(self, share_id: int) -> None:
        """A person has seen that it is not there: send the same message again."""
        self._open(share_id, (S.UNSURE,), S.SCHEDULED, "resolved by hand: not there, sent again", self._now())

    def resolve_give_up(self, share_id: int) -> None:
        """A person does not want it any more."""
        self._open(share_id, (S.UNSURE,), S.CANCELLED, "resolved by hand: given up")

    def pause(self, account: str, *, why: str = "") -> None:
        """Let the account's shares wait until ``resume``."""
        words = f"paused by hand: {why}" if why else "paused by hand"
        with self._store.write() as tx:
            journal.pause(tx, account, now=self._now(), why=words, event="account paused by hand")

    def stop_all(self, *, why: str = "") -> None:
        """Let everything wait until ``start_all``: no claim is granted from now on; what is on its way arrives."""
        now = self._now()
        with self._store.write() as tx:
            watch.switch_on(tx, watch.STOPPED, now=now, words=why)
            journal.note(tx, "all paused", now=now, words=why)

    def start_all(self) -> bool:
        """Let everything go on; whether it was stopped."""
        with self._store.write() as tx:
            was = watch.switch_off(tx, watch.STOPPED)
            if was:
                journal.note(tx, "all resumed", now=self._now())
        return was

    def resume(self, account: str) -> None:
        """The account is mended: its shares go on."""
        with self._store.write() as tx:
            journal.resume(tx, account, now=self._now())

    def _open(
        self,
        share_id: int,
        doors: Iterable[ShareState],
        to: ShareState,
        reason: str,
        due: datetime | None = None,
        *,
        receipt: Receipt | None = None,
        anew: bool = False,
    ) -> None:
        doors, now = tuple(doors), self._now()
        with self._store.write() as tx:
            done = shares.change(
                tx, share_id, doors=doors, to=to, now=now, reason=reason, due=due, receipt=receipt, anew=anew
            )
            if not done:
                raise _shut(tx, share_id, doors)
            if anew:
                shares.unfreeze(tx, share_id)


def _shut(tx: Transaction, share_id: int, doors: Iterable[ShareState]) -> ReverberateError:
    share = shares.get(tx, share_id)
    if share is None:
        return Missing(f"there is no share {share_id}", hint="reverberate shares lists them")
    allowed = ", ".join(doors)
    return ReverberateError(f"share {share_id} is {share.state}", hint=f"this needs a share that is {allowed}")
