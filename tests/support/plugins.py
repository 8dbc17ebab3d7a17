"""Plug-ins for tests, without installing any."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reverberate.errors import Outcome
from reverberate.model import Assurance, Receipt
from reverberate.networks.base import Network, NetworkSettings
from reverberate.plugins import Plugins
from reverberate.secrets import Secret
from reverberate.sources.base import Look, Source, SourceSettings
from reverberate.text.limits import Limit, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverberate.model import Delivery


class FakePlugins(Plugins):  # type: ignore[type-arg]  # tests put in what they like
    """A registry of given classes."""

    def __init__(self, **classes: type) -> None:
        super().__init__("tests", object, word="kind")
        self._loaded.update(classes)

    def names(self) -> list[str]:
        """The given names."""
        return sorted(self._loaded)


class ToySettings(NetworkSettings):
    """What a toy account says."""

    token: Secret
    colour: str = "red"


class Toy(Network):
    """A network that does what its script says and remembers what it accepted, by delivery key."""

    name, title, assurance = "toy", "Toy", Assurance.READABLE
    limit = Limit(unit=Unit.CHARACTERS, maximum=500)
    Settings = ToySettings
    script: ClassVar[list[Callable[[Delivery], Receipt] | Outcome]] = []
    accepted: ClassVar[list[Delivery]] = []
    shows: ClassVar[bool] = True

    def send(self, delivery: Delivery) -> Receipt:
        """What the script says next; accept when it says nothing."""
        step = type(self).script.pop(0) if type(self).script else self.accept
        if isinstance(step, Outcome):
            raise step
        return step(delivery)

    def accept(self, delivery: Delivery) -> Receipt:
        """Keep it."""
        self.accepted.append(delivery)
        return Receipt(remote_id=delivery.key, permalink=f"https://toy.example/{delivery.serial}")

    def find(self, delivery: Delivery) -> Receipt | None:
        """Whether it was accepted, as far as it shows."""
        if self.shows and any(held.key == delivery.key for held in self.accepted):
            return Receipt(remote_id=delivery.key, permalink=f"https://toy.example/{delivery.serial}")
        return None


class BoxSettings(SourceSettings):
    """What a box says."""

    url: str


class Box(Source):
    """A source that shows what the test puts into it."""

    kind = "box"
    Settings = BoxSettings
    looks: ClassVar[list[Look | Exception]] = []

    def look(self, memory: Mapping[str, str]) -> Look:
        """The next of ``looks``."""
        del memory
        step = type(self).looks.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


NETWORKS = FakePlugins(toy=Toy)
SOURCES = FakePlugins(box=Box)
