"""Time that is made: code written for threads runs one piece after the other, in an order that only chance decides.

Each task lives on a thread of its own, and exactly one of them runs at any moment. A task that sleeps drives what
comes next itself; it stops only where that is another task's turn.
"""

from __future__ import annotations

import threading
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Killed(BaseException):
    """The process that this task belongs to is dead; nothing of it may happen any more."""


class Endless(AssertionError):
    """The world does not come to rest."""


class Owner:
    """What a task belongs to: a process that may die, or be stopped for a while."""

    alive = True
    stopped_until = 0.0


class Task:
    """Something under way."""

    __slots__ = ("begun", "function", "gate", "owner")

    def __init__(self, owner: Owner, function: Callable[[], None]) -> None:
        self.owner, self.function, self.begun = owner, function, False
        self.gate: threading.Lock | None = None


class _Thread:
    """A thread that serves task after task, of world after world."""

    spare: list[_Thread] = []

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.job: tuple[Clock, Task] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self.gate.acquire()
            if self.job is not None:
                clock, task = self.job
                self.job = None
                clock.serve(self, task)


class Clock:
    """The time of one world, and what is to happen."""

    def __init__(self, *, most: int, jitter: Callable[[], float] = lambda: 0.0) -> None:
        self.time, self._jitter = 0.0, jitter
        self._heap: list[tuple[float, int, Any]] = []
        self._serial, self._left = 0, most
        self._main = Task(Owner(), lambda: None)
        self._main.gate = threading.Lock()
        self._main.gate.acquire()
        self._current: Task | None = self._main
        self._live: dict[Task, None] = {}
        self._error: BaseException | None = None

    def at(self, when: float, what: Callable[[], None] | Task) -> None:
        """Let something happen at a time; it must not sleep."""
        self._serial += 1
        heappush(self._heap, (max(when, self.time), self._serial, what))

    def spawn(self, owner: Owner, function: Callable[[], None], *, delay: float = 0.0) -> None:
        """Begin a task, which may sleep."""
        task = Task(owner, function)
        self._live[task] = None
        self.at(self.time + delay, task)

    def owner(self) -> Owner | None:
        """Whose task is running; None between tasks."""
        return self._current.owner if self._current else None

    def sleep(self, seconds: float) -> None:
        """Let the time pass for the task that calls.

        Raises:
            Killed: its process died meanwhile.
        """
        me = self._current
        assert me is not None, "only tasks sleep"
        self.at(self.time + seconds, me)
        self._drive(me)
        if not me.owner.alive:
            raise Killed

    def run(self) -> None:
        """Until nothing is left to happen.

        Raises:
            Endless: that is too much.
        """
        self._drive(self._main)
        while self._live and not self._error:
            for task in self._live:
                task.owner.alive = False
                self.at(self.time, task)
            self._drive(self._main)
        if self._error:
            raise self._error

    def _next(self) -> Any:
        """What is next; what belongs to a stopped process waits until it goes on."""
        while self._heap:
            self._left -= 1
            if self._left < 0:
                self._fail(Endless("it does not come to rest"))
                continue
            when, _, what = heappop(self._heap)
            self.time = when
            if type(what) is not Task:
                return what
            if what in self._live and (when >= what.owner.stopped_until or not what.owner.alive):
                return what
            if what in self._live:
                self.at(what.owner.stopped_until + self._jitter() / 100, what)  # whichever of its threads is first
        return self._main

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._left = 1_000_000
        self._heap = [(self.time, number, task) for number, task in enumerate(self._live)]
        for task in self._live:
            task.owner.alive = False

    def _drive(self, me: Task) -> None:
        """Do what comes next until it is this task's turn again."""
        while (what := self._next()) is not me:
            if type(what) is Task:
                self._enter(what)
                assert me.gate is not None
                me.gate.acquire()
                break
            self._do(what)
        self._current = me

    def _do(self, what: Callable[[], None]) -> None:
        self._current = None
        try:
            what()
        except BaseException as error:  # noqa: BLE001 - it belongs to the world's caller, on another thread
            self._fail(error)

    def _enter(self, task: Task) -> None:
        if task.gate is not None:
            task.gate.release()
            return
        thread = _Thread.spare.pop() if _Thread.spare else _Thread()
        thread.job = (self, task)
        thread.gate.release()

    def serve(self, thread: _Thread, task: Task) -> None:
        """Run this task on this thread, then whatever else can begin on it."""
        while True:
            task.gate = thread.gate
            self._run(task)
            what = self._next()
            while type(what) is not Task:
                self._do(what)
                what = self._next()
            if what.gate is not None:
                _Thread.spare.append(thread)
                what.gate.release()
                return
            task = what

    def _run(self, task: Task) -> None:
        self._current = task
        try:
            if task.owner.alive:
                task.function()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - as above
            self._fail(error)
        self._live.pop(task, None)
