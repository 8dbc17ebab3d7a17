"""A chalkboard: POST /lines takes a text and answers with its number and address. It forgets nothing and lists nothing."""

from __future__ import annotations

from reverberate.model import Assurance, Delivery, Receipt
from reverberate.networks.base import NetworkSettings, only_part
from reverberate.networks.rest import REST
from reverberate.secrets import Secret
from reverberate.text.limits import Limit, Unit


class ChalkboardSettings(NetworkSettings):
    """One chalkboard."""

    access_token: Secret
    api_base: str = "https://chalkboard.example"


class Chalkboard(REST):
    """One account on one chalkboard."""

    name, title, assurance = "chalkboard", "Chalkboard", Assurance.BLIND
    limit, Settings = Limit(unit=Unit.CHARACTERS, maximum=200, source="chalkboard.example/docs"), ChalkboardSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        answer = self.write("POST", "/lines", json={"text": only_part(delivery.message)})
        return self.receipt(answer.get("id"), str(answer.get("url", "")))
