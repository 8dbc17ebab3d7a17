"""Wherever a process dies between a container and its post, the next one makes it good: one post, and its receipt."""

from __future__ import annotations

import io
import signal
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Pillow

from chaos.forks import FORKS
from chaos.two_steps import live
from reverberate.model import ShareState
from reverberate.sandbox import Sandbox
from reverberate.sandbox.blobs import Blobs
from reverberate.store import Store, journal, shares
from support.blogger import SEED, move_in
from support.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = {"container": 1, "its state": 2, "the post": 3, "its permalink": 4}
POINTS = [
    *("step: before commit", "step: after commit", "send: understood", "settle: before commit", "settle: after commit"),
    *(f"send: request written:#{number}" for number in REQUESTS.values()),
    *(f"send: answer read:#{number}" for number in REQUESTS.values()),
]
WORST = ("step: after commit", "send: request written:#3", "send: answer read:#3")
"""For the second network, as both go through the same lines."""


def jpeg() -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (640, 480), "teal").save(out, "JPEG")
    return out.getvalue()


def life(config: Path, picture: str, point: str, *, seconds: float = 20) -> int:
    """How one process ended."""
    process = FORKS.Process(target=live, args=(str(config), picture, point, seconds))
    process.start()
    process.join(seconds + 10)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


@pytest.mark.parametrize(
    ("network", "point"), [*(("instagram", point) for point in POINTS), *(("threads", point) for point in WORST)]
)
def test_a_process_that_dies_there_leaves_one_post_and_its_receipt(tmp_path: Path, network: str, point: str) -> None:
    with Sandbox(tmp_path / "sandbox", seed=SEED) as sandbox:
        picture = f"{sandbox.url}/blob/{Blobs(tmp_path / 'sandbox' / 'blobs').put(jpeg())}"
        door = f"127.0.0.1:{free_port()}"
        service = ["[service]", f'listen = "{door}"', f'public_url = "http://{door}"']
        source = ["[sources.blog]", 'type = "feed"', f'url = "{sandbox.url}/feed.xml"']  # its host may be fetched from
        blogger = move_in(tmp_path, sandbox, accounts={"me": network}, extra=[*service, *source])
        told = blogger.config.read_text("utf-8").replace("[accounts.me]", "[accounts.me]\n" + RULES)
        blogger.config.write_text(told, "utf-8")

        assert life(blogger.config, picture, point) == -signal.SIGKILL, "the point was never reached"
        assert life(blogger.config, picture, "") == 0

        (entry,) = sandbox.ledger.accepted()
        assert entry.details["pictures"][0]["alt"] == "A hill"
    store = Store(f"sqlite:///{tmp_path}/data/reverberate.db")
    with store.read() as tx:
        (share,) = shares.find(tx)
        story = [(attempt.kind, attempt.outcome) for attempt in journal.attempts_of(tx, share.id)]
    store.close()
    assert share.state is ShareState.SENT, story
    assert share.receipt is not None
    assert share.receipt.remote_id == entry.remote_id, story


RULES = 'picture = "attach"\nsettle = "0s"\nretry = ["0s", "0s", "1s", "1s", "1s", "1s", "1s"]'
