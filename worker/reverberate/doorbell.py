"""The doorbell: a word through Redis that there is something to do. Losing it costs seconds, never a share."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

import redis

log = logging.getLogger(__name__)
KEY = "reverberate:bell"
REST = 5.0
"""Seconds to leave a Redis alone that did not answer."""
EXACT, LATE = 0.5, 0.1
"""Redis looks ten times a second for those who have waited long enough, and so answers up to LATE seconds late."""


class Doorbell(Protocol):
    """Rung by whoever made something due; heard by a dispatcher."""

    def ring(self) -> None:
        """Say that there is something to do. Never fails and never waits long."""

    def wait(self, seconds: float) -> None:
        """Return when it rings, or after so many seconds."""


class LocalBell:
    """A doorbell inside one process, where there is no Redis."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """See Doorbell."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """See Doorbell."""
        self._rung.wait(seconds)
        self._rung.clear()


class RedisBell:
    """A doorbell through Redis; while Redis is away it is silent, and ``wait`` only waits."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=3, socket_connect_timeout=2, health_check_interval=30, retry=None
        )
        self._rest_until = 0.0

    def ring(self) -> None:
        """See Doorbell."""
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.lpush(KEY, 1)
            pipe.ltrim(KEY, 0, 9)
            pipe.execute()
        except redis.RedisError as error:
            log.info("the doorbell is silent: %s", type(error).__name__)

    def wait(self, seconds: float) -> None:
        """See Doorbell. Less than EXACT is waited for to the millisecond, and the last LATE of it without listening."""
        until = time.monotonic() + seconds
        if time.monotonic() < self._rest_until:
            time.sleep(min(seconds, 0.5))
        elif seconds >= EXACT:
            self._listen(seconds)
        elif seconds <= LATE or not self._listen(seconds - LATE):
            time.sleep(max(until - time.monotonic(), 0.0))

    def _listen(self, seconds: float) -> bool:
        """Whether it rang within that time, and LATE more."""
        try:
            return self._redis.brpop([KEY], timeout=max(seconds, 0.01)) is not None
        except redis.TimeoutError:
            return False
        except redis.RedisError as error:
            log.warning("no doorbell (%s); looking at the clock instead", type(error).__name__)
            self._rest_until = time.monotonic() + REST
            time.sleep(min(seconds, 0.5))
            return True


def bell_for(url: str) -> Doorbell:
    """The doorbell for that Redis, or a local one for ""."""
    return RedisBell(url) if url else LocalBell()


def answers(url: str) -> bool:
    """Whether that Redis answers."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
