"""One life of a service with accounts that publish in two steps, web door included, which may be told where to die."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from reverberate import delivery, dispatcher, failpoints, runtime
from reverberate.delivery import Courier
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.model import Image, Post, ShareState
from reverberate.networks import containers
from reverberate.stopping import Stopping
from reverberate.store import claims, shares
from reverberate.web import serve

OPEN = {ShareState.SCHEDULED, ShareState.SENDING, ShareState.UNSURE}


def live(config: str, picture: str, point: str, seconds: float) -> None:
    """Publish, dispatch and deliver until every share has come to rest; die at ``point`` if that is reached before."""
    failpoints.doom(point)
    delivery.LEASE, delivery.HEARTBEAT, delivery.MARGIN = timedelta(seconds=0.6), 0.2, 0.0
    dispatcher.SWEEP, claims.RING_AGAIN, containers.PAUSE = 0.05, timedelta(seconds=0.6), 0.05
    loaded = runtime.read_config(Path(config))
    loaded.data.mkdir(parents=True, exist_ok=True)
    post = Post(
        url="https://blog.example/a", title="A post", summary="In short.", images=(Image(url=picture, alt="A hill"),)
    )
    with runtime.open_service(loaded) as service, serve(service, listen=loaded.service.listen):
        courier, deadline, bell = (
            Courier(service.store, service.accounts, senders=2),
            time.monotonic() + seconds,
            LocalBell(),
        )
        with runtime._running(Dispatcher(service, courier.deliver, bell), Stopping()):
            service.publish(post)
            bell.ring()
            while time.monotonic() < deadline and not _at_rest(service):
                time.sleep(0.02)
        courier.close()


def _at_rest(service: runtime.Service) -> bool:
    with service.store.read() as tx:
        found = shares.find(tx)
    return bool(found) and all(one.wake is None and one.lease is None and one.state not in OPEN for one in found)
