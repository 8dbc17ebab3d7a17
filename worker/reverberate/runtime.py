"""The processes: a worker, a dispatcher, a web door, or all of them on one machine."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reverberate import broker, config, tracing
from reverberate.accounts import Accounts
from reverberate.alone import alone
from reverberate.illustrate import Illustrator
from reverberate.networks import networks
from reverberate.rendering import Renderer
from reverberate.service import Service
from reverberate.signins import SignIns
from reverberate.sources import sources
from reverberate.stopping import FAMILY_SECONDS, STOP_SECONDS, Stopping
from reverberate.store import Store
from reverberate.vault import key_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reverberate.backup import Backup, Restored
    from reverberate.config import Config
    from reverberate.delivery import Courier
    from reverberate.dispatcher import Dispatcher

log = logging.getLogger(__name__)
CHILD_SECONDS = 8.2
"""How long a worker may take that is our child: it leaves by itself after LEAVE_SECONDS."""
FLUSH_SECONDS = 1.0
"""How long a courier may take to write down what it finished, of the time in which all have to stop."""
REDIS_SECONDS = 0.5
"""How long our Redis may take at the least, when nothing else has ended in time."""


def read_config(path: Path) -> Config:
    """The config at ``path``, with every installed network and source. Raises ConfigError."""
    return config.load(path, networks=networks, sources=sources)


def make_service(loaded: Config, store: Store) -> Service:
    """A service on an open store, with every installed network and source."""
    renderer = Renderer([loaded.templates], zone=loaded.zone, site=loaded.site.title)
    sign_ins = SignIns(loaded, store, key_place(loaded.service.vault_key).read, networks=networks)
    accounts = Accounts(loaded, renderer, networks=networks, illustrator=Illustrator(loaded), sign_ins=sign_ins)
    return Service(loaded, store, accounts, sources=sources)


@contextmanager
def open_service(loaded: Config) -> Iterator[Service]:
    """A service on the config's database, closed afterwards."""
    store = Store(loaded.database_url())
    try:
        yield make_service(loaded, store)
    finally:
        store.close()


