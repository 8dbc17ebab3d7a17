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

_wanted, _, _times = os.environ.get("REVERBERATE_FAILPOINT", "").partition(":#")
_left = int(_times or 1)
_lock = threading.Lock()


def reach(point: str) -> None:
    """The program has come to this point; it dies here if it was told to."""
    if point == _wanted:
        _count()


def _count() -> None:
    global _left  # noqa: PLW0603 - one process, one count
    with _lock:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
