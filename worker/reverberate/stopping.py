"""Stopping in time: within the ten seconds that Ctrl-C promises, whatever hangs.

All parts of a process are told at once, waited for until one deadline that they share, and then left behind: what they
do is conditional and can be done again, as after a crash. A process whose main thread hangs even so leaves by force.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
STOP_SECONDS = 7.5
"""How long all parts of a process together may take to stop."""
LEAVE_SECONDS = 8.0
"""When a process leaves by force."""
FAMILY_SECONDS = 9.0
"""When one leaves that has children, which had their time before."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """The stop of one process; it begins once, whoever is the first to want it.

    Attributes:
        begun: set from then on.
        lasts: called before the process leaves by force; they must not wait.
    """

    def __init__(self, seconds: float = STOP_SECONDS) -> None:
        self.begun, self.lasts = threading.Event(), list[Callable[[], object]]()
        self._seconds, self._until = seconds, 0.0
        self._tells: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Tell all parts to stop. From any thread, and as often as one likes."""
        with self._lock:
            if self.begun.is_set():
                return
            self._until = time.monotonic() + self._seconds
            self.begun.set()
            tells = list(self._tells)
        for tell in tells:
            tell()

    def tell(self, part: Callable[[], None]) -> None:
        """Have that called when it begins, or now if it has begun; it must neither wait nor fail."""
        with self._lock:
            self._tells.append(part)
            begun = self.begun.is_set()
        if begun:
            part()

    @property
    def left(self) -> float:
        """Seconds until the deadline, once it has begun."""
        return max(self._until - time.monotonic(), 0.0)

    @contextmanager
    def awaits(self, *threads: threading.Thread) -> Iterator[None]:
        """At the end of the block all parts are told, and these threads are waited for, until the deadline."""
        try:
            yield
        finally:
            self.begin()
            for thread in threads:
                thread.join(self.left)

    def heed_signals(self, *, leave: float = LEAVE_SECONDS) -> None:
        """Begin at SIGTERM or SIGINT; so many seconds later the process is gone, whatever hangs. In the main thread.

        A thread of its own hears the signals: it hears them while the main thread hangs in a library, and may take
        locks, which a signal's handler may not.
        """
        ear, voice = os.pipe()
        os.set_blocking(voice, False)
        signal.set_wakeup_fd(voice, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)  # Python passes on only those that have a handler
        threading.Thread(target=self._listen, args=(ear, leave), name="stop", daemon=True).start()

    def _listen(self, ear: int, leave: float) -> None:
        while not set(os.read(ear, 64)).intersection(SIGNALS):
            pass
        end = time.monotonic() + leave
        self.begin()
        time.sleep(max(end - time.monotonic(), 0.0))
        for last in self.lasts:
            last()
        _say(f"not all has ended {leave:g} s after it was told to; leaving it so, as after a crash")
        os._exit(1)


def _say(words: str) -> None:
    """Log it, if that is possible at all: who reads the log may be what hangs."""
    saying = threading.Thread(target=log.warning, args=(words,), daemon=True)
    saying.start()
    saying.join(0.2)
