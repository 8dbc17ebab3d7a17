"""One seed is one world: networks, workers, faults and a person, until all has come to rest, and then the judgement.

``PYTHONPATH=tests python -m simulation.world SEED`` tells the story of one.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from reverberate import policy
from reverberate.accounts import Accounts
from reverberate.config import Account
from reverberate.model import Message, Post, Share, ShareState
from reverberate.schedule import Pace
from simulation.actors import Dispatcher, Person, Sweeper, Worker
from simulation.clock import Clock, Endless
from simulation.judge import judge
from simulation.network import KINDS, Blind, Refusing, Settings
from simulation.process import inside
from simulation.server import SETTLE, Server
from simulation.store import Model

if TYPE_CHECKING:
    from reverberate.model import Delivery
    from reverberate.networks.base import Network
    from reverberate.networks.parts import Part

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
MOST = 30_000
"""So many things may happen in a world before it counts as one that never rests."""
SHORT = tuple(timedelta(seconds=s) for s in (1, 2, 4, 8))


class World:
    """All that there is, made from one number."""

    def __init__(self, seed: int, *, aloud: bool = False) -> None:
        self.seed, self.rng = seed, random.Random(seed)  # noqa: S311 - the same chances again, not secrets
        self.story: list[str] | None = [] if aloud else None
        rng = self.rng
        self.clock = Clock(most=MOST, jitter=rng.random)
        self.calm = rng.random() < 0.1
        self.trouble_ends = 0.0 if self.calm else rng.choice((30.0, 120.0, 600.0))
        self._rates()
        self.model, self.generations = Model(), Counter[int]()
        self.requests: dict[tuple[int, int], set[tuple[str, str, int]]] = {}
        self.undeclared: list[int] = []
        self.resending: set[str] = set()
        self.servers: dict[str, Server] = {}
        self._rendered = 0
        self.planned: dict[int, float] = {}
        self._config = self._configure()
        self._plan()
        self.accounts = self._accounts()
        self.workers: list[Worker] = []
        self.dispatchers = [Dispatcher(self) for _ in range(rng.randint(1, 5))]
        self.sweeper, self.person = Sweeper(self), Person(self)

    def _rates(self) -> None:
        """How bad it is here."""
        rng, on = self.rng, 0.0 if self.calm else 1.0
        self.dies, self.sleeps = on * rng.choice((0, 0.01, 0.05)), on * rng.choice((0, 0.01, 0.05))
        self.faulty = on * rng.choice((0, 0.05, 0.2, 0.5))
        self.forgetful = on * rng.choice((0, 0, 0.02))
        self.loses, self.repeats = on * rng.choice((0, 0.2)), on * rng.choice((0, 0.3))
        self.clocks_differ = on * rng.choice((0, 0, 2.0))
        start = rng.random() * self.trouble_ends
        self._away = (start, min(start + rng.choice((0, 0, 5, 20)), self.trouble_ends))
        self.poison = frozenset(rng.sample(range(1, 31), 2)) if on and rng.random() < 0.1 else frozenset[int]()

    def _configure(self) -> Any:
        rng = self.rng
        accounts = {}
        for number in range(rng.randint(1, 6)):
            kind = rng.choice(KINDS)
            name = f"{kind.name}{number}"
            self.servers[name] = server = self._server(name, kind)
            resends = kind is Blind and rng.random() < 0.4
            if resends:
                self.resending.add(name)
            accounts[name] = Account(
                name=name,
                network=kind.name,
                settings=Settings(server=server),
                on_unsure="resend" if resends else "ask",
                retry=rng.choice((policy.WAITS, SHORT)),
                paces={"pace": Pace(timedelta(seconds=4), 2)} if rng.random() < 0.15 and not self.calm else {},
            )
        return SimpleNamespace(accounts=accounts, path=Path("simulated"), zone=ZoneInfo("UTC"))

    def _accounts(self) -> Accounts:
        """The real ones; each process has its own."""
        networks, renderer = SimpleNamespace(get=BY_NAME.__getitem__), SimpleNamespace(draft=self._draft)
        return Accounts(self._config, renderer, networks=networks)  # type: ignore[arg-type]  # by their methods

    def _server(self, name: str, kind: type[Network]) -> Server:
        rng, ends = self.rng, self.trouble_ends
        lag = SETTLE - 5 if rng.random() < 0.7 else 0.0
        if self.calm:
            return Server(self, name, kind, lag)
        if kind is Refusing and rng.random() < 0.6:
            lag = 4 * SETTLE  # it shows its posts late; refusing what it has, it is safe all the same
        begins = rng.random() * ends
        return Server(
            self,
            name,
            kind,
            lag,
            reads=rng.random() < 0.9,
            refuses=frozenset(rng.sample(range(1, 31), 3)) if rng.random() < 0.2 else frozenset(),
            outages=((begins, begins + rng.random() * ends),) if rng.random() < 0.2 else (),
            revoked=(rng.random() * ends,) if rng.random() < 0.1 else (),
        )

    def _plan(self) -> None:
        rng, names = self.rng, list(self.servers)
        for number in range(1, rng.randint(5, 30) + 1):
            due = START + timedelta(seconds=rng.random() * (self.trouble_ends or 60) * 0.8)
            self.planned[number] = self.seconds(due)
            share = Share(
                id=number,
                post_id=number,
                account=rng.choice(names),
                slot="",
                state=ShareState.SCHEDULED,
                wanted=due,
                due=due,
                wake=due,
                key=f"key{number}",
                planned=START,
            )
            self.model.plan(share, Post(url=f"https://blog.example/{number}", extra={"parts": rng.randint(1, 3)}))

    def _draft(self, post: Post, voice: Any) -> Any:
        """Rendered a little different each time: only the frozen words may be sent."""
        self._rendered += 1
        parts = int(str(post.extra["parts"])) if voice.threads else 1
        texts = tuple(f"{post.url} {number} ({self._rendered})" for number in range(parts))
        return SimpleNamespace(message=Message(parts=texts, link=post.url))

    def run(self) -> list[str]:
        """What is wrong with this world once it has come to rest; nothing, one hopes."""
        with inside(self):
            for _ in range(self.rng.randint(1, 4)):
                self.rebirth()
            if not self.calm:
                for _ in range(self.rng.randint(0, 6)):
                    self.clock.at(self.rng.random() * self.trouble_ends, self.person.act)
                for _ in range(self.rng.choice((0, 0, 2, 5))):
                    self.clock.at(self.rng.random() * self.trouble_ends, self.person.regret)
            for later in (0.001, 300.0):  # again, for what was under way the first time
                self.clock.at(self.trouble_ends + later, self.person.mend)
            self.clock.at(0.0, self.nudge)
            try:
                self.clock.run()
            except Endless as error:
                return [f"I2 no loss: {error}", *judge(self)]
        return judge(self)

    def moment(self, seconds: float) -> datetime:
        """That time as people write it."""
        return START + timedelta(seconds=seconds)

    def seconds(self, moment: datetime) -> float:
        """The other way round."""
        return (moment - START).total_seconds()

    def chance(self, rate: float) -> bool:
        """Whether it happens; nothing bad does once the trouble is over."""
        return rate > 0 and self.clock.time < self.trouble_ends and self.rng.random() < rate

    def skew(self) -> float:
        """By how much a machine's clock is wrong."""
        return self.clocks_differ * (self.rng.random() - 0.5)

    def fault(self, which: tuple[str, ...]) -> str:
        """What goes wrong with a request, or ""."""
        return self.rng.choice(which) if self.chance(self.faulty) else ""

    def store_away(self) -> bool:
        """Whether the database cannot be reached now."""
        return self._away[0] <= self.clock.time < self._away[1]

    def step(self, point: str, share_id: int, *, longest: float = 120.0) -> None:
        """A worker has come to this point; it may die here, or be stopped for a while."""
        worker = self.clock.owner()
        if not isinstance(worker, Worker) or self.clock.time >= self.trouble_ends:
            return
        if self.chance(self.dies) or (share_id in self.poison and point == "send: before connecting"):
            self.tell(f"   {worker.name} DIES at {point} ({share_id})")
            worker.die()
        if self.chance(self.sleeps):
            worker.stopped_until = self.clock.time + longest * self.rng.random()
            self.tell(f"   {worker.name} stops at {point} ({share_id}) until {worker.stopped_until:.2f}")
            self.clock.sleep(0)

    def rebirth(self) -> None:
        """A worker comes up."""
        worker = Worker(self, f"worker{len(self.workers) + 1}", self._accounts())
        self.workers.append(worker)

    def hand(self, ids: list[int]) -> None:
        """Through the broker, which loses, delays and repeats messages."""
        living = [worker for worker in self.workers if worker.alive]
        if not living or self.chance(self.loses):
            return
        for _ in range(2 if self.chance(self.repeats) else 1):
            worker, delay = self.rng.choice(living), 0.01 + (8 * self.rng.random() if self.chance(self.repeats) else 0)
            self.clock.at(self.clock.time + delay, partial(worker.deliver, ids))

    def nudge(self) -> None:
        """Something changed: who waits for it learns when to wake."""
        wake, lease = self.model.coming()
        if wake is not None:
            seconds = self.seconds(wake)
            for one in self.dispatchers:
                one.nudge(seconds)
        if lease is not None:
            self.sweeper.nudge(self.seconds(lease))

    def note_request(self, delivery: Delivery, part: Part) -> None:
        """A request leaves: what it says, and whether the journal knew before."""
        generation = self.generations[delivery.serial]
        said = self.requests.setdefault((delivery.serial, part.number), set())
        said.add((part.text, part.key, generation))
        intents = self.model.intents.values()
        if not any(one.share_id == delivery.serial and one.kind == "send" for one in intents):
            self.undeclared.append(delivery.serial)

    def tell(self, words: str) -> None:
        """For those who replay this world."""
        if self.story is not None:
            self.story.append(f"{self.clock.time:12.3f} {words}")


BY_NAME = {kind.name: kind for kind in KINDS}


def main(seed: int) -> int:
    """Tell the story of one world; 1 if something is wrong with it."""
    world = World(seed, aloud=True)
    wrong = world.run()
    say = sys.stdout.write
    say("".join(f"{line}\n" for line in world.story or ()))
    for row in world.model.rows.values():
        held = [one.remote_id for one in world.servers[row.account].of(row.id)]
        say(f"share {row.id} on {row.account}: {row.state} {row.reason!r}, the network holds {held}\n")
    say("".join(f"{line}\n" for line in wrong or ["all is well"]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
