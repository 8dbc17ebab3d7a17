"""After posting: a share that is out is edited or taken back. Doing either twice harms nothing, so a retry is plain."""

from __future__ import annotations

import logging
import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reverberate import policy
from reverberate.errors import Missing, Outcome, Refused, ReverberateError, TemplateError, Transient, Unsure
from reverberate.failpoints import reach
from reverberate.model import Receipt, ShareState
from reverberate.networks.base import Deletes, Edits
from reverberate.store import chores, shares
from reverberate.store.aftermath import Aftermath, apply
from reverberate.text.count import count
from reverberate.updates import further_slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from reverberate.accounts import Accounts, Keep
    from reverberate.model import Chore, Delivery, Message, Share, Work
    from reverberate.networks.base import Network
    from reverberate.policy import Verdict
    from reverberate.store import Store

log = logging.getLogger(__name__)
LATER = timedelta(minutes=10)
"""How long to wait for a share that is not settled yet."""
UNKNOWN = "its owner has seen that it is there, but the network never told us which post it is"
"""An id that is none would not be found, and what is not found counts as taken back."""
S = ShareState
ABILITIES: dict[str, tuple[type, str]] = {"edit": (Edits, "edit posts"), "delete": (Deletes, "delete posts")}


def ask(store: Store, accounts: Accounts, share_id: int, kind: str, *, text: str = "", now: datetime) -> None:
    """A person wants a share that is sent to be edited (``text``, or rendered anew) or deleted; a worker does it.

    Raises:
        ReverberateError: there is no such share, it is not out, or its network cannot do that.
    """
    with store.write() as tx:
        share = shares.get(tx, share_id)
        if share is None:
            raise Missing(f"there is no share {share_id}", hint="reverberate shares lists them")
        if share.state is not S.SENT:
            hint = "resolve it first" if share.state is S.UNSURE else "this needs a share that is sent"
            raise ReverberateError(f"share {share_id} is {share.state}", hint=hint)
        ability, words = ABILITIES[kind]
        network, where = accounts.kind(share.account), share.receipt.permalink if share.receipt else ""
        if share.receipt and not share.receipt.known:
            raise ReverberateError(f"share {share_id}: {UNKNOWN}", hint=f"do it there by hand {where}".strip())
        if not issubclass(network, ability):
            raise ReverberateError(f"{network.title} lets us not {words}", hint=f"do it there by hand {where}".strip())
        chores.ask(tx, [(share_id, share.account)], kind, by="hand", text=text, now=now)
        reach("ask: before commit")
    reach("ask: after commit")