def _follow(parent: int, companion: int) -> None:
    """End with the process that started us, even if it was killed, and take its embedded Redis along."""
    while os.getppid() == parent:
        time.sleep(0.5)
    with suppress(ProcessLookupError):
        if companion:
            os.kill(companion, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def ring(loaded: Config) -> None:
    """Tell the dispatcher, if there is a Redis to tell it through, that something is due."""
    if url := broker.running_url(loaded):
        from reverberate.doorbell import RedisBell

        RedisBell(url).ring()


def run_dispatcher(loaded: Config) -> None:
    """Dispatch until told to stop, ringing workers through Redis; without one their pollers find the work."""
    from reverberate.dispatcher import Dispatcher
    from reverberate.doorbell import bell_for
    from reverberate.tasks import Hand

    stopping = Stopping()
    stopping.heed_signals()
    url = broker.running_url(loaded)
    if not url:
        log.warning("no Redis: workers find due shares by looking at the database")
    with open_service(loaded) as service:
        dispatcher = Dispatcher(service, Hand(url) if url else _hand_nothing, bell_for(url))
        with _running(dispatcher, stopping), _company(service, stopping):
            stopping.begun.wait()


def _hand_nothing(ids: Sequence[int]) -> None:
    log.debug("%d shares are due", len(ids))


@contextmanager
def _running(dispatcher: Dispatcher, stopping: Stopping) -> Iterator[None]:
    thread = threading.Thread(target=dispatcher.run, name="dispatcher", daemon=True)
    stopping.tell(dispatcher.stop)
    thread.start()
    with stopping.awaits(thread):
        yield


@contextmanager
def _company(service: Service, stopping: Stopping) -> Iterator[None]:
    from reverberate.company import company

    with company(service, stopping):
        yield


@contextmanager
def _delivering(service: Service, stopping: Stopping) -> Iterator[Courier]:
    """A courier; once the stopping begins it finishes what is on its way, and has its time for that from then on."""
    from reverberate.delivery import Courier

    courier = Courier(service.store, service.accounts)

    def close() -> None:
        stopping.begun.wait()
        courier.close(stopping.left - FLUSH_SECONDS)

    closing = threading.Thread(target=close, name="closing", daemon=True)
    closing.start()
    with stopping.awaits(closing):
        yield courier


def run_worker(loaded: Config) -> None:
    """Deliver until told to stop."""
    from reverberate import tasks
    from reverberate.company import living

    stopping = Stopping()
    stopping.tell(tasks.stop_worker)
    stopping.heed_signals()
    url = broker.running_url(loaded)
    tracing.start()
    if parent := os.environ.get("REVERBERATE_PARENT"):
        companion = int(os.environ.get("REVERBERATE_REDIS_PID", "0"))
        threading.Thread(target=_follow, args=(int(parent), companion), name="follow", daemon=True).start()
    with open_service(loaded) as service, living(service.store, "worker", stopping):
        threading.Thread(target=service.accounts.make_ready, name="make ready", daemon=True).start()
        with _delivering(service, stopping) as courier:
            poller = tasks.Poller(service.store, courier, stop=stopping.begun)
            with stopping.awaits(poller.thread):
                if url:
                    tasks.run_worker(url, courier, name=courier.owner.replace(":", "-") + "@reverberate")
                else:
                    log.warning("no Redis: the poller delivers by itself")
                    stopping.begun.wait()


def run_restore(loaded: Config, found: Backup, *, force: bool) -> Restored:
    """Fill the config's database from a backup, while nothing else works on it. Raises as ``backup.restore``."""
    from reverberate.backup import restore

    loaded.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(loaded.data / "up.lock"), open_service(loaded) as service:
        names = [name for name in loaded.accounts if service.accounts.ability(name).always]
        return restore(found, loaded, service.store, harmless=frozenset(names), force=force)


class Up:
    """Everything on one machine."""

    def __init__(self, loaded: Config, stopping: Stopping | None = None) -> None:
        self._config = loaded
        self._embedded: broker.Embedded | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._stopping = stopping or Stopping()
        self._stopping.lasts.append(self._abandon)

    @contextmanager
    def running(self) -> Iterator[Service]:
        """Redis, a worker, a dispatcher and the web door, until the block ends."""
        loaded, listen = self._config, self._config.service.listen
        loaded.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(loaded.data / "up.lock"):
            url = self._redis()
            try:
                # all are told first, for the door takes its time to close
                with (
                    open_service(loaded) as service,
                    self._workers(service, url),
                    _web(service, listen),
                    self._stopping.awaits(),
                ):
                    yield service
            finally:
                if self._embedded:
                    self._embedded.stop(max(self._stopping.left, REDIS_SECONDS))

    def _redis(self) -> str:
        if named := self._config.redis_url():
            return named
        self._embedded = broker.start_embedded(self._config.data)
        return self._embedded.url if self._embedded else ""

    @contextmanager
    def _workers(self, service: Service, url: str) -> Iterator[None]:
        if not url:
            log.warning("no Redis found: the poller delivers in this process (pip install 'reverberate[embedded]')")
            with _in_process(service, self._stopping):
                yield
            return
        from reverberate.dispatcher import Dispatcher
        from reverberate.doorbell import bell_for
        from reverberate.tasks import Hand

        keeper = threading.Thread(target=self._keep_worker, name="keeper", daemon=True)
        keeper.start()
        dispatcher = Dispatcher(service, Hand(url), bell_for(url))
        try:
            with _running(dispatcher, self._stopping), _company(service, self._stopping):
                yield
        finally:
            self._stopping.begin()
            keeper.join(self._stopping.left + CHILD_SECONDS - STOP_SECONDS + 0.2)

    def _keep_worker(self) -> None:
        """Keep one worker process alive; one that dies at once is started ever more slowly."""
        stopped = self._stopping.begun
        pause, companion = 0.2, str(self._embedded.process.pid if self._embedded else 0)
        while not stopped.is_set():
            began = time.monotonic()
            self._worker = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "reverberate", "--config", str(self._config.path), "worker"],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we tell it to stop
                env=os.environ | {"REVERBERATE_PARENT": str(os.getpid()), "REVERBERATE_REDIS_PID": companion},
            )
            while self._worker.poll() is None and not stopped.wait(0.1):
                pass
            if stopped.is_set():
                break
            pause = 0.2 if time.monotonic() - began > 10 else min(pause * 2, 30)
            log.warning("the worker ended with status %s; another one starts", self._worker.returncode)
            stopped.wait(pause)
        if self._worker:
            broker.end(self._worker, CHILD_SECONDS)

    def _abandon(self) -> None:
        """End the children at once, for we leave by force."""
        for child in (self._worker, self._embedded and self._embedded.process):
            if child:
                child.kill()


@contextmanager
def _in_process(service: Service, stopping: Stopping) -> Iterator[None]:
    from reverberate.dispatcher import Dispatcher
    from reverberate.doorbell import LocalBell

    with _delivering(service, stopping) as courier:
        dispatcher = Dispatcher(service, courier.deliver, LocalBell())
        with _running(dispatcher, stopping), _company(service, stopping):
            yield


@contextmanager
def _web(service: Service, listen: str) -> Iterator[None]:
    from reverberate.web import serve

    with serve(service, listen=listen, ring=lambda: ring(service.config)):
        yield


def run_web(loaded: Config, *, listen: str = "") -> None:
    """Serve the web door until told to stop; ``listen`` goes before what the config says."""
    stopping = Stopping()
    stopping.heed_signals()
    with open_service(loaded) as service, _web(service, listen or loaded.service.listen):
        stopping.begun.wait()


def run_up(loaded: Config) -> None:
    """Everything on one machine until told to stop."""
    stopping = Stopping()
    stopping.heed_signals(leave=FAMILY_SECONDS)
    with Up(loaded, stopping).running():
        log.info("up; Ctrl-C stops it")
        stopping.begun.wait()
        log.info("stopping")
