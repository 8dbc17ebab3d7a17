"""A network that takes posts and tells nothing about them, and its ledger: what it took is what the judge believes."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

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


class BlindLedger:
    """The server; some of its answers are lost after it took the post, others are slow."""

    def __init__(self, *, seed: str, lost: float, slow: float) -> None:
        self.taken: list[Taken] = []
        self.lost = 0
        self._chance, self._lock, self._share_lost, self._slow = random.Random(seed), threading.Lock(), lost, slow  # noqa: S311 - the same chances again, not secrets
        ledger = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self) -> None:
                given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                taken, lost, seconds = ledger.take(given)
                time.sleep(seconds)
                if lost:
                    self.close_connection = True
                    return
                data = json.dumps({"id": taken.remote_id}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Nothing: the ledger is the log."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                """A client that died is what these tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, given: dict[str, str]) -> tuple[Taken, bool, float]:
        """Take a post; whether its answer is lost, and how long it takes."""
        with self._lock:
            remote_id = f"blind-{len(self.taken) + 1}"
            taken = Taken(datetime.now(UTC), given["account"], given["text"], remote_id)
            self.taken.append(taken)
            lost = self._chance.random() < self._share_lost
            self.lost += lost
            return taken, lost, self._chance.random() * self._slow

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
