"""The dispatcher: looks at sources when they are due, hands due shares over, questions what dead workers left.

Several may run side by side: what they take is taken by conditional writes, and handing a share over twice only meets
a claim that is taken.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reverberate import preflight
from reverberate.errors import ReverberateError, StoreError
from reverberate.evergreen import plan_again
from reverberate.failpoints import reach
from reverberate.retiming import retime
from reverberate.store import claims, endings, journal, tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.doorbell import Doorbell
    from reverberate.looking import Looked
    from reverberate.service import Service

log = logging.getLogger(__name__)
BATCH = 100
IDLE = 0.5
"""Seconds between looks at the clock while nothing rings."""
MOMENT = 0.005
"""Seconds to wait at least where something is due that another dispatcher has in hand."""
FLY = 60.0
"""Seconds between two looks for accounts to ask before their scheduled shares."""
SWEEP = 1.0
"""Seconds between two looks for claims whose worker died."""
TEND = 60.0
"""Seconds between two looks at tokens that are to be refreshed, or warned of."""
PLAN = 60.0
"""Seconds between two looks for posts that are to be shared again."""
LOOKERS = 4
"""Sources that are looked at at the same time."""


class Beside:
    """Threads for what may be slow: it keeps nobody waiting, and no process alive that is to end."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()

    def begin(self, name: str, do: Callable[[], None]) -> None:
        """Do it in a thread of that name."""
        thread = threading.Thread(target=self._run, args=(do,), name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, do: Callable[[], None]) -> None:
        try:
            do()
        finally:
            self._threads.discard(threading.current_thread())

    def join(self) -> None:
        """Wait until all that was begun has ended."""
        for thread in list(self._threads):
            thread.join()


@dataclass(slots=True)
class Aside:
    """What is done every so many seconds beside everything else, for it may be slow: by one thread at a time."""

    name: str
    every: float
    do: Callable[[], object]
    begun: float = float("-inf")
    busy: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, beside: Beside) -> None:
        """Do it there, if its time has come."""
        if time.monotonic() - self.begun >= self.every and self.busy.acquire(blocking=False):
            self.begun = time.monotonic()
            beside.begin(self.name, self._run)

    def _run(self) -> None:
        try:
            self.do()
        except Exception:
            log.exception("the %s failed", self.name)
        finally:
            self.busy.release()


class Dispatcher:
    """One dispatcher; ``run`` until ``stop``."""

    def __init__(
        self,
        service: Service,
        hand: Callable[[Sequence[int]], None],
        bell: Doorbell,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service, self._store, self._hand, self._bell, self._now = service, service.store, hand, bell, now
        self._asides = [
            Aside("pre-flight", FLY, self._fly),
            Aside("planning of further shares", PLAN, self._plan_again),
        ]
        if sign_ins := service.accounts.sign_ins:
            self._asides.append(Aside("tending of sign-ins", TEND, sign_ins.tend))
        self._beside = Beside()
        self._looking: set[str] = set()
        self._stop = threading.Event()
        self._swept = 0.0
        self._registered = False

    def run(self) -> None:
        """Until ``stop``, and until what it had begun has ended; a database that is away is waited for."""
        while not self._stop.is_set():
            try:
                pause = 0.0 if self.step() else self._pause()
            except StoreError as error:
                log.warning("waiting for the database: %s", error)
                self._stop.wait(2)
                continue
            if pause:
                self._bell.wait(pause)
        self.rest()

    def stop(self) -> None:
        """Let ``run`` return soon. Returns at once, though a Redis that is frozen cannot be rung."""
        self._stop.set()
        threading.Thread(target=self._bell.ring, name="ring", daemon=True).start()

    def rest(self) -> None:
        """Wait until no look and nothing else that ``step`` began goes on, as is due before the store is closed."""
        self._beside.join()

    def step(self) -> bool:
        """Do once all that is due; whether there may be more at once."""
        if not self._registered:
            self._register()
        if time.monotonic() - self._swept >= SWEEP:
            self._sweep()
            self._add_up()
            self._look()
            for one in self._asides:
                one.begin(self._beside)
            self._swept = time.monotonic()
        return self._hand_over() == BATCH

    def _register(self) -> None:
        """Let the config's sources be looked at; not at once when it is made, for the database may be away then."""
        with self._store.write() as tx:
            journal.register_sources(tx, list(self._service.config.sources), now=self._now())
        retime(self._store, self._service.config.zone, now=self._now())
        self._registered = True

    def _hand_over(self) -> int:
        now = self._now()
        with self._store.read() as tx:
            wake = claims.next_wake(tx)
        if wake is None or wake > now:
            return 0
        with self._store.write() as tx:
            ids = claims.take_due(tx, now=now, limit=BATCH)
        if ids:
            reach("dispatch: taken, not handed over")
            self._hand(ids)
            reach("dispatch: handed over")
        return len(ids)

    def _pause(self) -> float:
        with self._store.read() as tx:
            wake = claims.next_wake(tx)
        until = (wake - self._now()).total_seconds() if wake else IDLE
        return min(max(until, MOMENT), IDLE)

    def _sweep(self) -> None:
        with self._store.read() as tx:
            if not endings.any_expired(tx, now=self._now()):
                return
        with self._store.write() as tx:
            lost = endings.sweep(tx, now=self._now(), settle=self._settle)
            reach("sweep: before commit")
        reach("sweep: after commit")
        for share_id in lost:
            log.warning("share %d: its worker died while sending", share_id)

    def _add_up(self) -> None:
        with self._store.read() as tx:
            if not tallies.many(tx):
                return
        with self._store.write() as tx:
            tallies.compact(tx)

    def _settle(self, account: str) -> timedelta:
        try:
            return self._service.accounts.settle(account)
        except ReverberateError:
            return timedelta(0)

    def _look(self) -> None:
        now = self._now()
        with self._store.read() as tx:
            if not journal.sources_due(tx, now=now):
                return
        free = LOOKERS - len(self._looking)
        if free <= 0:
            return
        with self._store.write() as tx:
            names = journal.take_sources(tx, now=now, limit=free)
        for name in names:
            self._looking.add(name)
            self._beside.begin(f"look at {name}", partial(self._look_at, name))

    def _fly(self) -> None:
        preflight.look(self._service, now=self._now)

    def _plan_again(self) -> None:
        if number := plan_again(self._service):
            log.info("%d posts will be shared again", number)
            self._bell.ring()

    def _look_at(self, name: str) -> None:
        try:
            looked = self._service.look(name)
            log_look(looked)
            if looked.new:
                self._bell.ring()
        except Exception:
            log.exception("looking at %s failed", name)
        finally:
            self._looking.discard(name)


def log_look(looked: Looked) -> None:
    """One line for a look that brought anything."""
    if looked.trouble:
        log.warning("source %s: %s", looked.source, looked.trouble)
    elif looked.baseline:
        log.info("source %s: %d posts are the baseline, %d of them shared", looked.source, looked.seen, looked.new)
    elif looked.new:
        log.info("source %s: %d new", looked.source, looked.new)
    for note in looked.notes:
        log.warning("source %s: %s", looked.source, note)
