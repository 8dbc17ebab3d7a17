"""Lanes: one an account, served by many threads.

Within a lane one after the other, oldest first; lanes do not wait for each other, so one account's trouble stays in
its lane. A thread waits for networks, and for the database never: what is to be written is handed to the writer, and
the share goes on, in whichever thread is free, when it is durable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Generator
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from reverberate.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reverberate.baton import Baton
    from reverberate.model import Work
    from reverberate.store.writer import Then

log = logging.getLogger(__name__)
ROOM = 1000
"""Shares that wait in memory for their lane, at the most."""
LULL = 100
"""So much room is made before those that wait for it are told."""
Job: TypeAlias = Generator[Any, Any, None]
"""One share's delivery: yields what is to be written, and gets what came of that, or the StoreError, where it yielded."""


class _UnderWay:
    """A share that is being delivered."""

    def __init__(self, lane: _Lane, work: Work, job: Job) -> None:
        self.lane, self.work, self._job = lane, work, job
        self._context = copy_context()  # its own: what is logged and traced of it, in whichever thread
        self.answer: tuple[Any, Exception | None] = (None, None)

    def go_on(self) -> Any:
        """What it wants written next. Raises StopIteration at its end, and what goes wrong."""
        value, error = self.answer
        return self._context.run(self._job.throw, error) if error else self._context.run(self._job.send, value)


@dataclass(slots=True, eq=False)
class _Lane:
    account: str
    works: deque[Work] = field(default_factory=deque)


class Lanes:
    """Runs ``handle`` for each share it is given, never for two of one account at the same time."""

    def __init__(
        self, handle: Callable[[Work], Job], write: Callable[[Any, Then], None], *, baton: Baton, threads: int
    ) -> None:
        self._handle, self._write, self._baton = handle, write, baton
        self._lanes: dict[str, _Lane] = {}
        self._going: deque[_UnderWay] = deque()  # what can go on and has no thread
        self._fresh: deque[_Lane] = deque()  # the lanes that can begin a share
        self._held: set[int] = set()  # shares waiting here or under way
        self._under_way = self._idle = 0
        self._starting = self._closing = False
        lock = threading.RLock()
        self._work = threading.Condition(lock)  # a lane is ready, or we close
        self._less = threading.Condition(lock)  # fewer shares are here, or we close
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
            self._call()

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is here; whether that was reached."""
        with self._less:
            return self._less.wait_for(lambda: not self._held, timeout)

    def close(self, timeout: float) -> None:
        """Finish what is under way, leave the rest."""
        with self._work:
            self._closing = True
            self._fresh.clear()
            self._work.notify_all()
            self._less.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _enqueue(self, work: Work) -> None:
        if work.share.id in self._held or self._closing:
            return
        self._held.add(work.share.id)
        lane = self._lanes.get(work.share.account)
        if lane is None:
            lane = self._lanes[work.share.account] = _Lane(work.share.account)
            self._fresh.append(lane)
        lane.works.append(work)

    def _run(self) -> None:
        with self._baton.held():
            while share := self._next():
                self._advance(share)

    def _next(self) -> _UnderWay | None:
        """What is claimed goes on before anything begins: a crash leaves in doubt what is claimed and was not sent."""
        while True:
            with self._work:
                if self._going or self._fresh:
                    share = self._going.popleft() if self._going else self._begun(self._fresh.popleft())
                    self._call()
                    return share
                if self._ended():
                    return None
            self._rest()

    def _rest(self) -> None:
        """Until there is something to do, and nobody who is at something wants to go on."""
        self._baton.give()
        with self._work:
            if not (self._going or self._fresh or self._ended()):
                self._idle += 1
                self._work.wait()
                self._idle -= 1
        self._baton.take(begins=True)
        with self._work:
            self._starting = False

    def _call(self) -> None:
        """Let a thread come for what is ready, one at a time: each that came calls the next."""
        if (self._going or self._fresh) and self._idle and not self._starting:
            self._starting = True
            self._work.notify()

    def _ended(self) -> bool:
        return self._closing and not self._under_way

    def _begun(self, lane: _Lane) -> _UnderWay:
        self._under_way += 1
        work = lane.works.popleft()
        return _UnderWay(lane, work, self._handle(work))

    def _advance(self, share: _UnderWay) -> None:
        """Go on until there is something to write, or to the end."""
        try:
            wish = share.go_on()
        except StopIteration:
            pass
        except StoreError as error:
            log.warning("share %d: left for later: %s", share.work.share.id, error)
        except Exception:
            log.exception("share %d: left for later", share.work.share.id)
        else:
            self._write(wish, partial(self._answered, share))
            return
        self._end(share)

    def _answered(self, share: _UnderWay, value: Any, error: Exception | None) -> None:
        with self._work:
            share.answer = value, error
            self._going.append(share)
            self._call()

    def _end(self, share: _UnderWay) -> None:
        lane = share.lane
        with self._work:
            self._held.discard(share.work.share.id)
            self._under_way -= 1
            if lane.works and not self._closing:
                self._fresh.append(lane)
            else:
                del self._lanes[lane.account]
            if self._ended():
                self._work.notify_all()
            if not self._held or len(self._held) == ROOM - LULL:
                self._less.notify_all()  # not for each share: who waits for room waits for enough of it
