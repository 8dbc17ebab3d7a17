"""Wherever a process dies, the next one makes it good: nothing twice, nothing lost, nothing false."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from chaos.failing import live
from chaos.forks import FORKS
from chaos.ledger import CLASSES, Ledger
from reverberate.failpoints import POINTS
from reverberate.model import ShareState
from reverberate.store import Store, journal, shares

if TYPE_CHECKING:
    from pathlib import Path

AFTER_A_CRASH = ("sweep:", "look:")
NEVER = {"blind": ("step:", "look:"), "identity": ("look:",)}
"""What a class does not come to: it has no steps, it cannot look, or it need not."""
EACH_PART = [point for point in POINTS if point.startswith(("send:", "step:")) and point != "send: understood"]
LATER = [f"{point}:#{times}" for point in EACH_PART for times in (2, 3)]
"""In the second and third part of a thread."""


def life(folder: Path, ledger: Ledger, kind: str, point: str, *, seconds: float = 15) -> int:
    """How one process ended."""
    process = FORKS.Process(target=live, args=(str(folder), ledger.url, kind, point, seconds))
    process.start()
    process.join(seconds + 10)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        (kind, point)
        for kind in CLASSES
        for point in (*POINTS, *(LATER if kind != "blind" else ()))
        if not point.startswith(NEVER.get(kind, ("nothing",)))
    ],
)
def test_a_process_that_dies_there_leaves_nothing_twice_lost_or_false(
    tmp_path: Path, empty: Path, kind: str, point: str
) -> None:
    shutil.copyfile(empty, tmp_path / "r.db")
    with Ledger() as ledger:
        if point.startswith(AFTER_A_CRASH):
            assert life(tmp_path, ledger, kind, "send: answer read") == -signal.SIGKILL
        assert life(tmp_path, ledger, kind, point) == -signal.SIGKILL, "the point was never reached"
        assert life(tmp_path, ledger, kind, "") == 0
        judge(tmp_path, ledger, kind)


def judge(folder: Path, ledger: Ledger, kind: str) -> None:
    """The ledger against the database."""
    store = Store(f"sqlite:///{folder}/r.db")
    with store.read() as tx:
        (share,) = shares.find(tx)
        story = [(attempt.kind, attempt.outcome) for attempt in journal.attempts_of(tx, share.id)]
        message = shares.message(tx, share.id)
    store.close()
    assert message is not None
    posted = [ledger.counts[kind, part] for part in message.parts]
    assert max(posted) <= 1, f"posted twice: {story}"
    if share.state is ShareState.SENT:
        assert posted == [1] * len(message.parts), f"sent is false: {story}"
    else:
        assert (kind, share.state) == ("blind", ShareState.UNSURE), f"{share.state}: {share.reason} {story}"
