"""Work on what strangers wrote, in a child process that may be killed.

A hostile feed or template can keep a parser busy for ever or make it eat all memory, and a thread cannot be killed.
So such work is a *job*: a function of this package that takes and returns plain JSON values, named as
``"reverberate.text.plain:plain"`` and run in one of two long-lived children. A child has a limit of time (it is killed
and replaced), a limit of memory above what it needs itself (where the system can say how much that is: on Linux; macOS
ignores such limits, there only the time limit holds), no environment variables but the harmless ones, no open files of
the parent, no right to write a file, and its own session, so that Ctrl-C in a terminal does not reach it.
"""

from __future__ import annotations

import atexit
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

from reverberate.baton import lent, waiting_for
from reverberate.jail import frame, receive

if TYPE_CHECKING:
    from reverberate.model import JSON

CHILDREN: Final = 2
START_SECONDS: Final = 30.0
"""A child's start and its first import of a job's module do not count against the job, but end here."""
JOBS_PER_CHILD: Final = 1000
"""Then it is replaced, so that what libraries hoard is given back."""
HARMLESS: Final = re.compile(r"PATH|LANG|LC_\w+|TZ|LD_LIBRARY_PATH|PYTHONHOME|PYTHONUTF8")
"""The environment variables that a child is given: none that may hold a secret."""


class Overrun(Exception):
    """The job has no end: it took too long, needed too much memory, crashed its process or got none.

    The text says which.
    """


class JobError(Exception):
    """The job raised an exception of its own: ``kind`` is its class name, ``words`` its text."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}" if words else kind)
        self.kind = kind
        self.words = words


def run(job: str, arguments: JSON, *, seconds: float = 2.0, megabytes: int = 256) -> JSON:
    """The job's result. May be called from any thread; waits while both children are busy.

    Args:
        job: ``"package.module:function"`` within this package.
        arguments: the function's one argument.
        seconds: how long it may take, from when a child begins with it.
        megabytes: how much memory it may use, above what the child uses without it.

    Raises:
        Overrun: it was ended.
        JobError: it raised.
        ValueError: no such job may be named.
    """
    return _pool.run(job, arguments, seconds=seconds, megabytes=megabytes)


class Pool:
    """Up to ``size`` children, started when needed."""

    def __init__(self, *, size: int = CHILDREN, package: str = "reverberate") -> None:
        self._size = size
        self._name = re.compile(rf"({re.escape(package)}(?:\.\w+)*):\w+")
        self._all: set[_Child] = set()
        self._idle: list[_Child] = []
        self.forget()

    def run(self, job: str, arguments: JSON, *, seconds: float, megabytes: int) -> JSON:
        """As the module's ``run``."""
        named = self._name.fullmatch(job)
        if not named:
            raise ValueError(f"{job!r} is not the name of a job")
        with waiting_for(self._places):
            child = self._borrow()
            try:
                with lent():
                    reply = child.do(named[1], job, arguments, seconds=seconds, megabytes=megabytes)
            except BaseException:
                self._drop(child)
                raise
            self._give_back(child)
        return _opened(reply)

    def close(self) -> None:
        """End all children."""
        with self._lock:
            children, self._all, self._idle = list(self._all), set(), []
        for child in children:
            child.end()

    def forget(self) -> None:
        """Begin anew without touching the processes: after a fork they are the parent's, not ours."""
        for child in self._all:
            child.forget()
        self._all, self._idle = set(), []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self._size)

    def _borrow(self) -> _Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.lives():
                    return child
                self._all.discard(child)
                child.end()
            try:
                child = _Child()
            except OSError as error:
                raise Overrun(f"no process could be started for it: {error.strerror}") from error
            self._all.add(child)
            return child

    def _give_back(self, child: _Child) -> None:
        if child.jobs >= JOBS_PER_CHILD:
            self._drop(child)
            return
        with self._lock:
            self._idle.append(child)

    def _drop(self, child: _Child) -> None:
        with self._lock:
            self._all.discard(child)
        child.end()


class _Child:
    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with ExitStack() as undo, theirs:
            undo.callback(self._socket.close)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", "reverberate.jail"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
            undo.pop_all()
        self._modules: set[str] = set()
        self.jobs = 0

    def do(self, module: str, job: str, arguments: JSON, *, seconds: float, megabytes: int) -> Any:
        if module not in self._modules:
            answer = self._ask({"module": module}, seconds=START_SECONDS, megabytes=megabytes)
            if "error" in answer:
                return answer
            self._modules.add(module)
        self.jobs += 1
        request = {"job": job, "arguments": arguments, "megabytes": megabytes, "seconds": seconds}
        return self._ask(request, seconds=seconds, megabytes=megabytes)

    def _ask(self, request: JSON, *, seconds: float, megabytes: int) -> Any:
        until = time.monotonic() + seconds
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(frame(request))
            reply = receive(self._socket, most=megabytes << 20, until=until)
        except TimeoutError:
            raise Overrun(f"it took longer than {seconds:g} s") from None
        except (EOFError, OSError):
            raise Overrun(f"its process died{self._last_words()}") from None
        if reply is None or "overrun" in reply:
            raise Overrun(f"it needed more than {megabytes} MB")
        return reply

    def _last_words(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return ""
        return f" ({signal.Signals(-code).name})" if code < 0 else f" (status {code})"

    def lives(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        with suppress(ProcessLookupError):  # it may end by itself in between
            if self.lives():
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()

    def forget(self) -> None:
        self._socket.close()
        self._process.returncode = 0  # a forked process cannot wait for its sibling


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if HARMLESS.fullmatch(name)}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _opened(reply: dict[str, Any]) -> JSON:
    if "error" in reply:
        raise JobError(*reply["error"])
    result: JSON = reply["result"]
    return result


_pool = Pool()
atexit.register(_pool.close)
os.register_at_fork(after_in_child=_pool.forget)
