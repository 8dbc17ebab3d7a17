"""What a courier and a desk find around them in a world: its store, its writer, its lanes, its threads and clock.

The couriers and desks themselves are the real ones.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from reverberate import chores, delivery, desk
from reverberate.errors import StoreError
from reverberate.store import chores as store_chores
from reverberate.store import claims, journal, shares
from reverberate.store.claims import Claim
from reverberate.store.writer import Done, Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

    from reverberate.lanes import Job
    from reverberate.model import Message, Work
    from reverberate.store.writer import Then, Wish
    from simulation.clock import Owner
    from simulation.store import Model
    from simulation.world import World


class Handle:
    """One process's way to the store, which is away at times."""

    def __init__(self, world: World, owner: Owner) -> None:
        self.world, self.owner = world, owner

    def write(self) -> Self:
        """One transaction."""
        return self

    @contextmanager
    def read(self) -> Iterator[Model]:
        """One look."""
        yield self.__enter__()

    def __enter__(self) -> Model:
        if self.world.store_away():
            raise StoreError("the database is away")
        return self.world.model

    def __exit__(self, *_: object) -> None:
        self.world.nudge()


class Writer:
    """Stands in for ``store.writer.Writer``: each wish by itself, with all that may come in between."""

    def __init__(
        self, store: Handle, *, owner: str, lease: timedelta, now: Callable[[], datetime], **_: object
    ) -> None:
        self._world, self._owner, self._lease, self._now = store.world, owner, lease, now

    def write(self, wish: Wish, then: Then) -> None:
        """See Writer."""
        try:
            came = self.written(wish)
        except StoreError as error:
            then(None, error)
        else:
            then(came, None)

    def written(self, wish: Wish) -> Any:
        """See Writer."""
        match wish:
            case Claim():
                return self._claim(wish)
            case Settlement():
                return self._settle(wish)
            case Done():
                return self._commit("step", wish.share_id, partial(self._record, wish))

    def _record(self, done: Done, model: Model) -> bool:
        return bool(model.record(done.share_id, done.fence, done.name, done.answer, now=self._now()))

    def _claim(self, wish: Claim) -> tuple[int, Message] | None:
        def do(model: Model) -> tuple[int, Message] | None:
            now = self._now()
            return model.claim([wish], owner=self._owner, lease=now + self._lease, now=now).get(wish.share_id)

        won: tuple[int, Message] | None = self._commit("claim", wish.share_id, do)
        self._world.tell(f"   share {wish.share_id}: {self._owner} wants to {wish.kind}: {'won' if won else 'not now'}")
        return won

    def _settle(self, wish: Settlement) -> bool:
        ending, aftermath = wish.ending, wish.aftermath

        def do(model: Model) -> bool:
            ours = ending.share_id in model.settle([ending])
            if ours and aftermath:
                model.aftermath(aftermath)
            return ours

        ours: bool = self._commit("settle", ending.share_id, do)
        words = f"{ending.outcome} -> {ending.state} {ending.reason}" if ours else f"no longer ours ({ending.outcome})"
        self._world.tell(f"   share {ending.share_id}: {self._owner}: {words}")
        return ours

    def close(self) -> None:
        """See Writer."""

    def _commit(self, what: str, share_id: int, do: Callable[[Model], Any]) -> Any:
        world = self._world
        world.step(f"{what}: before commit", share_id)
        if world.store_away():
            raise StoreError("the database is away")
        result = do(world.model)
        world.nudge()
        world.step(f"{what}: after commit", share_id)
        if world.chance(world.forgetful):
            raise StoreError("the connection broke while committing")
        return result


