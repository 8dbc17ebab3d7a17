"""Celery, and the only module that names it.

Celery carries one thing: "these shares are due, look now". It holds no future (no eta, no countdown), no result and
no truth: a message that is lost is made good by the poller, one that comes twice meets a claim that is taken.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Full, Queue
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.apps import worker as celery_worker
from celery.platforms import EX_OK, SecurityWarning
from celery.signals import setup_logging
from celery.worker import state

from reverberate.errors import StoreError
from reverberate.store import claims

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.delivery import Courier
    from reverberate.store import Store

log = logging.getLogger(__name__)
TASK = "reverberate.deliver"
QUEUE = "reverberate"
BATCH = 100
"""Share numbers in one message: Celery's cost is per message."""
GRACE = timedelta(seconds=1)
"""How long the doorbell has before the poller acts on its own."""
POLL = 0.5
"""Seconds between the poller's looks."""
WAITING = 100
"""So many messages wait for the broker at the most."""
REST = 5.0
"""Seconds to leave a broker alone that did not answer."""
COURIER: Courier | None = None
"""This process's courier; set when a worker starts."""


def make_app(url: str) -> Celery:
    """The Celery application on that Redis (``redis://``, ``rediss://`` or ``unix://``)."""
    app = Celery("reverberate", broker=url.replace("unix://", "redis+socket://", 1))
    app.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        task_acks_late=False,
        task_create_missing_queues=True,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_publish_retry=False,
        task_serializer="json",
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_soft_shutdown_timeout=0.0,
    )
    app.task(name=TASK, ignore_result=True)(deliver)
    return app


def deliver(ids: Sequence[int]) -> None:
    """Take these shares in hand. Numbers only: what they are stands in the database."""
    if COURIER is not None:
        COURIER.deliver([int(share_id) for share_id in ids])


class Hand:
    """The dispatcher's way to the workers: through Celery, from a thread of its own, for a broker may freeze.

    What the broker does not take is dropped: the workers' pollers find the shares by themselves, and the dispatcher
    hands them over again.
    """

    def __init__(self, url: str) -> None:
        self._app = make_app(url)
        self._waiting: Queue[list[int]] = Queue(maxsize=WAITING)
        self._rest_until = 0.0
        threading.Thread(target=self._run, name="hand", daemon=True).start()

    def __call__(self, ids: Sequence[int]) -> None:
        """Hand over; returns at once."""
        with suppress(Full):
            self._waiting.put_nowait(list(ids))

    def _run(self) -> None:
        self._try(self._connect)
        while True:
            ids = self._waiting.get()
            if time.monotonic() >= self._rest_until:
                self._try(partial(self._send, ids))

    def _connect(self) -> None:
        """Ahead, for the first share shall not wait for it."""
        with self._app.producer_pool.acquire(block=True) as producer:
            producer.maybe_declare(self._app.amqp.queues[QUEUE])

    def _send(self, ids: list[int]) -> None:
        self._app.send_task(TASK, args=[ids], ignore_result=True)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - a client's errors are of many kinds; this thread must outlive all
            log.warning("the broker takes nothing (%s); the pollers deliver", type(error).__name__)
            self._rest_until = time.monotonic() + REST


class Poller:
    """Gives a courier what is due and was not claimed, in a ``thread`` of its own, whatever became of the doorbell."""

    def __init__(
        self,
        store: Store,
        courier: Courier,
        *,
        grace: timedelta = GRACE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stop: threading.Event | None = None,
    ) -> None:
        self._store, self._courier, self._grace, self._now = store, courier, grace, now
        self._stop = stop or threading.Event()
        self.thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self._stop.wait(POLL):
            try:
                self.poll()
            except StoreError as error:
                log.warning("the poller cannot see the database: %s", error)

    def poll(self) -> None:
        """One look."""
        room = min(self._courier.room(), BATCH)
        if room <= 0:
            return
        with self._store.read() as tx:
            ids = claims.overdue(tx, before=self._now() - self._grace, limit=room)
        if ids:
            self._courier.deliver(ids)

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self.thread.join(5)


def run_worker(url: str, courier: Courier, *, name: str, concurrency: int = 4) -> None:
    """Consume until told to stop (SIGTERM, SIGINT); the courier is the caller's to close.

    An error that Celery takes for the end of everything, such as a Redis that is full, only makes it begin again.
    """
    global COURIER  # noqa: PLW0603 - Celery calls tasks by name, so the process's one courier must be found by name
    COURIER = courier
    setup_logging.connect(_leave_logging_alone)
    celery_worker.safe_say = _say_nothing
    # Celery warns root of pickle and the like; this worker takes JSON numbers only, and containers run as root
    warnings.filterwarnings("ignore", category=SecurityWarning)
    options = {"hostname": name, "pool": "threads", "concurrency": concurrency, "quiet": True}
    while True:
        make_app(url).Worker(**options, without_gossip=True, without_mingle=True).start()
        if _told_to_stop():
            return
        log.warning("Celery's worker gave up; it begins again in %d seconds, and the poller delivers meanwhile", REST)
        again = time.monotonic() + REST
        while time.monotonic() < again and not _told_to_stop():
            time.sleep(0.1)


def _told_to_stop() -> bool:
    return state.should_stop is not None or state.should_terminate is not None


def stop_worker() -> None:
    """Let the worker end, at once or as soon as it has begun: until then its own signal handlers are not there."""
    state.should_stop = EX_OK


def _say_nothing(*_: Any, **__: Any) -> None:
    """Celery's words at its end would stand in the log without being lines of it."""


def _leave_logging_alone(**_: Any) -> None:
    """Our own logging stands; a receiver here keeps Celery from setting up its own."""
