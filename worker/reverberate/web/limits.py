"""How often one caller may ask: a bucket each that fills again with time. Kept by each web door for itself."""

from __future__ import annotations

from dataclasses import dataclass

MANY = 10_000
"""So many callers are remembered at the most; full buckets are forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, and then ``second`` in every second."""

    second: float
    burst: int


class Buckets:
    """The buckets of all callers of one kind. Not for several threads: the event loop alone asks."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._full: dict[object, float] = {}

    def take(self, caller: object, *, now: float) -> float:
        """Take one; 0 if there was one, else how many seconds until there will be. ``now`` is a steady clock's."""
        span = 1 / self._rate.second
        full = max(self._full.get(caller, now), now)
        wait = full - now - span * (self._rate.burst - 1)
        if wait > 0:
            return wait
        self._full[caller] = full + span
        if len(self._full) > MANY:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        self._full = {caller: full for caller, full in self._full.items() if full > now}
        for caller in list(self._full)[: max(len(self._full) - MANY, 0)]:
            del self._full[caller]
