"""Networks that publish in two steps, as their clients see them: a container, its state, and the post made of it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote
from uuid import uuid4

import requests

from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.graph import FIRST_ID, GraphPersonality, asked_for, error, not_yours, when
from reverberate.text.count import count

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call
    from reverberate.text.limits import Limit

FETCH_SECONDS = 5
LARGEST = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Container:
    """What was made, and by whom; ``trouble`` is why it can never be published, or ""."""

    account: str
    text: str
    trouble: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class ContainerPersonality(GraphPersonality):
    """A network of containers."""

    limit: ClassVar[Limit]
    text_field: ClassVar[str]
    state_field: ClassVar[str]
    words_field: ClassVar[str]
    takes: ClassVar[frozenset[str]]
    """The kinds of picture that it takes."""

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self.containers: dict[str, Container] = {}

    @abstractmethod
    def refusal(self, call: Call) -> Answer | None:
        """Why no container is made of this; None if one is."""

    def make(self, call: Call) -> Answer:
        """POST /:version/:account/(threads|media)."""
        text = call.said(self.text_field)
        if not self.is_me(call):
            return not_yours(call.parts[1])
        if count(text, self.limit) > self.limit.maximum:
            words = f"Param {self.text_field} must be at most {self.limit.maximum} characters long; it is too long."
            return error(400, 100, words, kind="THApiException")
        if refusal := self.refusal(call):
            return refusal
        number = str(10**16 + uuid4().int % 10**16)
        self.containers[number] = self._container(call, text)
        return Answer.of({"id": number})

    def publish(self, call: Call) -> Answer:
        """POST /:version/:account/(threads_publish|media_publish): a container becomes one post, once."""
        number = call.said("creation_id")
        with self.ledger.lock:
            container = self.containers.get(number)
            if container is None or container.account != call.account or self._post_of(number):
                return error(400, 24, "Media Not Found", kind="OAuthException", error_subcode=2207008)
            if container.trouble:
                return error(400, 9007, "Media ID is not available", kind="OAuthException", error_subcode=2207027)
            post = str(FIRST_ID + self.ledger.serial())
            place = f"{quote(call.account)}/{post}"
            entry = self.accept(call, remote_id=post, place=place, text=container.text, key=number, **container.details)
        return Answer.of({"id": entry.remote_id})

    def one(self, call: Call) -> Answer:
        """GET /:version/:id: the account itself, a container, or a post."""
        number, asked = call.parts[1], call.request.query.get("fields", "")
        if self.is_me(call):
            return Answer.of({"id": self.me(call), "username": call.account})
        if state := self._state(call, number):
            return Answer.of({"id": number} | asked_for(state, asked))
        entry = call.view.shows(self.own(call, number))
        return Answer.of(self.shown(entry, call, asked=asked)) if entry else not_yours(number)

    def limits(self, call: Call) -> Answer:
        """GET /:version/:account/(threads_publishing_limit|content_publishing_limit)."""
        used = len(self.ledger.newest(self.name, call.account, most=250))
        config = {"quota_total": 250, "quota_duration": 86400}
        return Answer.of({"data": [{"quota_usage": used, "config": config}]})

    def shown(self, entry: Entry, call: Call, *, asked: str) -> dict[str, Any]:
        """A post's id, and the fields that were asked for."""
        fields: dict[str, Any] = {self.text_field: entry.text, "timestamp": when(entry)}
        fields |= {"permalink": call.address(entry)}
        fields |= {"like_count": 0, "comments_count": 0}
        return {"id": entry.remote_id} | asked_for(fields, asked)

    def _state(self, call: Call, number: str) -> dict[str, str]:
        """What a container says of itself; empty if there is none. A published one is known after a restart too."""
        if self._post_of(number):
            return {self.state_field: "PUBLISHED"}
        container = self.containers.get(number)
        if container is None or container.account != call.account:
            return {}
        if container.trouble:
            return {self.state_field: "ERROR", self.words_field: container.trouble}
        return {self.state_field: "FINISHED"}

    def _post_of(self, number: str) -> bool:
        """Whether a post was made of it; one that was deleted since counts too."""
        return any(entry.key == number for entry in self.ledger.accepted() if entry.network == self.name)

    def _container(self, call: Call, text: str) -> Container:
        details: dict[str, Any] = {"reply_to": call.said("reply_to_id")} if call.said("reply_to_id") else {}
        address, trouble = call.said("image_url"), ""
        if address:
            data = fetched(address)
            if kind_of(data) in self.takes:
                details["pictures"] = [{"cid": self._blobs.put(data), "alt": call.said("alt_text")}]
            else:
                trouble = "FAILED_DOWNLOADING_IMAGE"
        return Container(account=call.account, text=text, trouble=trouble, details=details)


def fetched(address: str) -> bytes:
    """What lies at an address; nothing if it cannot be had."""
    try:
        with requests.get(address, timeout=FETCH_SECONDS, stream=True) as answer:
            return answer.raw.read(LARGEST, decode_content=True) if answer.ok else b""
    except (requests.RequestException, OSError, ValueError):
        return b""
