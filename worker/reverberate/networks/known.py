"""What a server says of itself: asked once for all the accounts on it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reverberate.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

V = TypeVar("V")
AGAIN = timedelta(seconds=5)
"""A question that was not answered is not asked again before that, whoever asks: a server in trouble has enough to do."""


class Known:
    """The answers of one server. Who asks while another one does waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, tuple[datetime, Any]] = {}

    def kept(self, name: str, ask: Callable[[], V], *, now: Callable[[], datetime], holds: timedelta) -> V:
        """What ``ask`` gave within ``holds``, or gives now. Raises the Outcome that it raises, or raised just now."""
        with self._lock:
            at, told = self._told.get(name, (None, None))
            if at is None or now() - at > (AGAIN if isinstance(told, Outcome) else holds):
                told = _answer(ask)
                self._told[name] = (now(), told)
        if isinstance(told, Outcome):
            raise told
        return cast("V", told)

    def learn(self, name: str, told: object, *, now: datetime) -> None:
        """Know it without asking."""
        with self._lock:
            self._told[name] = (now, told)


def _answer(ask: Callable[[], V]) -> V | Outcome:
    try:
        return ask()
    except Outcome as outcome:
        return outcome
