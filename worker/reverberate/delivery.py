"""Delivering: claimed and durably intended before a byte leaves, step by step, and written down before anything else.

What came of a share is durable before the next one of its account starts.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reverberate import policy
from reverberate.attempts import ending_of, seen_by, sent_by, told_how_much, told_late, too_late
from reverberate.baton import Baton, lent
from reverberate.chores import Chores
from reverberate.errors import Outcome, ReverberateError, StoreError, Transient, Unsure
from reverberate.failpoints import reach
from reverberate.lanes import Job, Lanes
from reverberate.logs import about
from reverberate.model import Delivery, Receipt, ShareState, Step
from reverberate.store import claims, endings, pictures, shares
from reverberate.store.aftermath import Aftermath
from reverberate.store.writer import Done, Settlement, Writer
from reverberate.tracing import span, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reverberate.accounts import Accounts
    from reverberate.model import JSON, Message, Picture, Share, Work
    from reverberate.policy import Verdict
    from reverberate.store import Store

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=10)
"""How long a claim holds without a sign of life."""
HEARTBEAT = 3.0
"""Seconds between signs of life."""
SENDERS = 100
"""Accounts that one worker serves at the same time."""
MARGIN = 1.0
"""Seconds before the end of a claim from which on nothing is sent under it."""
STUBBORN = 2.0
"""Seconds between attempts to write down what a network answered, while the database is away."""


def boot_clock() -> float:
    """Seconds that pass while the machine sleeps too, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def worker_name() -> str:
    """A name that no other worker has, for people and for leases."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


class Courier:
    """Delivers the shares it is given; one in a process."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        *,
        senders: int = SENDERS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._accounts, self._now, self._chance = store, accounts, now, chance
        self.owner = worker_name()
        self._baton = baton = Baton()
        self._writer = Writer(store, owner=self.owner, lease=LEASE, now=now, lull=baton.lull)
        self._claims: dict[int, float] = {}  # what is in hand: until when our claim holds at least, on the boot clock
        self._stopped = threading.Event()
        self._chores = Chores(store, accounts, owner=self.owner, lease=LEASE, keep=self._keep, now=now, chance=chance)
        self._lanes = Lanes(self._one, self._writer.write, baton=baton, threads=senders)
        self._pulse = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._pulse.start()

    def deliver(self, ids: Iterable[int]) -> None:
        """Take these shares in hand; returns when they wait in their lanes, which takes until there is room."""
        if fresh := self._lanes.unheld(ids):
            with self._store.read() as tx:
                loaded = claims.work(tx, fresh)
            self._lanes.add(loaded)

    def room(self) -> int:
        """How many more shares may be given without waiting."""
        return self._lanes.room()

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is in hand; whether that was reached."""
        return self._lanes.drain(timeout)

    def close(self, timeout: float = 8.0) -> None:
        """Finish what is on its way, leave the rest to others, end all threads."""
        self._lanes.close(timeout)
        self._stopped.set()
        self._pulse.join(HEARTBEAT)
        self._writer.close()
        self._baton.close()

    def _beat(self) -> None:
        while not self._stopped.wait(HEARTBEAT):
            try:
                self._renew()
            except StoreError as error:
                log.warning("no sign of life could be given: %s", error)

    def _renew(self) -> None:
        """Prolong what is in hand, and only that: a claim that nobody works on has to run out."""
        mine, began = list(self._claims), boot_clock()
        if not mine:
            return
        with self._store.write() as tx:
            held = claims.renew(tx, mine, owner=self.owner, lease=self._now() + LEASE)
        for share_id in held.intersection(self._claims):
            self._claims[share_id] = began + LEASE.total_seconds()

    def _one(self, work: Work) -> Job:
        """One share, with its number in all that is logged and traced meanwhile: its lane gives it a context."""
        facts = {"share": work.share.id, "account": work.share.account}
        about(**facts)
        with span("share", **facts):
            yield from self._deliver(work)

    def _deliver(self, work: Work) -> Job:
        """One share, one step: send it or look it up, and write down what came of it."""
        account = work.share.account
        reach("deliver: loaded")
        if work.chore is not None:
            guard, held = partial(self._still_ours, work.share.id), self._in_hand(work.share.id)
            self._chores.do(work, work.chore, deliver=self._delivery, guard=guard, in_hand=held)
            return
        try:
            network, ability = self._accounts.network(account), self._accounts.ability(account)
            if policy.too_late(work.share, most=self._accounts.get(account).max_late, now=self._now()):
                self._stay(work, ShareState.SKIPPED, too_late(work.share, now=self._now()), event="share too late")
                return
            if self._waits_for_morning(work.share):
                return
            slot = work.share.slot
            message = work.message or self._accounts.message(account, work.post, self._keep, slot=slot)
        except ReverberateError as error:
            self._stay(work, ShareState.HELD, str(error))
            return
        kind = policy.next_step(work.share, ability)
        if kind == "ask":
            self._stay(work, ShareState.UNSURE, work.share.reason)
            return
        allowance = self._accounts.allowance(account, message, fixed=work.share.fixed)
        wish = claims.Claim(
            share_id=work.share.id,
            kind=kind,
            state=work.share.state,
            message=message,
            allowance=allowance,
            fence=work.share.fence,
        )
        with self._in_hand(work.share.id):
            if won := (yield wish):
                fence, frozen = won
                network.session.guard = partial(self._still_ours, work.share.id)
                delivery = self._delivery(work, frozen, fence)
                ask = partial(seen_by if kind == "look" else sent_by, network, delivery)
                found = self._accounts.asked(account, ask)
                verdict = told_how_much(self._verdict(found, work.share, ability, looked=kind == "look"), delivery)
                verdict = told_late(verdict, work.share, now=self._now())
                ending = ending_of(work.share.id, fence, found, verdict, now=self._now())
                price = allowance.price if kind == "send" else 0
                yield from self._settle(ending, self._aftermath(account, found, verdict, price=price), verdict)

    def _waits_for_morning(self, share: Share) -> bool:
        """Whether the account is in its quiet hours; then the share is put off to their end."""
        end = self._accounts.quiet_until(share.account, now=self._now())
        if end is None or share.fixed or share.state is not ShareState.SCHEDULED:
            return False
        with self._store.write() as tx:
            claims.put_off(tx, share.id, due=end, reason="waits for the end of the quiet hours")
        return True

    @contextmanager
    def _in_hand(self, share_id: int) -> Iterator[None]:
        """While this holds, signs of life prolong our claim of the share, if we have one."""
        self._claims[share_id] = boot_clock() + LEASE.total_seconds()
        try:
            yield
        finally:
            del self._claims[share_id]

    def _verdict(
        self, found: Receipt | Outcome | None, share: Share, ability: policy.Ability, *, looked: bool
    ) -> Verdict:
        now, chance = self._now(), self._chance()
        if looked or found is None:
            return policy.after_look(
                found, looks=share.looks + 1, tries=share.tries, ability=ability, now=now, chance=chance
            )
        doubt = share.state is ShareState.UNSURE
        return policy.after_send(found, tries=share.tries + 1, ability=ability, now=now, chance=chance, doubt=doubt)

    def _delivery(self, work: Work, message: Message, fence: int) -> Delivery:
        share, steps = work.share, dict(work.steps)
        return Delivery(
            serial=share.id,
            key=share.key,
            planned=share.planned,
            message=message,
            attempt=share.tries + 1,
            since=share.first_try or self._now(),
            steps=steps,
            record=partial(self._record, share.id, fence, steps),
            load=self._load,
            address=self._accounts.picture_address,
        )

    def _record(self, share_id: int, fence: int, steps: dict[str, Step], name: str, answer: Mapping[str, JSON]) -> None:
        """Keep a step that is done, however long the database takes.

        Raises:
            Unsure: the share is no longer ours, or we must end before it is kept.
        """
        steps[name] = Step(answer=answer, at=self._now())
        done = Done(share_id=share_id, fence=fence, name=name, answer=answer)
        while True:
            try:
                if self._writer.written(done):
                    return
            except StoreError as error:
                log.warning("share %d: %s cannot be written down: %s", share_id, name, error)
                if not self._lanes.closing and not self._stops_meanwhile():
                    continue
                raise Unsure(f"{name} is there, and could not be written down") from None
            raise Unsure(f"{name} is there; the share is in other hands now")

    def _stops_meanwhile(self) -> bool:
        with lent():
            return self._stopped.wait(STUBBORN)

    def _keep(self, picture: Picture, data: bytes) -> None:
        with self._store.write() as tx:
            pictures.keep(tx, picture, data, now=self._now())

    def _load(self, digest: str) -> bytes:
        with self._store.read() as tx:
            data = pictures.load(tx, digest)
        if data is None:
            raise LookupError(f"the picture {digest[:12]} is gone")
        return data

    def _still_ours(self, share_id: int) -> None:
        """Called before each request leaves: a process that was asleep for longer than its claim sends nothing.

        Raises:
            Transient: the claim may be in other hands by now.
        """
        if boot_clock() > self._claims[share_id] - MARGIN:
            raise Transient("this worker was not running for a while; its claim may be in other hands")

    def _aftermath(self, account: str, found: Receipt | Outcome | None, verdict: Verdict, *, price: int) -> Aftermath:
        """What the attempt means for the whole account, and for those on the same host."""
        broken = found.words if isinstance(found, Transient | Unsure) else ""
        posted = verdict.state in {ShareState.SENT, ShareState.UNSURE}
        return Aftermath(
            account=account,
            now=self._now(),
            took=verdict.receipt is not None,
            broken=broken,
            pause=verdict.pause,
            rest_until=verdict.rest_until,
            why=verdict.reason,
            back=0 if posted else price,
            same_host=tuple(self._accounts.on_the_same_host(account)) if broken else (),
        )

    def _settle(self, ending: endings.Ending, aftermath: Aftermath, verdict: Verdict) -> Job:
        """Write it down; a receipt is offered again until the database takes it or the worker ends."""
        words = verdict.receipt.permalink if verdict.receipt else verdict.reason
        log.info("share %d: %s: %s", ending.share_id, ending.state, words)
        told("attempt", outcome=ending.outcome, state=ending.state.value, status=ending.status or 0)
        while True:
            try:
                if not (yield Settlement(ending=ending, aftermath=aftermath)):
                    log.warning("share %d: no longer ours; what came of it is in the journal", ending.share_id)
            except StoreError as error:
                log.warning("share %d: cannot be written down: %s", ending.share_id, error)
                if verdict.receipt and not self._lanes.closing and not self._stops_meanwhile():
                    continue
            return

    def _stay(self, work: Work, state: ShareState, reason: str, *, event: str = "") -> None:
        """Leave the share to a person: its config or template is at fault, or only they can tell where it is."""
        log.warning("share %d: %s on %s: %s", work.share.id, state, work.share.account, reason)
        doors = (work.share.state,)
        with self._store.write() as tx:
            shares.change(tx, work.share.id, doors=doors, to=state, now=self._now(), reason=reason, event=event)