class Chores:
    """Does chores, for a courier."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        *,
        owner: str,
        lease: timedelta,
        keep: Keep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._accounts, self._now, self._chance = store, accounts, now, chance
        self._owner, self._lease, self._keep = owner, lease, keep

    def do(
        self,
        work: Work,
        chore: Chore,
        *,
        deliver: Callable[[Work, Message, int], Delivery],
        guard: Callable[[], None],
        in_hand: AbstractContextManager[None],
    ) -> None:
        """One chore, one try.

        Args:
            work: the share.
            chore: what is to be done about it.
            deliver: makes the delivery that the network sees, under a claim.
            guard: keeps a request from leaving when the claim may be lost.
            in_hand: while this holds, the claim is prolonged.
        """
        try:
            ready = self._ready(work, chore)
        except ReverberateError as error:
            self._end(chore, "refused", str(error))
            return
        if ready is None:
            return
        network, message = ready
        with in_hand:
            fence = self._claim(work, chore)
            if fence is not None:
                network.session.guard = guard
                attempt = partial(_attempt, network, chore, deliver(work, message, fence), work.share)
                found = self._accounts.asked(chore.account, attempt)
                self._settle(chore, found, message, fence)

    def _ready(self, work: Work, chore: Chore) -> tuple[Network, Message] | None:
        """The account and what it is to say; None where that settles it, or it has to wait. May raise."""
        share, old = work.share, work.message
        if share.state in {S.SCHEDULED, S.SENDING, S.UNSURE, S.HELD}:
            with self._store.write() as tx:
                chores.put_off(tx, chore, due=self._now() + LATER, reason=f"waits: the share is {share.state}")
            return None
        if share.state is not S.SENT or share.receipt is None or old is None:
            self._end(chore, "dropped", f"the share is {share.state}")
            return None
        if not share.receipt.known and not self._reposts(chore):
            self._end(chore, "refused", UNKNOWN)
            return None
        network, ability = self._accounts.network(share.account), self._accounts.ability(share.account)
        if chore.tries > len(ability.waits):
            self._end(chore, "refused", f"gave up after {chore.tries} tries: {chore.reason}")
            return None
        if chore.kind == "delete":
            return network, old
        message = self._message(work, chore, old)
        return (network, message) if self._worth(work, chore, message, network) else None

    def _worth(self, work: Work, chore: Chore, message: Message, network: Network) -> bool:
        """Whether the post is to be edited; if not, what follows instead is done."""
        if work.message is not None and not differs(work.message, message):
            self._end(chore, "same", "there is nothing to change")
        elif self._reposts(chore):
            self._repost(work, chore)
        elif not isinstance(network, Edits):
            self._end(
                chore, "refused", f"the blog changed the post, and {network.title} lets us not edit what is there"
            )
        else:
            return True
        return False

    def _reposts(self, chore: Chore) -> bool:
        return chore.by == "update" and self._accounts.get(chore.account).on_update == "repost"

    def _message(self, work: Work, chore: Chore, old: Message) -> Message:
        if chore.text:
            limit = self._accounts.kind(chore.account).limit
            if (length := count(chore.text, limit)) > limit.maximum:
                raise TemplateError(f"the text is {length} {limit.unit} long, and {limit.maximum} are allowed")
            return replace(old, parts=(chore.text,), carrier=0, notes=())
        new = self._accounts.message(chore.account, work.post, self._keep, slot=work.share.slot)
        return _illustrated(new, old) if work.post.images else new

    def _repost(self, work: Work, chore: Chore) -> None:
        """Plan one more sharing, unless one waits that will say the new words anyway."""
        now, share = self._now(), work.share
        with self._store.write() as tx:
            others = shares.find(tx, account=share.account, post_id=share.post_id, limit=1000)
            if not any(one.state in {S.SCHEDULED, S.HELD} and one.slot for one in others):
                slot = further_slot(one.slot for one in others)
                due = now + self._accounts.get(share.account).schedule.delay
                new = shares.NewShare(
                    post_id=share.post_id, account=share.account, due=due, key=uuid.uuid4().hex, slot=slot
                )
                shares.plan(
                    tx, [replace(new, reason=f"the blog changed the post; share {share.id} said it before")], now=now
                )
            chores.end(tx, chore, "reposted", now=now, share="share reposted")

    def _claim(self, work: Work, chore: Chore) -> int | None:
        now = self._now()
        with self._store.write() as tx:
            fence = chores.claim(tx, chore, fence=work.share.fence, owner=self._owner, lease=now + self._lease, now=now)
            reach("take: before commit")
        reach("take: after commit")
        return fence

    def _settle(self, chore: Chore, found: Receipt | Outcome, message: Message, fence: int) -> None:
        ability, now = self._accounts.ability(chore.account), self._now()
        verdict = policy.after_chore(found, tries=chore.tries + 1, ability=ability, now=now, chance=self._chance())
        finish = _finish(chore, found, verdict, message, fence, now=now)
        log.info("share %d: %s: %s", chore.share_id, chore.kind, finish.came or f"again: {verdict.reason}")
        with self._store.write() as tx:
            if chores.settle(tx, finish):
                apply(tx, [self._aftermath(chore, found, verdict)])
            else:
                log.warning("share %d: no longer ours; the %s is done again", chore.share_id, chore.kind)
            reach("done: before commit")
        reach("done: after commit")

    def _aftermath(self, chore: Chore, found: Receipt | Outcome, verdict: Verdict) -> Aftermath:
        broken = found.words if isinstance(found, Transient | Unsure) else ""
        return Aftermath(
            account=chore.account,
            now=self._now(),
            broken=broken,
            pause=verdict.pause,
            rest_until=verdict.rest_until,
            why=verdict.reason,
            same_host=tuple(self._accounts.on_the_same_host(chore.account)) if broken else (),
        )

    def _end(self, chore: Chore, outcome: str, reason: str) -> None:
        with self._store.write() as tx:
            chores.end(tx, chore, outcome, now=self._now(), reason=reason)


def differs(old: Message, new: Message) -> bool:
    """Whether a reader would see a difference."""
    return _seen(old) != _seen(new)


def _seen(message: Message) -> tuple[object, ...]:
    card = message.card
    pictures = [one.digest for one in (*message.pictures, *([card.picture] if card and card.picture else []))]
    return message.parts, message.link, card and (card.url, card.title, card.description), pictures


def _illustrated(new: Message, old: Message) -> Message:
    """The new message; where a picture cannot be had now that was there before, with the one from before."""
    if old.pictures and not new.pictures:
        new = replace(new, pictures=old.pictures)
    if new.card and old.card and old.card.picture and not new.card.picture:
        new = replace(new, card=replace(new.card, picture=old.card.picture))
    return new


def _attempt(network: Network, chore: Chore, delivery: Delivery, share: Share) -> Receipt | Outcome:
    """What it came to; a receipt where it is done."""
    network.session.fresh()
    receipt = share.receipt
    if receipt is None:
        return Refused("the share has no receipt")
    try:
        if chore.kind == "edit" and isinstance(network, Edits):
            return network.edit(delivery, receipt)
        if chore.kind == "delete" and isinstance(network, Deletes):
            network.delete(delivery, receipt)
            return receipt
    except Outcome as outcome:
        return outcome
    except Exception as error:
        log.exception("the plug-in for %s failed", network.name)
        words = f"the plug-in failed: {type(error).__name__}"
        return Unsure(words) if network.session.wrote else Refused(words)
    return Refused(f"{network.title} lets us not {ABILITIES[chore.kind][1]}")


def _finish(
    chore: Chore, found: Receipt | Outcome, verdict: Verdict, message: Message, fence: int, *, now: datetime
) -> chores.Finish:
    receipt = found if isinstance(found, Receipt) else None
    outcome = found if isinstance(found, Outcome) else None
    done, again = verdict.state is S.SENT, verdict.state is S.SCHEDULED
    there = receipt.permalink if receipt else ""
    return chores.Finish(
        chore=chore,
        fence=fence,
        now=now,
        outcome=type(found).__name__.lower(),
        words=outcome.words if outcome else "",
        status=outcome.status if outcome else None,
        came="done" if done else "" if again else "refused",
        due=verdict.due if again else None,
        counts=verdict.counts,
        reason=there if done else verdict.reason,
        message=message if chore.kind == "edit" else None,
        receipt=receipt,
        key=uuid.uuid4().hex,
    )
