"""What a person may do to a share: the doors between its states that only a person opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reverberate.errors import Missing, ReverberateError
from reverberate.model import SEEN, Receipt, ShareState
from reverberate.schedule import Moment, fixed
from reverberate.store import journal, shares, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reverberate.model import Message, Share
    from reverberate.store import Store, Transaction

S = ShareState
WAITING = (S.HELD, S.SCHEDULED)


class Desk:
    """A person's hand on the shares of one store. Every method raises a ReverberateError where the door is shut."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        place: Callable[[Transaction, Share], Moment] | None = None,
        zone: ZoneInfo | None = None,
    ) -> None:
        """``place`` gives a share whose time is over a new one (at once without it); ``zone`` is the blogger's clock."""
        self._store, self._now, self._place, self._zone = store, now, place, zone or ZoneInfo("UTC")

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
        """Release a held share: it is sent at its time; where that is over, at the next that its schedule allows."""
        with self._store.write() as tx:
            share = shares.get(tx, share_id)
            if share is None or share.state is not S.HELD:
                raise _shut(tx, share_id, (S.HELD,))
            when = self._time(tx, share)
            self._change(tx, share_id, doors=(S.HELD,), to=S.SCHEDULED, reason="approved", when=when, anew=True)

    def _time(self, tx: Transaction, share: Share) -> Moment:
        """The share's own time while that is to come, else a new one."""
        if share.wanted > self._now():
            spread, wall = timedelta(seconds=share.spread), share.wall if share.zone == self._zone.key else None
            return Moment(due=share.wanted, wall=wall, spread=spread, fixed=share.fixed)
        return self._place(tx, share) if self._place else Moment(due=self._now())

    def edit(self, share_id: int, message: Message) -> None:
        """Let a waiting share that was not tried yet say this; it waits on as it did."""
        with self._store.write() as tx:
            if not shares.reword(tx, share_id, message, doors=WAITING, now=self._now()):
                raise _shut(tx, share_id, WAITING)

    def cancel(self, share_id: int) -> None:
        """Call it off."""
        self._open(share_id, WAITING, S.CANCELLED, "cancelled by hand")

    def reschedule(self, share_id: int, at: datetime) -> None:
        """Let it be sent then, whatever its schedule says; ``at`` is aware, or on the blogger's clock."""
        self._open(share_id, WAITING, S.SCHEDULED, f"rescheduled to {at.isoformat()}", fixed(at, self._zone))

    def resolve_sent(self, share_id: int, *, permalink: str = "") -> None:
        """A person has seen it on the network."""
        receipt = Receipt(remote_id=SEEN, permalink=permalink)
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
        doors: tuple[ShareState, ...],
        to: ShareState,
        reason: str,
        due: datetime | Moment | None = None,
        *,
        receipt: Receipt | None = None,
        anew: bool = False,
    ) -> None:
        when = Moment(due=due) if isinstance(due, datetime) else due
        with self._store.write() as tx:
            self._change(tx, share_id, doors=doors, to=to, reason=reason, when=when, receipt=receipt, anew=anew)
            if anew:
                shares.unfreeze(tx, share_id)

    def _change(
        self,
        tx: Transaction,
        share_id: int,
        *,
        doors: tuple[ShareState, ...],
        to: ShareState,
        reason: str,
        when: Moment | None,
        receipt: Receipt | None = None,
        anew: bool = False,
    ) -> None:
        done = shares.change(
            tx,
            share_id,
            doors=doors,
            to=to,
            now=self._now(),
            reason=reason,
            when=when,
            zone=self._zone.key,
            receipt=receipt,
            anew=anew,
        )
        if not done:
            raise _shut(tx, share_id, doors)


def _shut(tx: Transaction, share_id: int, doors: Collection[ShareState]) -> ReverberateError:
    share = shares.get(tx, share_id)
    if share is None:
        return Missing(f"there is no share {share_id}", hint="reverberate shares lists them")
    allowed = ", ".join(doors)
    if share.state in doors:
        return ReverberateError(f"share {share_id} was tried already, or is in a worker's hands")
    return ReverberateError(f"share {share_id} is {share.state}", hint=f"this needs a share that is {allowed}")
