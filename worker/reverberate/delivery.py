"""Delivering: lanes of shares, one lane an account, many sender threads.

Within an account shares go one after the other, oldest first; accounts do not wait for each other. Each share is
claimed and its intent is durable before a byte leaves; what came of it is durable before the next share of the lane
starts. Whatever the network does, one account's trouble stays in its lane.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import policy
from reverberate.errors import Outcome, Refused, ReverberateError, StoreError, Unsure
from reverberate.model import Delivery, Receipt, ShareState
from reverberate.networks.base import Finds
from reverberate.store import journal, shares
from reverberate.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reverberate.accounts import Accounts
    from reverberate.model import Message, Share, Work
    from reverberate.networks.base import Network
    from reverberate.policy import Verdict
    from reverberate.store import Store, Transaction

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=10)
"""How long a claim holds without a sign of life."""
HEARTBEAT = 3.0
"""Seconds between signs of life."""
SENDERS = 32
"""Accounts that one worker serves at the same time."""
ROOM = 1000
"""Shares that one worker holds in memory, waiting for their lane."""
STUBBORN = 2.0
"""Seconds between attempts to write down what a network answered, while the database is away."""


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
        self._writer = Writer(store, owner=self.owner, lease=LEASE, now=now)
        self._lanes: dict[str, deque[Work]] = {}
        self._ready: deque[str] = deque()  # accounts with work and no sender
        self._held: set[int] = set()  # shares waiting here or on their way
        self._change = threading.Condition()
        self._closing = False
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send, name=f"sender-{n}", daemon=True) for n in range(senders)]
        self._pulse = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        for thread in (*self._threads, self._pulse):
            thread.start()

    def deliver(self, ids: Iterable[int]) -> None:
        """Take these shares in hand; returns when they wait in their lanes, which takes until there is room."""
        with self._change:
            self._change.wait_for(lambda: self._closing or len(self._held) < ROOM)
            fresh = [share_id for share_id in ids if share_id not in self._held]
            if self._closing or not fresh:
                return
        with self._store.read() as tx:
            loaded = shares.work(tx, fresh)
        with self._change:
            for work in loaded:
                self._enqueue(work)
            self._change.notify_all()

    def room(self) -> int:
        """How many more shares may be given without waiting."""
        with self._change:
            return 0 if self._closing else ROOM - len(self._held)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is in hand; whether that was reached."""
        with self._change:
            return self._change.wait_for(lambda: not self._held, timeout)

    def close(self, timeout: float = 8.0) -> None:
        """Finish what is on its way, leave the rest to others, end all threads."""
        with self._change:
            self._closing = True
            self._ready.clear()
            self._change.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        self._stopped.set()
        self._pulse.join(HEARTBEAT)
        self._writer.close()

    def _enqueue(self, work: Work) -> None:
        if work.share.id in self._held:
            return
        self._held.add(work.share.id)
        lane = self._lanes.get(work.share.account)
        if lane is None:
            self._lanes[work.share.account] = deque([work])
            self._ready.append(work.share.account)
        else:
            lane.append(work)

    def _send(self) -> None:
        while (taken := self._take()) is not None:
            account, work = taken
            try:
                self._one(work)
            except StoreError as error:
                log.warning("share %d: left for later: %s", work.share.id, error)
            except Exception:
                log.exception("share %d: left for later", work.share.id)
            self._return(account, work)

    def _take(self) -> tuple[str, Work] | None:
        with self._change:
            self._change.wait_for(lambda: self._closing or self._ready)
            if self._closing:
                return None
            account = self._ready.popleft()
            return account, self._lanes[account].popleft()

    def _return(self, account: str, work: Work) -> None:
        with self._change:
            self._held.discard(work.share.id)
            if self._lanes[account]:
                self._ready.append(account)
            else:
                del self._lanes[account]
            self._change.notify_all()

    def _beat(self) -> None:
        while not self._stopped.wait(HEARTBEAT):
            try:
                with self._store.write() as tx:
                    shares.renew(tx, owner=self.owner, lease=self._now() + LEASE)
            except StoreError as error:
                log.warning("no sign of life could be given: %s", error)

    def _one(self, work: Work) -> None:
        """One share, one step: send it or look it up, and write down what came of it."""
        account = work.share.account
        try:
            network, ability = self._accounts.network(account), self._accounts.ability(account)
            message = work.message or self._accounts.message(account, work.post)
        except ReverberateError as error:
            self._stay(work, ShareState.HELD, str(error))
            return
        kind = policy.next_step(work.share, ability)
        if kind == "ask":
            self._stay(work, ShareState.UNSURE, work.share.reason)
            return
        wish = shares.Claim(share_id=work.share.id, kind=kind, state=work.share.state, message=message)
        if won := self._writer.claim(wish):
            fence, frozen = won
            delivery = _delivery(work.share, frozen, now=self._now())
            found = _look(network, delivery) if kind == "look" else _try(network, delivery)
            verdict = self._verdict(found, work.share, ability, network.settle, looked=kind == "look")
            self._write(_ending(work.share.id, fence, found, verdict, now=self._now()), account, verdict)

    def _verdict(
        self,
        found: Receipt | Outcome | None,
        share: Share,
        ability: policy.Ability,
        settle: timedelta,
        *,
        looked: bool,
    ) -> Verdict:
        now, chance = self._now(), self._chance()
        if looked or found is None:
            return policy.after_look(found, looks=share.looks + 1, tries=share.tries, now=now, chance=chance)
        return policy.after_send(found, tries=share.tries + 1, ability=ability, settle=settle, now=now, chance=chance)

    def _write(self, ending: shares.Ending, account: str, verdict: Verdict) -> None:
        """Write it down; a receipt is offered again until the database takes it or the worker ends."""
        words = verdict.receipt.permalink if verdict.receipt else verdict.reason
        log.info("share %d: %s on %s: %s", ending.share_id, ending.state, account, words)
        effect = _effect(account, verdict, now=ending.now)
        while True:
            try:
                if not self._writer.settle(ending, effect):
                    log.warning("share %d: no longer ours; what came of it is in the journal", ending.share_id)
            except StoreError as error:
                log.warning("share %d: cannot be written down: %s", ending.share_id, error)
                if verdict.receipt and not self._closing and not self._stopped.wait(STUBBORN):
                    continue
            return

    def _stay(self, work: Work, state: ShareState, reason: str) -> None:
        """Leave the share to a person: its config or template is at fault, or only they can tell where it is."""
        log.warning("share %d: %s on %s: %s", work.share.id, state, work.share.account, reason)
        doors = (work.share.state,)
        with self._store.write() as tx:
            shares.change(tx, work.share.id, doors=doors, to=state, now=self._now(), reason=reason)


