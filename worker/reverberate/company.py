"""What goes on beside the dispatching: telling of troubles, signs of life, statistics, and forgetting what is old.

Each in a thread of its own, so that none delays a share or another chore. Any number of dispatchers may do them side
by side: what must be done by one is taken by conditional writes.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
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
    from reverberate.stopping import Stopping
    from reverberate.store import Store

log = logging.getLogger(__name__)
BEAT = 5.0
"""Seconds between two signs of life."""
GONE = timedelta(days=1)
"""A process that gave none for so long is forgotten."""


def chore(
    name: str,
    step: Callable[[threading.Event], None],
    seconds: float,
    *,
    stop: threading.Event,
    last: Callable[[], None] = lambda: None,
) -> threading.Thread:
    """A thread that does ``step`` every ``seconds`` until ``stop`` is set, and ``last`` then; a fault ends it not."""

    def run() -> None:
        while not stop.is_set():
            _done(name, partial(step, stop))
            stop.wait(seconds)
        _done(name, last)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _done(name: str, step: Callable[[], None]) -> None:
    try:
        step()
    except StoreError as error:
        log.warning("%s: %s", name, error)
    except Exception:
        log.exception("%s failed; it goes on", name)


@contextmanager
def living(store: Store, role: str, stopping: Stopping) -> Iterator[None]:
    """Signs of life of this process while the block runs."""
    name = worker_name()

    def step(_stop: threading.Event) -> None:
        now = datetime.now(UTC)
        with store.write() as tx:
            watch.beat(tx, name, role, now=now)
            watch.bury(tx, before=now - GONE)

    def leave() -> None:
        with store.write() as tx:
            watch.leave(tx, name)

    with stopping.awaits(chore("signs of life", step, BEAT, stop=stopping.begun, last=leave)):
        yield


@contextmanager
def company(service: Service, stopping: Stopping) -> Iterator[None]:
    """All of them while the block runs; a dispatcher's company."""
    config, stop = service.config, stopping.begun
    notices = Notices(config, service.store)
    statistics = Statistics(service.store, service.accounts, per_hour=config.statistics.per_hour)
    retention = Retention(service.store, keep=config.service.keep)
    with living(service.store, "dispatcher", stopping):
        teller = Teller(notices, list(config.notices), stop=stop)
        beside = [chore("retention", retention.run, retention.every.total_seconds(), stop=stop)]
        if config.statistics.enabled:
            beside.append(chore("statistics", statistics.run, statistics.every.total_seconds(), stop=stop))
        with stopping.awaits(*teller.threads, *beside):
            yield
