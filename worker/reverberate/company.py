"""What goes on beside the dispatching: telling of troubles, signs of life, statistics, and forgetting what is old.

Each in a thread of its own, so that none delays a share or another chore. Any number of dispatchers may do them side
by side: what must be done by one is taken by conditional writes.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate.delivery import worker_name
from reverberate.errors import StoreError
from reverberate.notices import Notices, Teller
from reverberate.retention import Retention
from reverberate.statistics import Statistics
from reverberate.store import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.service import Service
    from reverberate.store import Store

log = logging.getLogger(__name__)
BEAT = 5.0
"""Seconds between two signs of life."""
GONE = timedelta(days=1)
"""A process that gave none for so long is forgotten."""


class Chore:
    """Does ``step`` every ``seconds``, in a thread of its own, until closed. A fault in it is logged, and it goes on."""

    def __init__(self, name: str, step: Callable[[threading.Event], None], seconds: float) -> None:
        self._step, self._seconds, self._stop = step, seconds, threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step(self._stop)
            except StoreError as error:
                log.warning("%s: %s", self._thread.name, error)
            except Exception:
                log.exception("%s failed; it goes on", self._thread.name)
            self._stop.wait(self._seconds)

    def close(self) -> None:
        """End it, soon."""
        self._stop.set()
        self._thread.join(3)


@contextmanager
def living(store: Store, role: str) -> Iterator[None]:
    """Signs of life of this process while the block runs."""
    name = worker_name()

    def step(_stop: threading.Event) -> None:
        now = datetime.now(UTC)
        with store.write() as tx:
            watch.beat(tx, name, role, now=now)
            watch.bury(tx, before=now - GONE)

    chore = Chore("signs of life", step, BEAT)
    try:
        yield
    finally:
        chore.close()
        with suppress(StoreError), store.write() as tx:
            watch.leave(tx, name)


@contextmanager
def company(service: Service) -> Iterator[None]:
    """All of them while the block runs; a dispatcher's company."""
    config = service.config
    notices = Notices(config, service.store)
    statistics = Statistics(service.store, service.accounts, per_hour=config.statistics.per_hour)
    retention = Retention(service.store, keep=config.service.keep)
    with living(service.store, "dispatcher"):
        beside: list[Chore | Teller] = [Teller(notices, list(config.notices))]
        beside.append(Chore("retention", retention.run, retention.every.total_seconds()))
        if config.statistics.enabled:
            beside.append(Chore("statistics", statistics.run, statistics.every.total_seconds()))
        try:
            yield
        finally:
            for one in beside:
                one.close()
