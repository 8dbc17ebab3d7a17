"""A network that lives in this process's memory: for tests, for trying a template, for authors of plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reverberate.errors import Refused
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import Network, NetworkSettings
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.model import Delivery


class MemorySettings(NetworkSettings):
    """It has none."""


class Memory(Network):
    """Keeps what it is sent, by account and by the delivery's key; the same key twice is one post."""

    name, title, assurance = "memory", "Memory", Assurance.IDENTITY
    limit, Settings = LIMITS["memory"], MemorySettings
    threads, carries = True, frozenset({"card", "attach"})
    world: ClassVar[dict[tuple[str, str], Delivery]] = {}
    """All that all accounts of this process hold, by (account, key)."""

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        self.world.setdefault((self.account, delivery.key), delivery)
        return self._receipt(delivery)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds."""
        return self._receipt(delivery) if (self.account, delivery.key) in self.world else None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        if (self.account, receipt.remote_id) not in self.world:
            raise Refused("it is not there any more")
        self.world[self.account, receipt.remote_id] = delivery
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes."""
        del delivery
        self.world.pop((self.account, receipt.remote_id), None)

    def verify(self) -> Standing:
        """See Verifies."""
        return Standing(who=f"{self.account}, in memory")

    def _receipt(self, delivery: Delivery) -> Receipt:
        return Receipt(remote_id=delivery.key, permalink=f"memory:{self.account}/{delivery.key}")
