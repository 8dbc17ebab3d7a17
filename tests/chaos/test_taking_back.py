"""Wherever a process dies while it rewords or takes back a post, the next one makes it good: once, and with the last words."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from chaos.forks import FORKS
from chaos.ledger import CLASSES, Ledger
from chaos.taking_back import known, live, made_accounts
from reverberate.delivery import Courier
from reverberate.failpoints import CHORE_POINTS
from reverberate.model import ShareState
from reverberate.store import Store, events, shares
from reverberate.store.events import Wanted
from support.world import plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED = (
    "dispatch: taken, not handed over",
    "dispatch: handed over",
    "deliver: loaded",
    "send: before connecting",
    "send: request written",
    "sweep: before commit",
    "sweep: after commit",
)
"""Points that a chore passes like a share: with the one or the other, on one class of network."""
WORST = ("take: after commit", "send: answer read")
"""Tried with both, on every class."""
AFTER_A_CRASH = "sweep:"
BOTH, ALL = ("edit", "delete"), tuple(CLASSES)
CASES = [
    *((ALL[number % 3], point, chore) for number, point in enumerate(CHORE_POINTS) for chore in BOTH),
    *((ALL[number % 3], point, BOTH[number % 2]) for number, point in enumerate(SHARED)),
    *((kind, point, chore) for kind in ALL for point in WORST for chore in BOTH),
]
FIRST, LAST = "The first new words", "The last words"


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Ledger]]:
    """For each class of network a database whose one share is sent, and the ledger that holds its post."""
    made = {}
    for kind in CLASSES:
        folder, ledger = tmp_path_factory.mktemp(kind), Ledger()
        with ledger:
            store = Store(f"sqlite:///{folder}/r.db")
            courier = Courier(store, made_accounts(str(folder), ledger.url, kind), senders=1)
            courier.deliver(plan(store, accounts=[kind]))
            assert courier.drain(20)
            courier.close()
            store.close()
        made[kind] = folder, ledger
    return made


@pytest.fixture
def ledger(posted: dict[str, tuple[Path, Ledger]], kind: str, tmp_path: Path) -> Iterator[Ledger]:
    """A network that has the post; the database is in ``tmp_path``."""
    folder, before = posted[kind]
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with Ledger() as made:
        made.posts, made.counts, made.said = dict(before.posts), before.counts.copy(), dict(before.said)
        yield made


def life(folder: Path, ledger: Ledger, asked: tuple[str, str], point: str = "", *, seconds: float = 15) -> int:
    """How one process ended."""
    process = FORKS.Process(target=live, args=(str(folder), ledger.url, asked, point, seconds))
    process.start()
    process.join(seconds + 10)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


@pytest.mark.parametrize(("kind", "point", "chore"), sorted(set(CASES)))
def test_a_process_that_dies_there_leaves_it_to_be_done(
    tmp_path: Path, ledger: Ledger, kind: str, point: str, chore: str
) -> None:
    asked = (chore, FIRST if chore == "edit" else "")
    if point.startswith(AFTER_A_CRASH):
        assert life(tmp_path, ledger, asked, "send: answer read") == -signal.SIGKILL
    assert life(tmp_path, ledger, asked, point) == -signal.SIGKILL, "the point was never reached"
    assert life(tmp_path, ledger, asked) == 0

    judge(tmp_path, ledger, kind, words=asked[1])


@pytest.mark.parametrize(
    ("kind", "then"), [("readable", ("edit", LAST)), ("blind", ("edit", LAST)), ("identity", ("delete", ""))]
)
def test_what_is_asked_for_last_holds(tmp_path: Path, ledger: Ledger, kind: str, then: tuple[str, str]) -> None:
    assert life(tmp_path, ledger, ("edit", FIRST), "send: answer read") == -signal.SIGKILL
    assert life(tmp_path, ledger, then) == 0

    judge(tmp_path, ledger, kind, words=then[1])


def judge(folder: Path, ledger: Ledger, kind: str, *, words: str) -> None:
    """The ledger against the database; no words mean that the post is to be gone."""
    store = Store(f"sqlite:///{folder}/r.db")
    with store.read() as tx:
        (share,) = shares.find(tx)
        message, told = shares.message(tx, share.id), [one.kind for one in events.listed(tx, Wanted(), limit=100)]
    done = known(store)
    store.close()
    (remote_id,) = set(ledger.posts.values())
    assert sum(ledger.counts.values()) == 1, "posted again"
    assert share.lease is None
    assert [one.outcome for one in done if one.outcome not in {"done", "dropped"}] == []
    if words:
        assert ledger.said == {remote_id: words}
        assert (share.state, share.receipt and share.receipt.remote_id) == (ShareState.SENT, remote_id)
        assert message is not None
        assert message.parts == (words,), f"the database says something else than {kind}"
    else:
        assert ledger.said == {}
        assert ledger.changes[remote_id, ""] == 1, "it was not taken back once"
        assert (share.state, share.receipt) == (ShareState.CANCELLED, None)
    assert told.count("share edited" if words else "share deleted") == 1, "told twice, or never"
