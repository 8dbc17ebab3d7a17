"""A chalkboard: POST /lines takes a text and answers with its number and address. It forgets nothing and lists nothing."""

from __future__ import annotations

from reverberate.model import Assurance, Delivery, Receipt
from reverberate.networks.answers import json_object
from reverberate.networks.base import Network, NetworkSettings, only_part
from reverberate.secrets import Secret
from reverberate.text.limits import Limit, Unit


class ChalkboardSettings(NetworkSettings):
    """One chalkboard."""

    token: Secret
    api_base: str = "https://chalkboard.example"


class Chalkboard(Network):
    """One account on one chalkboard."""

    name, title, assurance = "chalkboard", "Chalkboard", Assurance.BLIND
    limit, Settings = Limit(unit=Unit.CHARACTERS, maximum=200, source="chalkboard.example/docs"), ChalkboardSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        headers = {"Authorization": f"Bearer {self.settings.token.reveal()}"}
        body = {"text": only_part(delivery.message)}
        answer = json_object(self.call("POST", f"{self.settings.api_base}/lines", json=body, headers=headers))
        return Receipt(remote_id=str(answer["id"]), permalink=str(answer["url"]))
