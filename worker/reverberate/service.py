"""The story: a post comes in, is recognised or new, and its shares are planned. No Celery, no web, no waiting."""

from __future__ import annotations

import logging
import random
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import identity, updates
from reverberate.errors import ReverberateError, SourceError
from reverberate.failpoints import reach
from reverberate.model import ShareState, SourceState
from reverberate.schedule import first_due
from reverberate.store import dump, journal, posts, shares, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reverberate.accounts import Accounts
    from reverberate.config import Config, SourceConfig
    from reverberate.model import Post
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
    due: datetime
    reason: str = ""


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

    def publish(self, post: Post, *, accounts: Sequence[str] = ()) -> Ingested:
        """Take one post from its author's hand and plan its shares; the same post again plans nothing anew.

        Args:
            post: what to share.
            accounts: only these; all of them when empty.

        Raises:
            ReverberateError: an account is not in the config.
        """
        for name in accounts:
            self.accounts.get(name)
        with self.store.write() as tx:
            (ingested,) = self._ingest(tx, [post], source="publish")
            if ingested.new:
                self._plan(tx, ingested, accounts=accounts or list(self.config.accounts))
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
            reason = f"flood guard: {len(wanted)} new posts at once from {source.name}" if flood else ""
            reason = self._restored(tx, source.name) or reason
            for one in wanted:
                self._plan(tx, one, accounts=self.config.accounts, held=reason)
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

    def _plan(self, tx: Transaction, one: Ingested, *, accounts: Iterable[str], held: str = "") -> None:
        new = [_new_share(one, name, self.planned(one.post, name, held=held)) for name in accounts]
        shares.plan(tx, new, now=self._now())

    def planned(self, post: Post, account: str, *, held: str = "") -> Planned:
        """What becomes of a post on an account, were it to come in now; ``held`` is why everything waits, if it does."""
        now, state, reason = self._now(), ShareState.HELD if held else ShareState.SCHEDULED, held
        schedule = self.accounts.get(account).schedule
        try:
            said = self.accounts.said(account, post)
            schedule = replace(schedule, delay=schedule.delay + (said.delay or timedelta(0)))
            if said.skip:
                state, reason = ShareState.SKIPPED, "the post itself says so (reverberate: skip)"
            elif not self.accounts.wants(account, post):
                rule = self.accounts.get(account).when
                state, reason = ShareState.SKIPPED, f"the account's rule does not hold: {rule}"
        except ReverberateError as error:
            state, reason = ShareState.HELD, str(error)
        return Planned(state=state, due=first_due(schedule, zone=self.config.zone, now=now), reason=reason)


def _new_share(one: Ingested, account: str, planned: Planned) -> shares.NewShare:
    return shares.NewShare(
        post_id=one.post_id,
        account=account,
        due=planned.due,
        key=uuid.uuid4().hex,
        state=planned.state,
        reason=planned.reason,
    )


def summary(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """How many shares there are by state, over all accounts."""
    totals = dict.fromkeys(ShareState, 0)
    for (_, state), number in counts.items():
        totals[ShareState(state)] += number
    return {state.value: number for state, number in totals.items()}
