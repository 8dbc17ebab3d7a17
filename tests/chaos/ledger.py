"""A small network of three classes that keeps what it accepted: the judge of what was posted, and how often."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos.serving import Served
from reverberate.model import Assurance, Receipt
from reverberate.networks.answers import json_object, missing_is_fine
from reverberate.networks.base import Network, NetworkSettings, only_part
from reverberate.networks.parts import Part, Threading
from reverberate.text.limits import Limit, Unit

if TYPE_CHECKING:
    from reverberate.model import Delivery

LIMIT = Limit(unit=Unit.CHARACTERS, maximum=500)


class Settings(NetworkSettings):
    """Where the ledger is."""

    api_base: str


class Changing(Network):
    """What is posted can be reworded and taken back; one part alone has words that change."""

    settings: Settings

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        self.call("PATCH", f"{self.settings.api_base}/{receipt.remote_id}", json={"text": delivery.message.parts[0]})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        del delivery
        with missing_is_fine():
            self.call("DELETE", f"{self.settings.api_base}/{receipt.remote_id}")


class Identity(Changing, Threading):
    """Posts under keys that we choose; the same key twice is one post."""

    name, title, assurance, limit, Settings = "identity", "Identity", Assurance.IDENTITY, LIMIT, Settings

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        del delivery
        answer = self.call("PUT", f"{self.settings.api_base}/identity/{part.key}", json={"text": part.text})
        return Receipt(remote_id=str(json_object(answer)["id"]))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        del delivery
        held = self.call("GET", f"{self.settings.api_base}/identity/{part.key}").json()
        return Receipt(remote_id=held["id"]) if held else None


class Readable(Changing, Threading):
    """Posts get an id from the network; our own can be read back."""

    name, title, assurance, limit, Settings = "readable", "Readable", Assurance.READABLE, LIMIT, Settings

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        del delivery
        answer = self.call("POST", f"{self.settings.api_base}/readable", json={"text": part.text})
        return Receipt(remote_id=str(json_object(answer)["id"]))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        del delivery
        held = self.call("GET", f"{self.settings.api_base}/readable/{quote(part.text, safe='')}").json()
        return Receipt(remote_id=held["id"]) if held else None


class Blind(Changing):
    """Posts and tells nothing."""

    name, title, assurance, limit, Settings = "blind", "Blind", Assurance.BLIND, LIMIT, Settings

    def send(self, delivery: Delivery) -> Receipt:
        answer = self.call("POST", f"{self.settings.api_base}/blind", json={"text": only_part(delivery.message)})
        return Receipt(remote_id=str(json_object(answer)["id"]))


CLASSES: dict[str, type[Network]] = {"identity": Identity, "readable": Readable, "blind": Blind}
for _class in CLASSES.values():
    _class.settle = timedelta(seconds=0.2)


class Ledger(Served):
    """The server: accepts everything, remembers it, and counts how often each text was posted on each class.

    Attributes:
        posts: the id of each post, by its class and its key or text.
        counts: how often each text was posted, by its class.
        said: what each post that is there says now, by its id.
        changes: how often each post was taken back, and how often given which words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[tuple[str, str], str] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.said: dict[str, str] = {}
        self.changes: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """See Served."""
        kind, _, key = path[1:].partition("/")
        match method:
            case "POST" | "PUT":
                return 200, self.accept(kind, key, body["text"])
            case "GET":
                return 200, self.find(kind, key)
            case _:
                return (200 if self.change(path[1:], body["text"] if body else "") else 404), {}

    def accept(self, kind: str, key: str, text: str) -> dict[str, str]:
        """Keep it; a key that is there already changes nothing."""
        with self._lock:
            name = (kind, key or quote(text, safe=""))
            if kind != "identity" or name not in self.posts:
                self.counts[kind, text] += 1
            remote_id = self.posts.setdefault(name, f"{kind}-{len(self.posts) + 1}")
            self.said.setdefault(remote_id, text)
            return {"id": remote_id}

    def change(self, remote_id: str, text: str) -> bool:
        """Give a post other words, or take it back ("" is none); whether it was there."""
        with self._lock:
            if remote_id not in self.said:
                return False
            self.changes[remote_id, text] += 1
            self.said |= {remote_id: text}
            if not text:
                del self.said[remote_id]
            return True

    def find(self, kind: str, key: str) -> dict[str, str] | None:
        """What is there under a key, or by its text."""
        with self._lock:
            return {"id": self.posts[kind, key]} if (kind, key) in self.posts else None