def _effect(account: str, verdict: Verdict, *, now: datetime) -> Callable[[Transaction], None]:
    """What the verdict means for the whole account."""

    def effect(tx: Transaction) -> None:
        if verdict.receipt:
            journal.succeeded(tx, account, now=now)
        if verdict.pause:
            journal.pause(tx, account, now=now, why=verdict.pause)
        if verdict.rest_until:
            journal.rest(tx, account, until=verdict.rest_until, now=now, why=verdict.reason)

    return effect


def _delivery(share: Share, message: Message, *, now: datetime) -> Delivery:
    return Delivery(
        serial=share.id,
        key=share.key,
        planned=share.planned,
        message=message,
        attempt=share.tries + 1,
        since=share.first_try or now,
    )


def _try(network: Network, delivery: Delivery) -> Receipt | Outcome:
    network.session.fresh()
    try:
        return network.send(delivery)
    except Outcome as outcome:
        return outcome
    except Exception as error:
        log.exception("the plug-in for %s failed", network.name)
        words = f"the plug-in failed: {type(error).__name__}"
        return Unsure(words) if network.session.wrote else Refused(words)


def _look(network: Network, delivery: Delivery) -> Receipt | Outcome | None:
    if not isinstance(network, Finds):
        return Refused(f"{network.title} cannot be asked for our own posts")
    try:
        return network.find(delivery)
    except Outcome as outcome:
        return outcome
    except Exception as error:
        log.exception("the plug-in for %s failed to look up", network.name)
        return Refused(f"the plug-in failed to look up: {type(error).__name__}")


def _ending(
    share_id: int, fence: int, found: Receipt | Outcome | None, verdict: Verdict, *, now: datetime
) -> shares.Ending:
    outcome = found if isinstance(found, Outcome) else None
    return shares.Ending(
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
    )
