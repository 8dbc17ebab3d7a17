"""The faults in force: drawn from a seed, counted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from reverberate.sandbox.faults import Dialect, Fault, Kind, WrongFault, shown
from reverberate.sandbox.personality import Purpose

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from reverberate.sandbox.faults import Occasion

SHAPES = frozenset({Kind.SKEW, Kind.LAG, Kind.MISSING, Kind.VANISH})
"""These bend an answer; any number of them can meet in one. Of the others, the first that is drawn happens."""
LASTS = frozenset({Dialect.SECONDS, Dialect.FLOAT, Dialect.DATE, Dialect.EPOCH, Dialect.ISO})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fault that happens now; ``roll``, from 0 to 1, decides what it leaves open."""

    fault: Fault
    roll: float


class _Rule:
    def __init__(self, number: int, fault: Fault, seed: str) -> None:
        self.number, self.fault = number, fault
        self.met = self.drawn = 0
        self._chance = Random(f"{seed} {number}")  # noqa: S311 - a rehearsal's chance must be the same with the same seed

    def draw(self, *, free: bool) -> Drawn | None:
        """Whether it happens; not when it is used up, nor when something else happens already."""
        self.met += 1
        happens, roll = self._chance.random() < self.fault.probability, self._chance.random()
        if not happens or not free or (self.fault.count is not None and self.drawn >= self.fault.count):
            return None
        self.drawn += 1
        return Drawn(self.fault, roll)


class Faults:
    """The rules in force. The same requests in the same order meet the same faults. Safe for threads."""

    def __init__(self, *, seed: str, networks: Collection[str]) -> None:
        self._seed, self._networks, self._lock = seed, networks, threading.Lock()
        self._rules: list[_Rule] = []
        self._made = 0
        self._ever: Counter[str] = Counter()
        self._rests: dict[tuple[str, str], datetime] = {}
        self._early = 0

    def add(self, fault: Fault) -> int:
        """Put a rule in force; returns its number.

        Raises:
            WrongFault: it is about a network that is not here, or cannot be about one.
        """
        self._check(fault)
        with self._lock:
            self._made += 1
            self._rules.append(_Rule(self._made, fault, self._seed))
            return self._made

    def clear(self, number: int | None = None) -> int:
        """Take one rule out of force, or all; returns how many those were."""
        with self._lock:
            before = len(self._rules)
            self._rules = [rule for rule in self._rules if number not in {None, rule.number}]
            return before - len(self._rules)

    def refuses(self) -> bool:
        """Whether a new connection is broken."""
        with self._lock:
            rules = [rule for rule in self._rules if rule.fault.kind is Kind.REFUSE]
            drawn = [self._draw(rule, free=True) for rule in rules]  # each has its chance, as with requests
            return any(drawn)

    def draw(self, occasion: Occasion, *, now: datetime) -> list[Drawn]:
        """What happens to a request."""
        with self._lock:
            if not self._rules and not self._rests:
                return []
            self._note_haste(occasion, now)
            happening: list[Drawn] = []
            for rule in self._rules:
                if rule.fault.kind is not Kind.REFUSE and rule.fault.meets(occasion):
                    free = rule.fault.kind in SHAPES or all(one.fault.kind in SHAPES for one in happening)
                    happening += filter(None, [self._draw(rule, free=free)])
            self._note_rest(happening, occasion, now)
            return happening

    def report(self) -> dict[str, Any]:
        """The rules in force with their counts, how often each kind ever happened, and who came too early.

        ``early`` counts attempts to publish by an account that had been told to stay away for longer.
        """
        with self._lock:
            rules = [
                {"number": rule.number, "met": rule.met, "happened": rule.drawn, **shown(rule.fault)}
                for rule in self._rules
            ]
            return {"rules": rules, "happened": dict(self._ever), "early": self._early}

    def _check(self, fault: Fault) -> None:
        if fault.network and fault.network not in self._networks:
            raise WrongFault(f"there is no network {fault.network!r} here", hint=f"one of {', '.join(self._networks)}")
        if fault.kind is Kind.REFUSE and (fault.network or fault.account or fault.on):
            raise WrongFault(
                "a connection is refused before it tells what it wants", hint="leave out network, account, on"
            )

    def _draw(self, rule: _Rule, *, free: bool) -> Drawn | None:
        if drawn := rule.draw(free=free):
            self._ever[rule.fault.kind.value] += 1
        return drawn

    def _note_haste(self, occasion: Occasion, now: datetime) -> None:
        until = self._rests.get((occasion.network, occasion.account))
        if until and occasion.purpose is Purpose.PUBLISH and now < until:
            self._early += 1

    def _note_rest(self, happening: Sequence[Drawn], occasion: Occasion, now: datetime) -> None:
        for fault in (one.fault for one in happening):
            if fault.kind is Kind.RATE_LIMIT and fault.dialect in LASTS:
                self._rests[occasion.network, occasion.account] = now + timedelta(seconds=fault.seconds)
