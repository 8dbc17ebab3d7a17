"""What a dispatch costs among a million scheduled shares, beside a thousand; and all else that is done while nobody looks.

Each thing is done on both stores in turns. A dispatch is a hundred shares handed over, read, claimed and settled.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from large import ACCOUNTS, beside, middle, new_post, pairs, say, timed

from reverberate import plans, preflight, retiming
from reverberate.model import Message, Post, Receipt, ShareState
from reverberate.schedule import Schedule, Slot
from reverberate.service import Service
from reverberate.store import Store, bookings, claims, endings, forget, journal, marks
from reverberate.store.claims import Claim
from reverberate.store.endings import Ending
from reverberate.store.tables import attempts, events, messages, shares
from support.bulk import SCHEDULED
from support.plugins import SOURCES
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.store import Transaction

TURNS = int(os.environ.get("BENCH_TURNS", "120"))
MOST = {"SQLite": 1.15, "PostgreSQL": 1.5}
"""How many times what it costs among a thousand a dispatch may cost among a million."""
HUNDRED = 100
THERE = Receipt(remote_id="1", permalink="https://there.example/1")


def main() -> int:
    """Measure and print; 1 where a dispatch costs too much."""
    dear = []
    with pairs(states=SCHEDULED) as databases:
        for name, *addresses in databases:
            little, many = (Store(address) for address in addresses)
            if dispatches(name, little, many) > MOST[name]:
                dear.append(name)
            say(f"{name}: milliseconds among a million: median, p95 | among a thousand: median, p95")
            for what, make in THINGS.items():
                beside(what, make(little), make(many))
            little.close()
            many.close()
    for name in dear:
        say(f"a dispatch costs more than {MOST[name]} times as much: {name}")
    return 1 if dear else 0


def dispatches(name: str, little: Store, many: Store) -> float:
    """How many times what it costs among a thousand a dispatch costs among a million.

    Each turn is a pair, a moment apart, for a machine is seldom the same for long; the median of the pairs counts.
    """
    took: dict[Store, list[list[float]]] = {little: [], many: []}
    for turn in range(TURNS + 2):
        for store in (little, many) if turn % 2 else (many, little):
            took[store].append(Dispatch(store, turn).run())
    few, lots = took[little][2:], took[many][2:]
    for place, what in enumerate(("handed over", "read", "claimed", "settled")):
        beside_ = (middle([parts[place] for parts in runs]) for runs in (few, lots))
        say("{}: a hundred {}: {:.1f} ms, among a million {:.1f} ms".format(name, what, *beside_))
    ratios = sorted(sum(more) / sum(less) for less, more in zip(few, lots, strict=True))
    low, ratio, high = (ratios[len(ratios) * part // 4] for part in (1, 2, 3))
    say(
        f"{name}: a dispatch: {middle(list(map(sum, few))):.1f} ms, among a million {middle(list(map(sum, lots))):.1f} ms"
    )
    say(f"{name}: {ratio:.2f} times (half of the pairs: {low:.2f} to {high:.2f}); at most {MOST[name]}")
    return ratio


class Dispatch:
    """A hundred shares that were planned together, and come due."""

    def __init__(self, store: Store, turn: int) -> None:
        self.store, self.now = store, datetime.now(UTC)
        with store.write() as tx:
            total = tx.exec_driver_sql("SELECT max(id) FROM shares").scalar_one()
            first = 1 + (turn * 7919 * HUNDRED) % (total - HUNDRED)
            self.ids = list(range(first, first + HUNDRED))
            self.mine = shares.c.id.in_(self.ids)
            self.before = {row.id: row.due for row in tx.execute(shares.select().where(self.mine))}
            tx.execute(shares.update().where(self.mine).values(due=self.now, wake=self.now, wanted=self.now))

    def run(self) -> list[float]:
        """Deliver them, without a network; the seconds that each part takes. Afterwards all is as it was."""
        times = [timed(self.hand_over), timed(self.read), timed(self.claim), timed(self.settle)]
        with self.store.write() as tx:
            for table in (attempts, messages, events):
                tx.execute(table.delete().where(table.c.share_id.in_(self.ids)))
            fresh = {
                "state": ShareState.SCHEDULED,
                "tries": 0,
                "fence": 0,
                "sent": None,
                "ask": None,
                "remote_id": None,
            }
            tx.execute(shares.update().where(self.mine).values(fresh))
            for number, due in self.before.items():
                tx.execute(shares.update().where(shares.c.id == number).values(due=due, wake=due, wanted=due))
        return times

    def hand_over(self) -> None:
        with self.store.read() as tx:
            claims.next_wake(tx)
        with self.store.write() as tx:
            assert sorted(claims.take_due(tx, now=self.now, limit=HUNDRED)) == self.ids

    def read(self) -> None:
        with self.store.read() as tx:
            self.works = claims.work(tx, self.ids)

    def claim(self) -> None:
        wishes = [
            Claim(share_id=work.share.id, kind="send", state=work.share.state, message=words(work.post), fence=0)
            for work in self.works
        ]
        with self.store.write() as tx:
            self.won = claims.claim(tx, wishes, owner="bench", lease=self.now + timedelta(minutes=5), now=self.now)

    def settle(self) -> None:
        came = {"now": self.now, "state": ShareState.SENT, "outcome": "receipt", "receipt": THERE}
        with self.store.write() as tx:
            done = endings.settle(tx, [Ending(share_id=n, fence=fence, **came) for n, (fence, _) in self.won.items()])
        assert sorted(done) == self.ids


def words(post: Post) -> Message:
    """What is sent of it."""
    return Message(parts=(f"{post.title}\n\n{post.summary}",), link=post.url)


def service(store: Store, schedule: Schedule | None = None) -> Service:
    """A service with ten accounts on that store."""
    config = make_config([f"a{number}" for number in range(ACCOUNTS)], schedule=schedule or Schedule())
    return Service(config, store, make_accounts(config), sources=SOURCES)


def publishing(schedule: Schedule | None = None) -> Callable[[Store], Callable[[], object]]:
    """Publishes a new post each time."""

    def make(store: Store) -> Callable[[], object]:
        one = service(store, schedule)
        return lambda: one.publish(new_post())

    return make


def reading(do: Callable[[Transaction], object]) -> Callable[[Store], Callable[[], object]]:
    """Reads in a transaction of its own."""

    def make(store: Store) -> Callable[[], object]:
        def run() -> object:
            with store.read() as tx:
                return do(tx)

        return run

    return make


def retiming_anew(store: Store) -> Callable[[], object]:
    """A dispatcher's start after a zone's rules were changed."""
    zone = service(store).config.zone

    def run() -> int:
        now = datetime.now(UTC)
        with store.write() as tx:
            marks.put(tx, f"zone {zone.key}", at=now, words="the rules of before")
        return retiming.retime(store, zone, now=now)

    return run


def resting(store: Store) -> Callable[[], object]:
    """A network wants an account to wait for a quarter of an hour."""

    def run() -> None:
        now = datetime.now(UTC)
        with store.write() as tx:
            journal.rest(tx, "a3", until=now + timedelta(minutes=15), now=now, why="429")

    return run


def pausing(store: Store) -> Callable[[], object]:
    """An account's owner is needed, and comes: all that waits there is put away and fetched again."""
    desk = service(store).desk()

    def run() -> None:
        desk.pause("a3")
        desk.resume("a3")

    return run


