"""The worlds' store and the real one do the same, whatever is asked of them, so that the worlds speak of the real one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.model import AccountState, Chore, Message, Post, Receipt, Share, ShareState, Work
from reverberate.schedule import Moment, Pace
from reverberate.store import Store, aftermath, chores, claims, endings, journal, posts, shares
from reverberate.store.aftermath import Aftermath
from reverberate.store.chores import Finish
from reverberate.store.claims import Claim
from reverberate.store.endings import Ending
from reverberate.store.shares import NewShare
from reverberate.store.turns import Allowance
from simulation.rows import NAMES
from simulation.store import Model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 1, 31, 23, 50, tzinfo=UTC)  # a budget's month ends during the story
LEASE = timedelta(seconds=10)
S = ShareState
PACES = {"pace": Pace(timedelta(seconds=30), 2), "second": Pace(timedelta(seconds=5), 1)}
ACCOUNTS = {
    "free": Allowance(account="free"),
    "paced": Allowance(account="paced", paces=PACES),
    "poor": Allowance(account="poor", price=4, budget=20),
}
SETTLE = {"free": timedelta(0), "paced": timedelta(seconds=15), "poor": timedelta(seconds=2)}
TOLD = tuple(name for name in NAMES if name not in {"reason", "post_id"})
"""Reasons are words for people."""


class Both:
    """The same, asked of both; ``compare`` looks for a difference."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.model = store, Model()
        self.rng = random.Random(seed)  # noqa: S311 - the same chances again, not secrets
        self.now, self.ids, self.fences = START, list[int](), dict[int, int]()
        self.keys, self.taken = 0, dict[int, Chore]()

    def compare(self) -> None:
        with self.store.read() as tx:
            real = {share.id: share for share in shares.find(tx, limit=1000)}
            states = journal.account_states(tx)
            wake, works = claims.next_wake(tx), claims.work(tx, self.ids)
            attempts = {one: journal.attempts_of(tx, one) for one in self.ids}
            errands = [one for share_id in self.ids for one in chores.of_share(tx, share_id)]
            steps, frozen = claims.steps_of(tx, self.ids), {one: shares.message(tx, one) for one in self.ids}

        assert set(real) == set(self.model.rows)
        for share_id, share in real.items():
            assert facts(share) == facts(self.model.rows[share_id].share())
            told = [(a.fence, a.kind, a.number, a.started, a.ended, a.outcome) for a in attempts[share_id]]
            noted = (one for (owner, _), one in self.model.intents.items() if owner == share_id)
            assert told == [(i.fence, i.kind, i.number, i.started, i.ended, i.outcome) for i in noted]
        noted = sorted((one.chore() for one in self.model.chores), key=lambda one: (one.share_id, one.id))
        assert sorted(errands, key=lambda one: (one.share_id, one.id)) == noted
        assert wake == self.model.next_wake()
        assert known(works) == known(self.model.work(self.ids))
        assert steps == self.model.steps
        assert {one: message for one, message in frozen.items() if message} == self.model.messages
        for name, standing in self.model.standings.items():
            state = states.get(name) or AccountState(name=name)
            assert (standing.paused, standing.rest_until, standing.failures) == (
                state.paused,
                state.rest_until,
                state.failures,
            )

    def pass_time(self) -> None:
        self.now += timedelta(microseconds=self.rng.randint(0, self.rng.choice((10, 10**6, 2 * 10**7, 6 * 10**8))))

    def plan(self) -> None:
        self.keys += 1
        account, due = self.rng.choice(list(ACCOUNTS)), self.now + timedelta(seconds=self.rng.randint(-5, 30))
        state = self.rng.choice((S.SCHEDULED, S.SCHEDULED, S.SCHEDULED, S.HELD, S.SKIPPED))
        post = Post(url=f"https://blog.example/{self.keys}")
        with self.store.write() as tx:
            post_id = posts.add(tx, post, source="s", now=self.now)
            new = NewShare(post_id=post_id, account=account, due=due, key=f"k{self.keys}", state=state)
            shares.plan(tx, [new], now=self.now)
            (share_id,) = (share.id for share in shares.find(tx, post_id=post_id))
        self.model.plan(
            Share(
                id=share_id,
                post_id=post_id,
                account=account,
                slot="",
                state=state,
                wanted=due,
                due=due,
                wake=None,
                key=f"k{self.keys}",
                planned=self.now,
                changed=self.now,
            ),
            post,
        )
        self.ids.append(share_id)

    def take_due(self) -> None:
        limit = self.rng.choice((1, 3, 100))
        with self.store.write() as tx:
            real = claims.take_due(tx, now=self.now, limit=limit)
        assert real == self.model.take_due(now=self.now, limit=limit)

    def claim(self) -> None:
        wishes = [self.wish(share_id) for share_id in self.rng.sample(self.ids, min(len(self.ids), 3))]
        owner = self.rng.choice("vw")
        with self.store.write() as tx:
            real = claims.claim(tx, wishes, owner=owner, lease=self.now + LEASE, now=self.now)
        assert real == self.model.claim(wishes, owner=owner, lease=self.now + LEASE, now=self.now)
        self.fences |= {share_id: fence for share_id, (fence, _) in real.items()}

    def wish(self, share_id: int) -> Claim:
        row, rng = self.model.rows[share_id], self.rng
        state = row.state if rng.random() < 0.9 else rng.choice((S.SCHEDULED, S.UNSURE))
        if state not in {S.SCHEDULED, S.UNSURE}:
            state = S.SCHEDULED
        return Claim(
            share_id=share_id,
            kind="look" if state is S.UNSURE and rng.random() < 0.7 else "send",
            state=state,
            message=Message(parts=(f"words {rng.random()}",), link="l"),
            allowance=ACCOUNTS[row.account],
            fence=rng.choice((None, row.fence, row.fence, row.fence, self.fences.get(share_id, 0))),
        )

    def renew(self) -> None:
        ids = self.rng.sample(self.ids, min(len(self.ids), 3))
        with self.store.write() as tx:
            real = claims.renew(tx, ids, owner="w", lease=self.now + LEASE)
        assert real == self.model.renew(ids, owner="w", lease=self.now + LEASE)

    def settle(self) -> None:
        known = [share_id for share_id in self.ids if share_id in self.fences]
        came = [self.ending(share_id) for share_id in self.rng.sample(known, min(len(known), 2))]
        if not came:
            return
        after = [self.aftermath(one) for one in came]
        with self.store.write() as tx:
            real = endings.settle(tx, came)
            aftermath.apply(tx, [one for one, ending in zip(after, came, strict=True) if ending.share_id in real])
        assert real == self.model.settle(came)
        for one, ending in sorted(zip(after, came, strict=True), key=lambda pair: not pair[0].took):
            if ending.share_id in real:
                self.model.aftermath(one)

    def ending(self, share_id: int) -> Ending:
        rng = self.rng
        state = rng.choice((S.SENT, S.UNSURE, S.SCHEDULED, S.SCHEDULED, S.REFUSED))
        later = self.now + timedelta(seconds=rng.randint(0, 60))
        return Ending(
            share_id=share_id,
            fence=self.fences[share_id] - (rng.random() < 0.2),
            now=self.now,
            state=state,
            outcome=rng.choice(("receipt", "unsure")),
            due=later if state is S.SCHEDULED or (state is S.UNSURE and rng.random() < 0.5) else None,
            receipt=Receipt(remote_id="r", permalink="https://n.example/r") if state is S.SENT else None,
            counts=state is not S.SCHEDULED or rng.random() < 0.5,
        )

    def aftermath(self, ending: Ending) -> Aftermath:
        rng, account = self.rng, self.model.rows[ending.share_id].account
        rest = self.now + timedelta(seconds=rng.randint(0, 99)) if rng.random() < 0.1 else None
        return Aftermath(
            account=account,
            now=self.now,
            took=ending.receipt is not None,
            broken="" if ending.receipt or rng.random() < 0.4 else "away",
            pause="reconnect" if rng.random() < 0.1 else "",
            rest_until=rest,
            back=4 if account == "poor" and rng.random() < 0.3 else 0,
            same_host=tuple(rng.sample(list(ACCOUNTS), 2)),
        )

    def record(self) -> None:
        share_id, name = self.rng.choice(self.ids), self.rng.choice(("part 1", "part 2"))
        fence, answer = self.fences.get(share_id, 0), {"remote_id": str(self.rng.random())}
        with self.store.write() as tx:
            real = claims.record(tx, share_id, fence, name, answer, now=self.now)
        assert real == self.model.record(share_id, fence, name, answer, now=self.now)

    def sweep(self) -> None:
        with self.store.write() as tx:
            real = endings.sweep(tx, now=self.now, settle=SETTLE.__getitem__)
        assert sorted(real) == self.model.sweep(now=self.now, settle=SETTLE.__getitem__)

    def change(self) -> None:
        share_id, to = self.rng.choice(self.ids), self.rng.choice((S.CANCELLED, S.SCHEDULED, S.SENT, S.UNSURE))
        more: dict[str, Any] = {"doors": self.rng.sample(list(S), 4), "to": to, "now": self.now, "reason": "so"}
        more["when"] = Moment(due=self.now) if to is S.SCHEDULED else None
        more["receipt"] = Receipt(remote_id="seen", permalink="") if to is S.SENT else None
        more["anew"] = to is S.SCHEDULED and self.rng.random() < 0.5
        with self.store.write() as tx:
            real = shares.change(tx, share_id, **more)
            if real and more["anew"]:
                shares.unfreeze(tx, share_id)
        assert real == self.model.change(share_id, **more)
        if real and more["anew"]:
            self.model.unfreeze(share_id)

    def ask(self) -> None:
        share_id, kind = self.rng.choice(self.ids), self.rng.choice(("edit", "delete"))
        of, text = [(share_id, self.model.rows[share_id].account)], f"new words {self.rng.random()}"
        with self.store.write() as tx:
            chores.ask(tx, of, kind, by="hand", now=self.now, text=text)
        self.model.ask(of, kind, by="hand", now=self.now, text=text)

    def claim_chore(self) -> None:
        known = [one.chore() for one in self.model.chores]
        for chore in self.rng.sample(known, min(len(known), 3)):
            row, owner = self.model.rows[chore.share_id], self.rng.choice("vw")
            fence = self.rng.choice((row.fence, row.fence, row.fence, self.fences.get(row.id, 0)))
            told: dict[str, Any] = {"fence": fence, "owner": owner, "lease": self.now + LEASE, "now": self.now}
            with self.store.write() as tx:
                real = chores.claim(tx, chore, **told)
            assert real == self.model.claim_chore(chore, **told)
            if real is not None:
                self.fences[row.id], self.taken[row.id] = real, chore

    def settle_chore(self) -> None:
        if not self.taken:
            return
        share_id, chore = self.rng.choice(list(self.taken.items()))
        came = self.rng.choice(("done", "done", "refused", ""))
        finish = Finish(
            chore=chore,
            fence=self.fences[share_id] - (self.rng.random() < 0.2),
            now=self.now,
            outcome="receipt" if came == "done" else "transient",
            came=came,
            due=None if came else self.now + timedelta(seconds=self.rng.randint(0, 60)),
            counts=self.rng.random() < 0.7,
            message=Message(parts=(chore.text,), link="l") if chore.kind == "edit" else None,
            receipt=Receipt(remote_id="r", permalink="https://n.example/e"),
            key=f"after {self.rng.random()}",
        )
        with self.store.write() as tx:
            real = chores.settle(tx, finish)
        assert real == self.model.settle_chore(finish)

    def end_chore(self) -> None:
        known = [one.chore() for one in self.model.chores]
        if not known:
            return
        chore, outcome = self.rng.choice(known), self.rng.choice(("dropped", "same", "refused"))
        with self.store.write() as tx:
            chores.end(tx, chore, outcome, now=self.now, reason="so")
        self.model.end_chore(chore, outcome, now=self.now, reason="so")

    def resume(self) -> None:
        account = self.rng.choice(list(ACCOUNTS))
        with self.store.write() as tx:
            journal.resume(tx, account, now=self.now)
        self.model.resume(account)


