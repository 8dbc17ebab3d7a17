"""What a server says of itself: asked once for all the accounts on it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reverberate.baton import waiting_for
from reverberate.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

V = TypeVar("V")
AGAIN = timedelta(seconds=5)
"""A server that could not be asked is left alone so long, whoever asks: one in trouble has enough to do."""


class Known:
    """The answers of one server. Who asks while another one does waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, tuple[datetime, Any]] = {}

    def kept(self, name: str, ask: Callable[[], V], *, now: Callable[[], datetime], holds: timedelta) -> V:
        """What ``ask`` gave within ``holds``, or gives now. Raises what it raises, or raised just now."""
        found = self._fresh(name, now, holds)
        if found is None:
            with waiting_for(self._lock):
                found = self._fresh(name, now, holds)
                if found is None:
                    found = self._told[name] = (now(), _answer(ask))
        _, told = found
        if isinstance(told, Transient):
            raise told.with_traceback(None)  # it is raised for many, and would keep what each of them held
        return cast("V", told)

    def _fresh(self, name: str, now: Callable[[], datetime], holds: timedelta) -> tuple[datetime, Any] | None:
        """What is known and not too old."""
        found = self._told.get(name)
        if found and now() - found[0] > (AGAIN if isinstance(found[1], Transient) else holds):
            return None
        return found

    def learn(self, name: str, told: object, *, now: datetime) -> None:
        """Know it without asking."""
        with self._lock:
            self._told[name] = (now, told)


def _answer(ask: Callable[[], V]) -> V | Transient:
    """What is kept; another outcome says something of the account that asked, and is no answer for the others."""
    try:
        return ask()
    except Transient as outcome:
        return outcome
