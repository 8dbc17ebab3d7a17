"""The service's processes: forked, killed without warning, put to sleep, and replaced."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from chaos.forks import FORKS
from chaos.lives import live

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerProcess

    from chaos.lives import Home

STOP_SECONDS = 15


class Fleet:
    """So many workers and dispatchers at any time, and publishers that are tried until they come through."""

    def __init__(self, home: Home, *, workers: int, dispatchers: int) -> None:
        self.home, self.wanted = home, {"worker": workers, "dispatcher": dispatchers}
        self.kills: Counter[str] = Counter()
        self.sleeps = 0
        self.fell: list[tuple[str, int | None]] = []
        """Those that ended without being told to: a fault of the service."""
        self._members: dict[ForkServerProcess, str] = {}
        self._asleep: set[ForkServerProcess] = set()
        self._publishing: dict[int, ForkServerProcess | None] = {}

    def __enter__(self) -> Self:
        self.tend()
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._members, *filter(None, self._publishing.values())]:
            process.kill()
            process.join()

    def tend(self) -> None:
        """Replace what is gone, and begin again what was published in vain."""
        for process, role in list(self._members.items()):
            if not process.is_alive():
                self.fell.append((role, process.exitcode))
                self._forget(process)
        for role, number in self.wanted.items():
            for _ in range(number - list(self._members.values()).count(role)):
                self._members[self._fork(role)] = role
        for number, publisher in list(self._publishing.items()):
            self._push(number, publisher)

    def publish(self, number: int) -> None:
        """Begin to publish a post."""
        self._publishing[number] = self._fork("publisher", number)

    @property
    def publishing(self) -> bool:
        """Whether a post has not come through yet."""
        return bool(self._publishing)

    def kill(self, chance: random.Random) -> None:
        """Kill -9 one member, whatever it does, and put another in its place."""
        process, role = chance.choice([pair for pair in self._members.items() if pair[0] not in self._asleep])
        process.kill()
        process.join()
        if process.exitcode != -signal.SIGKILL:
            self.fell.append((role, process.exitcode))
        else:
            self.kills[role] += 1
        self._forget(process)
        self._members[self._fork(role)] = role

    def kill_publisher(self) -> None:
        """Kill -9 one that is publishing, if there is one."""
        for process in filter(None, self._publishing.values()):
            process.kill()
            process.join()
            self.kills["publisher"] += process.exitcode == -signal.SIGKILL
            return

    def put_to_sleep(self, chance: random.Random, number: int = 1) -> None:
        """SIGSTOP workers, whatever they do."""
        awake = [one for one, role in self._members.items() if role == "worker" and one not in self._asleep]
        for process in chance.sample(awake, number):
            os.kill(process.pid or 0, signal.SIGSTOP)
            self._asleep.add(process)
            self.sleeps += 1

    def wake(self) -> None:
        """SIGCONT all that sleep."""
        for process in self._asleep:
            os.kill(process.pid or 0, signal.SIGCONT)
        self._asleep.clear()

    def pids(self) -> list[int]:
        """Of the members."""
        return [process.pid for process in self._members if process.pid]

    def stop(self) -> None:
        """Ask all members to end, as an owner does; one that does not is a fault."""
        self.wake()
        for process in self._members:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process, role in self._members.items():
            process.join(max(deadline - time.monotonic(), 0.1))
            if process.exitcode != 0:
                self.fell.append((f"{role}, told to stop", process.exitcode))
                process.kill()
                process.join()
        self._members.clear()

    def _push(self, number: int, publisher: ForkServerProcess | None) -> None:
        if publisher is None or publisher.exitcode == -signal.SIGKILL:
            self._publishing[number] = self._fork("publisher", number)
        elif publisher.exitcode is not None:
            if publisher.exitcode != 0:
                self.fell.append(("publisher", publisher.exitcode))
            del self._publishing[number]

    def _fork(self, role: str, number: int = 0) -> ForkServerProcess:
        process = FORKS.Process(target=live, args=(self.home, role, number), name=role)
        process.start()
        return process

    def _forget(self, process: ForkServerProcess) -> None:
        self._members.pop(process, None)
        self._asleep.discard(process)


@contextmanager
def fleet(home: Home, *, workers: int, dispatchers: int) -> Iterator[Fleet]:
    """A fleet that is killed at the end, if it did not stop before."""
    with Fleet(home, workers=workers, dispatchers=dispatchers) as one:
        yield one
