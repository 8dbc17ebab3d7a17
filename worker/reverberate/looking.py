"""Looking at a source: what is new there is stored and planned, and what went wrong is remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reverberate.errors import SourceError
from reverberate.failpoints import reach
from reverberate.store import dump, journal, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.config import SourceConfig
    from reverberate.model import SourceState
    from reverberate.plugins import Plugins
    from reverberate.service import Service
    from reverberate.sources.base import Look, Source
    from reverberate.store import Transaction

TROUBLE = (timedelta(minutes=1), timedelta(hours=6))
"""How long to wait after a failed look: doubling from the first to the second."""
FAILING = 4
"""So many failed looks in a row are more than a hiccup: a quarter of an hour."""


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


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at the sources of a service; ``chance`` spreads the looks."""

    service: Service
    sources: Plugins[Source]
    chance: Callable[[], float]

    def look(self, name: str) -> Looked:
        """Look at one source now; what is new there is stored and planned in one transaction.

        The first look is the baseline: what is there then is known, and not shared, except the newest ``backfill``.
        A source that cannot be read is tried again later, and says why.
        """
        source = self.service.config.sources[name]
        with self.service.store.read() as tx:
            state = journal.source(tx, name)
        try:
            look = self.sources.get(source.type)(name, source.settings).look(state.memory)
        except SourceError as error:
            return self._trouble(source, state, error)
        return self._take(source, state, look)

    def _take(self, source: SourceConfig, state: SourceState, look: Look) -> Looked:
        now = self.service.now()
        baseline = state.baselined is None and not look.unchanged
        wait = max(source.every, look.wait or timedelta(0)) * (0.95 + 0.1 * self.chance())
        after = replace(state, memory=look.memory, looked=now, next_look=now + wait, failures=0, trouble="")
        after = replace(after, baselined=now) if baseline else after
        with self.service.store.write() as tx:
            fresh = [one for one in self.service.ingest(tx, look.posts, source=source.name) if one.new]
            wanted = fresh[len(fresh) - min(source.backfill, len(fresh)) :] if baseline else fresh
            flood = len(wanted) > source.flood and not baseline
            reason = f"waits for your approval: source {source.name} asks for it" if source.approval else ""
            reason = f"flood guard: {len(wanted)} new posts at once from {source.name}" if flood else reason
            reason = self._restored(tx, source.name) or reason
            self.service.plan(tx, wanted, accounts=self.service.config.accounts, held=reason)
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
        now, (least, most) = self.service.now(), TROUBLE
        wait = max(min(least * 2 ** min(state.failures, 20), most), error.wait or timedelta(0))
        words = str(error)
        after = replace(state, looked=now, next_look=now + wait, failures=state.failures + 1, trouble=words)
        with self.service.store.write() as tx:
            journal.save_source(tx, after)
            if state.trouble != words:
                journal.note(tx, "source trouble", now=now, source=source.name, words=words)
            if after.failures == FAILING:
                journal.note(tx, "source failing", now=now, source=source.name, words=words)
        return Looked(source=source.name, trouble=words)