AGO = datetime.now(UTC) - timedelta(days=365)
HOUR = {"since": AGO, "until": AGO + timedelta(hours=1)}
TWICE_A_DAY = Schedule(slots=tuple(Slot.parse("09:00, 17:30")))
EVERY_HOUR = Schedule(
    min_gap=timedelta(hours=1)
)  # the queue holds a share every ten minutes: nothing is free before its end
THINGS: dict[str, Callable[[Store], Callable[[], object]]] = {
    "planning a post on ten accounts": publishing(),
    "planning a post on ten accounts with slots": publishing(TWICE_A_DAY),
    "planning a post on ten accounts whose queues are full": publishing(EVERY_HOUR),
    "ten coming slots": lambda store: (
        lambda: plans.coming(service(store, TWICE_A_DAY), "a3", since=datetime.now(UTC), number=10)
    ),
    "the next twenty shares in their words": lambda store: lambda: plans.upcoming(service(store), limit=20),
    "pre-flight: whom to ask": lambda store: lambda: preflight.look(service(store), now=lambda: AGO),
    "start: zones as before": lambda store: (
        lambda: retiming.retime(store, service(store).config.zone, now=datetime.now(UTC))
    ),
    "start: a zone's rules have changed": retiming_anew,
    "evergreen: what was sent in an hour": reading(lambda tx: bookings.originals(tx, "a3", **HOUR)),
    "retention: old attempts": reading(lambda tx: forget.attempts_after(tx, 0, before=AGO, limit=200)),
    "retention: old events": reading(lambda tx: forget.old_events(tx, before=AGO, limit=200)),
    "retention: old pictures": reading(lambda tx: forget.old_pictures(tx, before=AGO)),
    "an account rests": resting,
    "an account pauses and goes on": pausing,
}


if __name__ == "__main__":
    sys.exit(main())
