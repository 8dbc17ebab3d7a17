"""What every client that can look up has to do on the sandbox: find what is its own, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate.errors import Unsure
from reverberate.model import Receipt
from reverberate.networks.base import Finds
from reverberate.sandbox import Fault, Kind, Purpose
from support.clients import LINK, sent

if TYPE_CHECKING:
    from reverberate.model import Delivery
    from reverberate.networks.base import Network
    from reverberate.sandbox import Sandbox


def assert_finds_only_its_own(network: Network, what: Delivery, *, since: bool = True) -> None:
    """Not before it is sent; then the same receipt; no other post; and none from before the first try, if ``since``."""
    assert isinstance(network, Finds)
    assert network.find(what) is None
    receipt = network.send(what)

    assert network.find(what) == receipt
    card = replace(what.message.card, url=f"{LINK}-2", title="Another") if what.message.card else None
    words = f"Another\n{LINK}-2" if LINK in what.message.parts[0] else "Another"
    elsewhere = replace(what.message, parts=(words,), link=f"{LINK}-2", card=card)
    assert network.find(replace(what, serial=what.serial + 1, key="another", message=elsewhere)) is None
    if since:
        later = replace(what, serial=what.serial + 1, since=datetime.now(UTC) + timedelta(minutes=5))
        assert network.find(later) is None


def assert_finds_what_was_lost(network: Network, what: Delivery, sandbox: Sandbox) -> None:
    """It was accepted, and the answer did not arrive."""
    assert isinstance(network, Finds)
    sandbox.faults.add(Fault(kind=Kind.DROP, on=Purpose.PUBLISH, count=1))

    assert isinstance(sent(network, what), Unsure)
    (entry,) = sandbox.ledger.of()
    found = network.find(what)
    assert found is not None
    assert replace(found, version="") == Receipt(remote_id=entry.remote_id, permalink=entry.permalink)


def assert_finds_nothing_unlisted(network: Network, what: Delivery, sandbox: Sandbox) -> None:
    """A listing that is behind does not show it yet."""
    assert isinstance(network, Finds)
    receipt = network.send(what)
    number = sandbox.faults.add(Fault(kind=Kind.LAG, seconds=30))
    assert network.find(what) is None
    sandbox.faults.clear(number)

    assert network.find(what) == receipt
