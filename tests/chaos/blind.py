"""A network that takes posts and tells nothing about them, and its ledger: what it took is what the judge believes."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chaos.serving import Served
from reverberate.model import Assurance, Receipt
from reverberate.networks.answers import json_object
from reverberate.networks.base import Network, NetworkSettings, only_part
from reverberate.text.limits import Limit, Unit

if TYPE_CHECKING:
    from reverberate.model import Delivery


class BlindSettings(NetworkSettings):
    """Where it is."""

    api_base: str


class Blind(Network):
    """Nothing can be asked there, and nothing that we choose identifies a post."""

    name, title, assurance = "blind", "Blind", Assurance.BLIND
    limit, Settings = Limit(unit=Unit.CHARACTERS, maximum=500), BlindSettings

    def send(self, delivery: Delivery) -> Receipt:
        document = {"account": self.account, "text": only_part(delivery.message)}
        answer = self.call("POST", f"{self.settings.api_base}/posts", json=document)
        return Receipt(remote_id=str(json_object(answer)["id"]))


@dataclass(frozen=True)
class Taken:
    """A post that the network has."""

    at: datetime
    account: str
    text: str
    remote_id: str


class BlindLedger(Served):
    """The server; some of its answers are lost after it took the post, others are slow."""

    def __init__(self, *, seed: str, lost: float, slow: float) -> None:
        super().__init__()
        self.taken: list[Taken] = []
        self.lost = 0
        self._chance, self._lock, self._share_lost, self._slow = random.Random(seed), threading.Lock(), lost, slow  # noqa: S311 - the same chances again, not secrets

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        """See Served."""
        del method, path
        taken, lost, seconds = self.take(body)
        time.sleep(seconds)
        return None if lost else (200, {"id": taken.remote_id})

    def take(self, given: dict[str, str]) -> tuple[Taken, bool, float]:
        """Take a post; whether its answer is lost, and how long it takes."""
        with self._lock:
            remote_id = f"blind-{len(self.taken) + 1}"
            taken = Taken(datetime.now(UTC), given["account"], given["text"], remote_id)
            self.taken.append(taken)
            lost = self._chance.random() < self._share_lost
            self.lost += lost
            return taken, lost, self._chance.random() * self._slow
