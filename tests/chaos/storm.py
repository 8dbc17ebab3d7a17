"""A storm: posts keep coming while processes are killed, answers get lost and Redis goes away, by a plan drawn from a seed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chaos.judge import at_rest, judge, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chaos.fleet import Fleet
    from chaos.judge import Judgement
    from chaos.place import Place

    Event = tuple[float, Callable[[], object]]
CALM = 150
"""Seconds after the storm within which everything must have come to rest."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What is to happen within so many seconds."""

    seconds: float
    posts: int
    kills: int = 0
    publisher_kills: int = 0
    redis: tuple[str, ...] = ()
    """In turn and evenly spread: ``flush``, ``restart``, ``freeze``."""
    seed: str = "storm"


@dataclass(kw_only=True)
class Storm:
    """One storm over one place and one fleet."""

    place: Place
    fleet: Fleet
    weather: Weather
    redis: Counter[str] = field(default_factory=Counter)

    def rage(self, more: Iterable[Event] = ()) -> None:
        """Let it all happen, each at its time."""
        began = time.monotonic()
        for at, act in sorted([*self._plan(), *more], key=lambda event: event[0]):
            while (left := began + at - time.monotonic()) > 0:
                self.fleet.tend()
                time.sleep(min(left, 0.1))
            act()

    def calm(self) -> tuple[float, int]:
        """Wait until everything has come to rest: after how many seconds, and what a person had to settle."""
        began, settled = time.monotonic(), 0
        while (asked := self._settle()) is not None:
            settled += asked
            assert time.monotonic() - began < CALM, f"no rest: {self.verdict().wrong[:20]}"
            self.fleet.tend()
            time.sleep(0.5)
        return time.monotonic() - began, settled

    def _settle(self) -> int | None:
        """None once all is at rest; else how many shares a person had to settle now."""
        if self.fleet.publishing or not at_rest(self.place, expected=self.expected):
            return 0
        return person(self.place) or None

    @property
    def expected(self) -> int:
        """So many shares."""
        return self.weather.posts * len(self.place.accounts)

    def verdict(self) -> Judgement:
        """As it stands now."""
        return judge(self.place, expected=self.expected)

    def _plan(self) -> Iterator[Event]:
        weather, chance = self.weather, random.Random(self.weather.seed)  # noqa: S311 - the same plan again, not a secret
        for number in range(weather.posts):
            yield number * weather.seconds * 0.97 / weather.posts, lambda number=number: self.fleet.publish(number)
        for _ in range(weather.kills):
            yield chance.uniform(1, weather.seconds), lambda: self.fleet.kill(chance)
        for number in chance.choices(range(weather.posts), k=weather.publisher_kills):
            begun = number * weather.seconds * 0.97 / weather.posts
            yield begun + chance.uniform(0.01, 0.15), self.fleet.kill_publisher
        for number, trouble in enumerate(weather.redis):
            at = (number + 0.5) * weather.seconds / len(weather.redis)
            yield from getattr(self, f"_{trouble}")(at)

    def _flush(self, at: float) -> Iterator[Event]:
        yield at, lambda: self._count("flushed", self.place.redis.ask("FLUSHALL") == "+OK")

    def _restart(self, at: float) -> Iterator[Event]:
        yield at, lambda: self._count("killed", self.place.redis.kill() is None)
        yield at + 2, self.place.redis.start

    def _freeze(self, at: float) -> Iterator[Event]:
        yield at, lambda: self._count("frozen", self._signal(signal.SIGSTOP))
        yield at + 4, lambda: self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> bool:
        process = self.place.redis.process
        assert process is not None
        os.kill(process.pid, number)
        return True

    def _count(self, what: str, done: bool) -> None:
        assert done, f"Redis was not {what}"
        self.redis[what] += 1