def facts(share: Share) -> dict[str, Any]:
    """All of a share that is no words for people."""
    return {name: getattr(share, name) for name in TOLD}


def known(works: list[Work]) -> list[tuple[Any, ...]]:
    """All that a worker gets to know."""
    return [(facts(one.share), one.post, one.message, one.steps, one.chore) for one in works]


ASKED = (
    *(Both.pass_time, Both.pass_time, Both.take_due, Both.claim, Both.claim, Both.claim, Both.settle, Both.settle),
    *(Both.record, Both.renew, Both.sweep, Both.change, Both.resume, Both.plan),
    *(Both.ask, Both.ask, Both.claim_chore, Both.claim_chore, Both.settle_chore, Both.settle_chore, Both.end_chore),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh real store, not flushed to the disk: what is asked here is only whether it answers alike."""
    store = Store(f"sqlite:///{tmp_path}/r.db")
    with store._engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA synchronous=OFF")  # type: ignore[union-attr]  # it is connected
    yield store
    store.close()


@pytest.mark.parametrize("seed", range(20))
def test_the_model_and_the_real_store_agree(store: Store, seed: int) -> None:
    """After each of some hundred things in an order of chance."""
    both = Both(store, seed)
    for _ in range(4):
        both.plan()
    for _ in range(120):
        both.rng.choice(ASKED)(both)
        both.compare()
