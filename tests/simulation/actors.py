"""Who acts in a world: workers that die and sleep, dispatchers, a sweeper, a person."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reverberate import delivery, desk
from reverberate.chores import ask
from reverberate.errors import ReverberateError, StoreError
from reverberate.model import ShareState
from simulation.clock import Killed, Owner
from simulation.process import Handle
from simulation.server import SETTLE

if TYPE_CHECKING:
    from datetime import datetime

    from simulation.rows import Row
    from simulation.world import World

S = ShareState


class Worker(Owner):
    """One process; dies and comes again under another name."""

    def __init__(self, world: World, name: str, accounts: Any) -> None:
        self.world, self.name, self.accounts = world, name, accounts
        self.skew = world.skew()
        self._beating = False
        self.courier = delivery.Courier(Handle(world, self), accounts, now=self.now, chance=world.rng.random)  # type: ignore[arg-type]  # by its methods
        self.courier.owner = self.courier._writer._owner = name

    def now(self) -> datetime:
        """What this machine's clock shows."""
        return self.world.moment(self.world.clock.time + self.skew)

    def deliver(self, ids: list[int]) -> None:
        """A message from the broker."""
        if not self.alive:
            return
        try:
            self.courier.deliver(ids)
        except StoreError:
            return
        if not self._beating:
            self._beating = True
            self.world.clock.spawn(self, self._beat, delay=delivery.HEARTBEAT * self.world.rng.random())

    def _beat(self) -> None:
        self.world.step("beat", 0)
        self.courier._beat()
        mine = (row for row in self.world.model.rows.values() if row.lease and row.owner == self.name)
        self._beating = bool(self.courier._lanes._held) or any(mine)
        if self._beating:
            self.world.clock.spawn(self, self._beat, delay=delivery.HEARTBEAT)

    def die(self) -> None:
        """Power off; another one comes up after a while."""
        self.alive = False
        self.world.clock.at(self.world.clock.time + 0.5 + 20 * self.world.rng.random(), self.world.rebirth)
        raise Killed


class Dispatcher:
    """Hands over what is due; wakes when something is."""

    def __init__(self, world: World) -> None:
        self.world, self.skew = world, world.skew()
        self._planned: float | None = None

    def nudge(self, wake: float) -> None:
        """Something is due then."""
        when = max(wake - self.skew, self.world.clock.time)
        if self._planned is None or when < self._planned - 0.5:
            self._planned = when + 0.5 * self.world.rng.random()
            self.world.clock.at(self._planned, self._step)

    def _step(self) -> None:
        world = self.world
        if self._planned != world.clock.time:
            return  # it was told to wake earlier meanwhile
        self._planned = None
        if world.store_away():
            self._planned = world.clock.time + 2
            world.clock.at(self._planned, self._step)
            return
        ids = world.model.take_due(now=world.moment(world.clock.time + self.skew), limit=100)
        if ids:
            world.hand(ids)
        self._again()

    def _again(self) -> None:
        wake, _ = self.world.model.coming()
        if wake is not None:
            self.nudge(self.world.seconds(wake))


class Sweeper:
    """Turns claims that ran out into questions."""

    def __init__(self, world: World) -> None:
        self.world, self.skew, self._planned = world, world.skew(), False

    def nudge(self, lease: float) -> None:
        """A claim runs out then."""
        if not self._planned:
            self._planned = True
            at = lease - self.skew
            self.world.clock.at(max(at, self.world.clock.time) + 0.001 + self.world.rng.random(), self._step)

    def _step(self) -> None:
        world, self._planned = self.world, False
        if not world.store_away():
            now = world.moment(world.clock.time + self.skew)
            for share_id in world.model.sweep(now=now, settle=world.accounts.settle):
                world.tell(f"   share {share_id}: swept")
        world.nudge()


class Person:
    """Uses the real desk: cancels, mends accounts, resolves what only they can, retries."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.desk = desk.Desk(Handle(world, Owner()), now=lambda: world.moment(world.clock.time))  # type: ignore[arg-type]  # by its methods
        self.cancelled: set[int] = set()
        self._words = 0

    def act(self) -> None:
        """Something that a person may do, at any time."""
        row = self.world.rng.choice(list(self.world.model.rows.values()))
        try:
            if row.state is S.UNSURE:
                self._resolve(row)
            elif row.state in {S.REFUSED, S.SKIPPED, S.CANCELLED}:
                self._retry(row)
            elif row.state is S.SENT:
                self._after(row)
            elif self.world.servers[row.account].lag <= SETTLE:  # else a look may not tell that it is there
                self.desk.cancel(row.id)
                self.cancelled.add(row.id)
                self.world.tell(f"person cancels share {row.id}")
        except ReverberateError as error:
            self.world.tell(f"person cannot: {error}")

    def regret(self) -> None:
        """Have something done about a share that is out, if there is one."""
        out = [row for row in self.world.model.rows.values() if row.state is S.SENT]
        if out:
            with suppress(ReverberateError):
                self._after(self.world.rng.choice(out))

    def _after(self, row: Row) -> None:
        """Reword it, where it has one part, or take it back."""
        kind = (
            "edit" if len(self.world.model.messages[row.id].parts) == 1 and self.world.rng.random() < 0.6 else "delete"
        )
        self._words += 1
        text = f"new words {self._words} for share {row.id}" if kind == "edit" else ""
        now = self.world.moment(self.world.clock.time)
        ask(Handle(self.world, Owner()), self.world.accounts, row.id, kind, text=text, now=now)  # type: ignore[arg-type]  # by its methods
        self.world.tell(f"person wants share {row.id}: {kind} {text}")

    def mend(self) -> None:
        """The trouble is over; all accounts go on."""
        for server in self.world.servers.values():
            server.revoked = ()
            self.desk.resume(server.name)
        self.world.tell("person mends and resumes everything")

    def _retry(self, row: Row) -> None:
        if row.account not in self.world.resending:
            self.desk.retry(row.id)
            self.world.planned[row.id] = min(self.world.planned[row.id], self.world.clock.time)
            self.cancelled.discard(row.id)
            self.world.generations[row.id] += 1
            self.world.tell(f"person retries share {row.id}")

    def _resolve(self, row: Row) -> None:
        """Truthfully, and only where the question is open and nothing is on its way."""
        server = self.world.servers[row.account]
        parts = len(self.world.model.messages[row.id].parts)
        if row.wake is not None or row.lease is not None or server.travelling[row.id]:
            return
        there = len({one.number for one in server.of(row.id)})
        if there == parts:
            self.desk.resolve_sent(row.id)
        elif not there:
            self.desk.resolve_resend(row.id)
        self.world.tell(f"person resolves share {row.id}: {there} of {parts} parts are there")
