"""The story: a post comes in, is recognised or new, and its shares are planned. No Celery, no web, no waiting."""

from __future__ import annotations

import logging
import random
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import identity, updates
from reverberate.desk import Desk
from reverberate.errors import ReverberateError, SourceError
from reverberate.failpoints import reach
from reverberate.model import ShareState, SourceState
from reverberate.overrides import Override
from reverberate.schedule import Moment, fixed
from reverberate.store import dump, journal, pictures, posts, shares, watch
from reverberate.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reverberate.accounts import Accounts
    from reverberate.config import Config, SourceConfig
    from reverberate.model import Picture, Post, Share
    from reverberate.plugins import Plugins
    from reverberate.sources.base import Look, Source
    from reverberate.store import Store, Transaction

log = logging.getLogger(__name__)
TROUBLE = (timedelta(minutes=1), timedelta(hours=6))
"""How long to wait after a failed look: doubling from the first to the second."""
FAILING = 4
"""So many failed looks in a row are more than a hiccup: a quarter of an hour."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look at a source came to, for people."""

    source: str
    seen: int = 0
    new: int = 0
    unchanged: bool = False
    baseline: bool = False
    notes: tuple[str, ...] = ()
    trouble: str = ""


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
        self._sources, self._now, self._chance = sources, now, chance

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
            (ingested,) = self._ingest(tx, [post], source="publish")
            if ingested.new:
                self._plan(tx, [ingested], accounts=accounts or list(self.config.accounts), at=at)
            reach("plan: before commit")
        reach("plan: after commit")
        return ingested

    def look(self, name: str) -> Looked:
        """Look at one source now; what is new there is stored and planned in one transaction.

        The first look is the baseline: what is there then is known, and not shared, except the newest ``backfill``.
        A source that cannot be read is tried again later, and says why.
        """
        source = self.config.sources[name]
        with self.store.read() as tx:
            state = journal.source(tx, name)
        try:
            look = self._sources.get(source.type)(name, source.settings).look(state.memory)
        except SourceError as error:
            return self._trouble(source, state, error)
        return self._take(source, state, look)

    def _take(self, source: SourceConfig, state: SourceState, look: Look) -> Looked:
        now = self._now()
        baseline = state.baselined is None and not look.unchanged
        wait = max(source.every, look.wait or timedelta(0)) * (0.95 + 0.1 * self._chance())
        after = replace(state, memory=look.memory, looked=now, next_look=now + wait, failures=0, trouble="")
        after = replace(after, baselined=now) if baseline else after
        with self.store.write() as tx:
            fresh = [one for one in self._ingest(tx, look.posts, source=source.name) if one.new]
            wanted = fresh[len(fresh) - min(source.backfill, len(fresh)) :] if baseline else fresh
            flood = len(wanted) > source.flood and not baseline
            reason = f"waits for your approval: source {source.name} asks for it" if source.approval else ""
            reason = f"flood guard: {len(wanted)} new posts at once from {source.name}" if flood else reason
            reason = self._restored(tx, source.name) or reason
            self._plan(tx, wanted, accounts=self.config.accounts, held=reason)
            if flood:
                journal.note(tx, "flood held", now=now, source=source.name, words=reason)
            if state.failures >= FAILING:
                journal.note(tx, "source works", now=now, source=source.name)
            journal.save_source(tx, after)
            reach("plan: before commit")
        reach("plan: after commit")
        return Looked(
            source=source.name,
            seen=len(look.posts),
            new=len(wanted),
            unchanged=look.unchanged,
            baseline=baseline,
            notes=look.notes,
        )

    def _restored(self, tx: Transaction, source: str) -> str:
        """Why what is new at a source's first look after a restore is held: it may have been shared already."""
        name = f"{dump.RESTORED}{source}"
        switch = watch.switched(tx, name)
        if switch is None:
            return ""
        watch.switch_off(tx, name)
        return f"restored from a backup of {switch.words}, and newer than that: it may have been shared already"

    def _trouble(self, source: SourceConfig, state: SourceState, error: SourceError) -> Looked:
        now, (least, most) = self._now(), TROUBLE
        wait = max(min(least * 2 ** min(state.failures, 20), most), error.wait or timedelta(0))
        words = str(error)
        after = replace(state, looked=now, next_look=now + wait, failures=state.failures + 1, trouble=words)
        with self.store.write() as tx:
            journal.save_source(tx, after)
            if state.trouble != words:
                journal.note(tx, "source trouble", now=now, source=source.name, words=words)
            if after.failures == FAILING:
                journal.note(tx, "source failing", now=now, source=source.name, words=words)
        return Looked(source=source.name, trouble=words)

    def _ingest(self, tx: Transaction, incoming: Sequence[Post], *, source: str) -> list[Ingested]:
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

    def _plan(
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
        before = list(self.config.accounts).index(account)
        own = self.accounts.get(account).schedule.delay + (said.delay or timedelta(0))
        return own + before * self.config.site.stagger

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

    def reword(self, share_id: int, text: str) -> None:
        """Let a waiting share say these very words; the link follows where neither they nor a card hold it.

        Raises:
            ReverberateError: there is no such share, it does not wait any more, or the words do not fit.
        """
        with self.store.read() as tx:
            share = shares.get(tx, share_id)
            known = posts.get(tx, share.post_id) if share else None
        if share is None or known is None:
            raise ReverberateError(f"there is no share {share_id}", hint="reverberate shares lists them")
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
