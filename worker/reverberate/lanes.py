"""Lanes: one an account, served by many threads.

Within a lane one after the other, oldest first; lanes do not wait for each other, so one account's trouble stays in
its lane.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from reverberate.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reverberate.model import Work

log = logging.getLogger(__name__)
ROOM = 1000
"""Shares that wait in memory for their lane, at the most."""
LULL = 100
"""So much room is made before those that wait for it are told."""


class Lanes:
    """Calls ``handle`` for each share it is given, never for two of one account at the same time."""

    def __init__(self, handle: Callable[[Work], None], *, threads: int) -> None:
        self._handle = handle
        self._lanes: dict[str, deque[Work]] = {}
        self._ready: deque[str] = deque()  # accounts with work and no thread
        self._held: set[int] = set()  # shares waiting here or being handled
        lock = threading.RLock()
        self._work = threading.Condition(lock)  # a lane is ready, or we close
        self._less = threading.Condition(lock)  # fewer shares are here, or we close
        self._closing = False
        self._threads = [threading.Thread(target=self._run, name=f"sender-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def closing(self) -> bool:
        """Whether ``close`` was called."""
        return self._closing

    def unheld(self, ids: Iterable[int]) -> list[int]:
        """Those of the shares that are not here yet, once there is room; none when closing."""
        with self._less:
            self._less.wait_for(lambda: self._closing or len(self._held) < ROOM)
            return [] if self._closing else [share_id for share_id in ids if share_id not in self._held]

    def room(self) -> int:
        """How many more shares may be given without waiting."""
        with self._less:
            return 0 if self._closing else ROOM - len(self._held)

    def add(self, works: Iterable[Work]) -> None:
        """Queue these in their lanes; one that is here already stays where it is."""
        with self._work:
            for work in works:
                self._enqueue(work)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is here; whether that was reached."""
        with self._less:
            return self._less.wait_for(lambda: not self._held, timeout)

    def close(self, timeout: float) -> None:
        """Finish what is being handled, leave the rest."""
        with self._work:
            self._closing = True
            self._ready.clear()
            self._work.notify_all()
            self._less.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _enqueue(self, work: Work) -> None:
        if work.share.id in self._held:
            return
        self._held.add(work.share.id)
        lane = self._lanes.get(work.share.account)
        if lane is None:
            self._lanes[work.share.account] = deque([work])
            self._ready.append(work.share.account)
            self._work.notify()  # one thread is enough for it
        else:
            lane.append(work)

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            account, work = taken
            try:
                self._handle(work)
            except StoreError as error:
                log.warning("share %d: left for later: %s", work.share.id, error)
            except Exception:
                log.exception("share %d: left for later", work.share.id)
            self._return(account, work)

    def _take(self) -> tuple[str, Work] | None:
        with self._work:
            self._work.wait_for(lambda: self._closing or self._ready)
            if self._closing:
                return None
            account = self._ready.popleft()
            return account, self._lanes[account].popleft()

    def _return(self, account: str, work: Work) -> None:
        with self._work:
            self._held.discard(work.share.id)
            if self._lanes[account]:
                self._ready.append(account)  # nobody need be woken: this thread takes a lane next
            else:
                del self._lanes[account]
            if not self._held or len(self._held) == ROOM - LULL:
                self._less.notify_all()  # not for each share: who waits for room waits for enough of it
