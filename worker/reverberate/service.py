"""The story: a post comes in, is recognised or new, and its shares are planned. No Celery, no web, no waiting."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import chores, identity, updates
from reverberate.desk import WAITING, Desk
from reverberate.errors import Missing, ReverberateError
from reverberate.failpoints import reach
from reverberate.looking import Looked, Looker
from reverberate.model import ShareState
from reverberate.overrides import Override
from reverberate.schedule import Moment, fixed
from reverberate.store import pictures, posts, shares
from reverberate.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reverberate.accounts import Accounts
    from reverberate.config import Config
    from reverberate.model import Picture, Post, Share
    from reverberate.plugins import Plugins
    from reverberate.sources.base import Source
    from reverberate.store import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of one post that came in: its number, and whether it was new."""

    post_id: int
    post: Post
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What becomes of a post on an account: the share's first state, when it is due, and why."""

    state: ShareState
    moment: Moment
    reason: str = ""

    @property
    def due(self) -> datetime:
        """The instant (UTC)."""
        return self.moment.due


class Service:
    """Publishing and planning for one config and one store."""

    def __init__(
        self,
        config: Config,
        store: Store,
        accounts: Accounts,
        *,
        sources: Plugins[Source],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.config, self.store, self.accounts = config, store, accounts
        self._places = {name: place for place, name in enumerate(config.accounts)}
        self._now, self._looker = now, Looker(self, sources, chance)

    def now(self) -> datetime:
        """The present, by the clock that this service goes by."""
        return self._now()

    def publish(self, post: Post, *, accounts: Sequence[str] = (), at: datetime | None = None) -> Ingested:
        """Take one post from its author's hand and plan its shares; the same post again plans nothing anew.

        Args:
            post: what to share.
            accounts: only these; all of them when empty.
            at: when to share it, whatever the schedules say (naive: on the blogger's clock).

        Raises:
            ReverberateError: an account is not in the config, or ``at`` is over.
        """
        for name in accounts:
            self.accounts.get(name)
        if at is not None and fixed(at, self.config.zone).due < self._now():
            raise ReverberateError(f"{at.isoformat(' ')} is over", hint="leave the time out to share it now")
        with self.store.write() as tx:
            (ingested,) = self.ingest(tx, [post], source="publish")
            if ingested.new:
                self.plan(tx, [ingested], accounts=accounts or list(self.config.accounts), at=at)
            reach("plan: before commit")
        reach("plan: after commit")
        return ingested

    def look(self, name: str) -> Looked:
        """Look at one source now; what is new there is stored and planned."""
        return self._looker.look(name)

    def ingest(self, tx: Transaction, incoming: Sequence[Post], *, source: str) -> list[Ingested]:
        """Recognise each post or store it; entries that are one post count once."""
        posts.lock(tx)
        distinct = identity.distinct(incoming, source=source)
        keys = [identity.keys(post, source=source) for post in distinct]
        matches = identity.recognise(keys, posts.known(tx, [key for one in keys for key in one]))
        ingested: list[Ingested] = []
        for post, own, match in zip(distinct, identity.told_apart(keys), matches, strict=True):
            post_id = posts.add(tx, post, source=source, now=self._now()) if match is None else match
            posts.identify(tx, post_id, own)
            ingested.append(Ingested(post_id=post_id, post=post, new=match is None))
        known = [(one.post_id, one.post) for one in ingested if not one.new]
        looked_at = self.config.sources.get(source)
        flood = looked_at.flood if looked_at else None
        updates.take(tx, known, source=source, accounts=self.config.accounts, flood=flood, now=self._now())
        return ingested

    def plan(
        self,
        tx: Transaction,
        several: Sequence[Ingested],
        *,
        accounts: Iterable[str],
        held: str = "",
        at: datetime | None = None,
    ) -> None:
        """Plan the shares of new posts, the oldest first."""
        table, now, zone = Timetable(tx, self.config.zone), self._now(), self.config.site.timezone
        for one in several:
            new = []
            for name in accounts:
                key = uuid.uuid4().hex
                planned = self._planned(table, one.post, name, since=now, key=key, held=held, at=at)
                new.append(new_share(one.post_id, name, planned, key=key, zone=zone))
            shares.plan(tx, new, now=now)

    def planned(self, post: Post, account: str, *, at: datetime | None = None) -> Planned:
        """What becomes of a post on an account, were it to come in now; its jitter is not drawn yet."""
        with self.store.read() as tx:
            return self._planned(Timetable(tx, self.config.zone), post, account, since=self._now(), at=at)

    def _planned(
        self,
        table: Timetable,
        post: Post,
        account: str,
        *,
        since: datetime,
        key: str = "",
        held: str = "",
        at: datetime | None = None,
    ) -> Planned:
        state, reason, said = self.fate(post, account, held)
        schedule, wished = self.accounts.get(account).schedule, at or said.at
        since += self.wait(account, said)
        if state is ShareState.SKIPPED:
            moment = Moment(due=since)
        elif wished is not None:
            moment = table.book(account, fixed(wished, self.config.zone))
        else:
            moment = table.place(account, schedule, since=since, key=key)
        return Planned(state=state, moment=moment, reason=reason)

    def wait(self, account: str, said: Override) -> timedelta:
        """How long after its post came in a share may go: the account's delay, the post's, and the stagger."""
        own = self.accounts.get(account).schedule.delay + (said.delay or timedelta(0))
        return own + self._places[account] * self.config.site.stagger

    def fate(self, post: Post, account: str, held: str = "") -> tuple[ShareState, str, Override]:
        """The first state of a post's share, why, and what the post itself says for the account."""
        configured = self.accounts.get(account)
        if configured.approval and not held:
            held = f"waits for your approval: account {account} asks for it"
        try:
            said = self.accounts.said(account, post)
            if said.skip:
                return ShareState.SKIPPED, "the post itself says so (reverberate: skip)", said
            if not self.accounts.wants(account, post):
                return ShareState.SKIPPED, f"the account's rule does not hold: {configured.when}", said
        except ReverberateError as error:
            return ShareState.HELD, str(error), Override()
        return ShareState.HELD if held else ShareState.SCHEDULED, held, said

    def edit(self, share_id: int, text: str) -> None:
        """Let a share say these words: at once while it waits; else a worker edits it on its network.

        Without words, what is on its network is rendered anew.

        Raises:
            ReverberateError: there is no such share, its network cannot do that, or the words do not fit.
        """
        with self.store.read() as tx:
            share = shares.get(tx, share_id)
        if share is None or share.state not in WAITING:
            chores.ask(self.store, self.accounts, share_id, "edit", text=text, now=self._now())
        elif text.strip():
            self.reword(share_id, text)
        else:
            what = f"share {share_id} is {share.state}: it is rendered when its time comes"
            raise ReverberateError(what, hint="say the words that it is to have instead")

    def delete(self, share_id: int) -> None:
        """Let a worker take a share back from its network.

        Raises:
            ReverberateError: there is no such share, it is not out, or its network cannot do that.
        """
        chores.ask(self.store, self.accounts, share_id, "delete", now=self._now())

    def reword(self, share_id: int, text: str) -> None:
        """Let a waiting share say these very words; the link follows where neither they nor a card hold it.

        Raises:
            ReverberateError: there is no such share, it does not wait any more, or the words do not fit.
        """
        with self.store.read() as tx:
            share = shares.get(tx, share_id)
            known = posts.get(tx, share.post_id) if share else None
        if share is None or known is None:
            raise Missing(f"there is no share {share_id}", hint="reverberate shares lists them")
        self.desk().edit(share_id, self.accounts.message(share.account, known.post, self._keep, text=text))

    def _keep(self, picture: Picture, data: bytes) -> None:
        with self.store.write() as tx:
            pictures.keep(tx, picture, data, now=self._now())

    def desk(self) -> Desk:
        """A person's hand on the shares: what is released late is given a new time."""
        return Desk(self.store, now=self._now, place=self._again, zone=self.config.zone)

    def _again(self, tx: Transaction, share: Share) -> Moment:
        """A new time for a share whose own is over."""
        now, account = self._now(), self.config.accounts.get(share.account)
        if account is None:
            return Moment(due=now)
        posts.lock(tx)
        table = Timetable(tx, self.config.zone, but=(share.id,))
        return table.place(share.account, account.schedule, since=now, key=share.key)


def new_share(post_id: int, account: str, planned: Planned, *, key: str, zone: str, slot: str = "") -> shares.NewShare:
    """The share of a post on an account, as planned on the clock of a zone."""
    moment = planned.moment
    return shares.NewShare(
        post_id=post_id,
        slot=slot,
        account=account,
        due=moment.due,
        key=key,
        wall=moment.wall,
        zone=zone if moment.wall else "",
        spread=int(moment.spread.total_seconds()),
        fixed=moment.fixed,
        state=planned.state,
        reason=planned.reason,
    )


def summary(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """How many shares there are by state, over all accounts."""
    totals = dict.fromkeys(ShareState, 0)
    for (_, state), number in counts.items():
        totals[ShareState(state)] += number
    return {state.value: number for state, number in totals.items()}
