"""A process that tells of troubles and dies where it is told to."""

from __future__ import annotations

from dataclasses import replace

from reverberate import failpoints
from reverberate.config_notices import WebhookTable
from reverberate.notices import Notices
from reverberate.secrets import Secret
from reverberate.store import Store
from support.world import make_config


def live(url: str, hook: str, secret: str, point: str) -> None:
    """Gather and send, once."""
    failpoints.doom(point)
    table = WebhookTable(type="webhook", url=hook, secret=Secret("file", secret), gather="0s")  # type: ignore[arg-type]  # pydantic reads the text
    store = Store(url)
    notices = Notices(replace(make_config(["a"]), notices={"me": table}), store)
    notices.gather()
    notices.send_due("me")
    store.close()
