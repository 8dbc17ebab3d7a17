"""Whether this installation delivers: its database answers and a dispatcher lives. Redis may be away: pollers deliver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate import broker
from reverberate.doorbell import answers
from reverberate.errors import ReverberateError
from reverberate.store import watch

if TYPE_CHECKING:
    from reverberate.service import Service

LIVING = timedelta(seconds=30)


def readiness(service: Service, *, now: datetime | None = None) -> tuple[bool, dict[str, Any]]:
    """Whether it is ready, and why (not), by part."""
    now = now or datetime.now(UTC)
    url = broker.running_url(service.config)
    told = {"broker": "none: pollers deliver" if not url else "answers" if answers(url) else "away: pollers deliver"}
    try:
        with service.store.read() as tx:
            living, stopped = watch.alive(tx, since=now - LIVING), watch.switched(tx, watch.STOPPED)
    except ReverberateError as error:
        return False, {"ready": False, "database": str(error)} | told
    dispatchers = sum(one.role == "dispatcher" for one in living)
    told |= {"dispatcher": f"{dispatchers} alive" if dispatchers else "none gave a sign of life for 30 s"}
    if stopped:
        told["stopped"] = f"by hand since {stopped.at:%Y-%m-%d %H:%M} UTC {stopped.words}".rstrip()
    return bool(dispatchers), {"ready": bool(dispatchers), "database": "answers"} | told
