"""The processes: a worker, a dispatcher, a web door, or all of them on one machine."""

from __future__ import annotations

import fcntl
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
from reverberate.errors import ReverberateError
from reverberate.illustrate import Illustrator
from reverberate.networks import networks
from reverberate.rendering import Renderer
from reverberate.service import Service
from reverberate.signins import SignIns
from reverberate.sources import sources
from reverberate.store import Store
from reverberate.vault import key_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from reverberate.backup import Backup, Restored
    from reverberate.config import Config
    from reverberate.dispatcher import Dispatcher

log = logging.getLogger(__name__)
STOP_SECONDS = 9
"""How long a child may take to stop: within the ten seconds that Ctrl-C promises."""


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


class Stop:
    """Set by SIGTERM or SIGINT; ``then`` is called with it."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.asked, self._then = threading.Event(), then
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked.set()
        self._then()


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

    stop, url = Stop(), broker.running_url(loaded)
    if not url:
        log.warning("no Redis: workers find due shares by looking at the database")
    with open_service(loaded) as service:
        dispatcher = Dispatcher(service, Hand(url) if url else _hand_nothing, bell_for(url))
        with _running(dispatcher), _company(service):
            stop.asked.wait()


def _hand_nothing(ids: Sequence[int]) -> None:
    log.debug("%d shares are due", len(ids))


@contextmanager
def _running(dispatcher: Dispatcher) -> Iterator[None]:
    thread = threading.Thread(target=dispatcher.run, name="dispatcher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        dispatcher.stop()
        thread.join(STOP_SECONDS)


@contextmanager
def _company(service: Service) -> Iterator[None]:
    from reverberate.company import company

    with company(service):
        yield


def run_worker(loaded: Config) -> None:
    """Deliver until told to stop."""
    from reverberate import tasks
    from reverberate.company import living
    from reverberate.delivery import Courier

    stop, url = Stop(tasks.stop_worker), broker.running_url(loaded)
    tracing.start()
    if parent := os.environ.get("REVERBERATE_PARENT"):
        companion = int(os.environ.get("REVERBERATE_REDIS_PID", "0"))
        threading.Thread(target=_follow, args=(int(parent), companion), name="follow", daemon=True).start()
    with open_service(loaded) as service:
        threading.Thread(target=service.accounts.make_ready, name="make ready", daemon=True).start()
        courier = Courier(service.store, service.accounts)
        poller = tasks.Poller(service.store, courier)
        try:
            with living(service.store, "worker"):
                if url:
                    tasks.run_worker(url, courier, name=courier.owner.replace(":", "-") + "@reverberate")
                else:
                    log.warning("no Redis: the poller delivers by itself")
                    stop.asked.wait()
        finally:
            poller.stop()
            courier.close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends.

    Raises:
        ReverberateError: another process holds it.
    """
    with path.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReverberateError(f"another `reverberate up` works on {path.parent}", hint="stop it first") from None
        yield


def run_restore(loaded: Config, found: Backup, *, force: bool) -> Restored:
    """Fill the config's database from a backup, while nothing else works on it. Raises as ``backup.restore``."""
    from reverberate.backup import restore

    loaded.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(loaded.data / "up.lock"), open_service(loaded) as service:
        names = [name for name in loaded.accounts if service.accounts.ability(name).always]
        return restore(found, loaded, service.store, harmless=frozenset(names), force=force)


class Up:
    """Everything on one machine."""

    def __init__(self, loaded: Config) -> None:
        self._config = loaded
        self._embedded: broker.Embedded | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[Service]:
        """Redis, a worker, a dispatcher and the web door, until the block ends."""
        loaded = self._config
        loaded.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(loaded.data / "up.lock"):
            url = self._redis()
            try:
                with open_service(loaded) as service, self._workers(service, url), _web(service, loaded.service.listen):
                    yield service
            finally:
                if self._embedded:
                    self._embedded.stop()

    def _redis(self) -> str:
        if named := self._config.redis_url():
            return named
        self._embedded = broker.start_embedded(self._config.data)
        return self._embedded.url if self._embedded else ""

    @contextmanager
    def _workers(self, service: Service, url: str) -> Iterator[None]:
        if not url:
            log.warning("no Redis found: the poller delivers in this process (pip install 'reverberate[embedded]')")
            with _in_process(service):
                yield
            return
        from reverberate.dispatcher import Dispatcher
        from reverberate.doorbell import bell_for
        from reverberate.tasks import Hand

        keeper = threading.Thread(target=self._keep_worker, name="keeper", daemon=True)
        keeper.start()
        try:
            with _running(Dispatcher(service, Hand(url), bell_for(url))), _company(service):
                yield
        finally:
            self._stopping.set()
            keeper.join(STOP_SECONDS + 1)

    def _keep_worker(self) -> None:
        """Keep one worker process alive; one that dies at once is started ever more slowly."""
        pause, companion = 0.2, str(self._embedded.process.pid if self._embedded else 0)
        while not self._stopping.is_set():
            began = time.monotonic()
            self._worker = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "reverberate", "--config", str(self._config.path), "worker"],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we tell it to stop
                env=os.environ | {"REVERBERATE_PARENT": str(os.getpid()), "REVERBERATE_REDIS_PID": companion},
            )
            while self._worker.poll() is None and not self._stopping.wait(0.1):
                pass
            if self._stopping.is_set():
                break
            pause = 0.2 if time.monotonic() - began > 10 else min(pause * 2, 30)
            log.warning("the worker ended with status %s; another one starts", self._worker.returncode)
            self._stopping.wait(pause)
        if self._worker:
            end(self._worker)


@contextmanager
def _in_process(service: Service) -> Iterator[None]:
    from reverberate.delivery import Courier
    from reverberate.dispatcher import Dispatcher
    from reverberate.doorbell import LocalBell

    courier, bell = Courier(service.store, service.accounts), LocalBell()
    dispatcher = Dispatcher(service, courier.deliver, bell)
    try:
        with _running(dispatcher), _company(service):
            yield
    finally:
        courier.close()


def end(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """Ask a child to stop; make it stop if it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _web(service: Service, listen: str) -> Iterator[None]:
    from reverberate.web import serve

    with serve(service, listen=listen, ring=lambda: ring(service.config)):
        yield


def run_web(loaded: Config, *, listen: str = "") -> None:
    """Serve the web door until told to stop; ``listen`` goes before what the config says."""
    stop = Stop()
    with open_service(loaded) as service, _web(service, listen or loaded.service.listen):
        stop.asked.wait()


def run_up(loaded: Config) -> None:
    """Everything on one machine until told to stop."""
    stop = Stop()
    with Up(loaded).running():
        log.info("up; Ctrl-C stops it")
        stop.asked.wait()
        log.info("stopping")
