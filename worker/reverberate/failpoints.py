"""Places at which the program can be told to die, so that tests can prove what survives.

Off unless the environment variable ``REVERBERATE_FAILPOINT`` names one: ``NAME`` dies the first time it is reached,
``NAME:#3`` the third time. Dying is SIGKILL to ourselves: nothing is cleaned up, as when the power goes.
"""

from __future__ import annotations

import os
import signal
import threading

POINTS = (
    "plan: before commit",
    "plan: after commit",
    "dispatch: taken, not handed over",
    "dispatch: handed over",
    "deliver: loaded",
    "claim: before commit",
    "claim: after commit",
    "send: before connecting",
    "send: request written",
    "send: answer read",
    "send: understood",
    "step: before commit",
    "step: after commit",
    "look: found",
    "settle: before commit",
    "settle: after commit",
    "sweep: before commit",
    "sweep: after commit",
)
"""Every place, in the order in which a share passes them."""
CHORE_POINTS = (
    "ask: before commit",
    "ask: after commit",
    "take: before commit",
    "take: after commit",
    "done: before commit",
    "done: after commit",
)
"""The places that only a chore passes (an edit, or a deletion, of what is out), in order; the others it shares."""
NOTICE_POINTS = ("notices: before commit", "notices: after commit", "notices: claimed", "notices: sent")
"""The places that a notice passes."""


class _Doom:
    """Where this process dies, and how often it gets past that point before."""

    def __init__(self, wanted: str) -> None:
        self.point, _, times = wanted.partition(":#")
        self._left, self._lock = int(times or 1), threading.Lock()

    def come(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


_doom = _Doom(os.environ.get("REVERBERATE_FAILPOINT", ""))


def reach(point: str) -> None:
    """The program has come to this point; it dies here if it was told to."""
    if point == _doom.point:
        _doom.come()


def doom(wanted: str) -> None:
    """Let this process die there, as the environment variable does."""
    global _doom  # noqa: PLW0603 - one process, one end
    _doom = _Doom(wanted)