class Lanes:
    """Stands in for ``lanes.Lanes``: one after the other within an account, accounts side by side."""

    def __init__(self, handle: Callable[[Work], Job], write: Callable[[Any, Then], None], **_: object) -> None:
        self._handle, self._write = handle, write
        store: Handle = handle.__self__._store  # type: ignore[attr-defined]  # a courier's own method
        self._world, self._owner = store.world, store.owner
        self._lanes: dict[str, deque[Work]] = {}
        self._held: set[int] = set()
        self.closing = False

    def unheld(self, ids: Iterable[int]) -> list[int]:
        """See Lanes."""
        return [share_id for share_id in ids if share_id not in self._held]

    def add(self, works: Iterable[Work]) -> None:
        """See Lanes."""
        for work in works:
            account = work.share.account
            self._held.add(work.share.id)
            if account in self._lanes:
                self._lanes[account].append(work)
            else:
                self._lanes[account] = deque([work])
                self._world.clock.spawn(self._owner, partial(self._run, account))

    def _run(self, account: str) -> None:
        lane = self._lanes[account]
        while lane:
            work = lane.popleft()
            try:
                copy_context().run(self._do, self._handle(work))
            except StoreError:
                self._world.tell(f"   share {work.share.id}: left for later, the store is away")
            self._held.discard(work.share.id)
        del self._lanes[account]

    def _do(self, job: Job) -> None:
        answers: list[tuple[Any, Exception | None]] = [(None, None)]
        with suppress(StopIteration):
            while True:
                value, error = answers.pop()
                wish = job.throw(error) if error else job.send(value)
                self._write(wish, lambda value, error: answers.append((value, error)))


class Baton:
    """Stands in for ``baton.Baton``: in a world one thinks at a time anyway."""

    def lull(self, seconds: float) -> None:
        """See Baton."""

    def close(self) -> None:
        """See Baton."""


class Stopped:
    """Stands in for the courier's Event: a heartbeat lets go after one beat, other waits take their time."""

    def __init__(self, world: World) -> None:
        self._world, self._beaten = world, True

    def wait(self, seconds: float) -> bool:
        """Whether it is over."""
        if seconds == delivery.HEARTBEAT:
            self._beaten = not self._beaten
            return self._beaten
        self._world.clock.sleep(seconds)
        return False

    def is_set(self) -> bool:
        """Never: workers here die, they do not close."""
        return False

    def set(self) -> None:
        """See Event."""


class Thread:
    """Stands in for the courier's heartbeat thread; the worker beats when the world says so."""

    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        """See Thread."""


def _facade(module: Any, **stand_ins: Any) -> SimpleNamespace:
    return SimpleNamespace(**(vars(module) | stand_ins))


def _through(name: str) -> Callable[..., Any]:
    """A function of the store that takes the transaction first: here the model's method."""
    return lambda tx, *args, **kwargs: getattr(tx, name)(*args, **kwargs)


CLAIMS = _facade(claims, work=_through("work"), renew=_through("renew"))
SHARES = _facade(shares, change=_through("change"), get=_through("get"), unfreeze=_through("unfreeze"))
CHORES = _facade(
    store_chores,
    ask=_through("ask"),
    claim=_through("claim_chore"),
    settle=_through("settle_chore"),
    end=_through("end_chore"),
    put_off=_through("put_off_chore"),
)
JOURNAL = _facade(journal, resume=lambda tx, name, **_: tx.resume(name))


def _committed(world: World, point: str) -> None:
    """A chore has come there: after a commit a worker may die, stop, or not hear of it; within one nothing happens."""
    if point.endswith("after commit"):
        world.step(f"chore: {point}", 0)
        if world.chance(world.forgetful):
            raise StoreError("the connection broke while committing")


@contextmanager
def inside(world: World) -> Iterator[None]:
    """While this holds, couriers and desks live in the world."""
    threads = _facade(threading, Event=lambda: Stopped(world), Thread=Thread)
    replaced: list[tuple[Any, str, Any]] = [
        (delivery, "threading", threads),
        (delivery, "Writer", Writer),
        (delivery, "Baton", Baton),
        (delivery, "Lanes", Lanes),
        (delivery, "boot_clock", lambda: world.clock.time),
        (delivery, "reach", lambda point: world.step(point, 0)),
        (delivery, "claims", CLAIMS),
        (delivery, "shares", SHARES),
        (chores, "chores", CHORES),
        (chores, "shares", SHARES),
        (chores, "apply", lambda tx, several: [tx.aftermath(one) for one in several]),
        (chores, "reach", partial(_committed, world)),
        (desk, "shares", SHARES),
        (desk, "journal", JOURNAL),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in replaced]
    quiet, delivery.log.disabled = delivery.log.disabled, True
    chores.log.disabled = True
    for module, name, value in replaced:
        setattr(module, name, value)
    try:
        yield
    finally:
        delivery.log.disabled = chores.log.disabled = quiet
        for module, name, value in before:
            setattr(module, name, value)
