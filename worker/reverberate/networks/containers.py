"""Publishing in two steps: a container that nobody sees, then the post that is made of it (Instagram, Threads).

A container becomes one post at most, and tells whether it has: its number, kept as a step of the delivery before it is
published, is what makes sending exactly once. Source: Instagram API, Content Publishing and IG Container; Threads API,
Posts and Troubleshooting.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, takewhile
from typing import TYPE_CHECKING, ClassVar

from reverberate.baton import lent
from reverberate.errors import Outcome, Transient, Unsure
from reverberate.model import Receipt, Standing
from reverberate.networks.graph import LOST, UNSEEN, Graph, says
from reverberate.networks.likeness import parse_instant, same_words
from reverberate.networks.parts import once, unposted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from reverberate.model import JSON, Delivery

LOOKS, PAUSE = 20, 1.5
"""How often, and after how many seconds, a container is asked whether it is ready."""
BUSY_FOR = timedelta(seconds=30)
FOR_EVER = timedelta.max
"""What a container is worth, it says itself."""
LISTED_WITHIN = timedelta(minutes=15)
"""A post that its account's own list does not show after so long is hidden there, or deleted."""
UNPUBLISHED = {"IN_PROGRESS", "FINISHED", "ERROR", "EXPIRED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What becomes a container, and then a post.

    Attributes:
        name: of the step that keeps the container.
        form: what the container is made of.
        text: by which the post is known again.
        since: nothing of ours can be there from before.
        answers: whether it is a reply.
    """

    name: str
    form: Mapping[str, str]
    text: str
    since: datetime
    answers: bool = False


class Containers(Graph):
    """A network of containers. It names its edges and fields, and makes drafts."""

    container_edge: ClassVar[str]
    publish_edge: ClassVar[str]
    quota_edge: ClassVar[str]
    state_field: ClassVar[str]
    words_field: ClassVar[str]
    text_field: ClassVar[str]

    @property
    @abstractmethod
    def me(self) -> str:
        """The account's own node."""

    def list_edge(self, draft: Draft) -> str:  # noqa: ARG002 - where replies have a list of their own
        """Where the account's own posts are listed."""
        return self.container_edge

    def publish(self, delivery: Delivery, draft: Draft) -> Receipt:
        """Make the container, or take the one that is there, and publish it once. Raises an Outcome."""
        name, container = self._made(delivery, draft)
        state, words = self._settled(container)
        match state:
            case "FINISHED":
                return self._published(delivery, name, container)
            case "PUBLISHED":
                if receipt := self._there(draft, container):
                    return receipt
                raise Unsure(f"container {container} is published, and not in the account's own list yet")
            case "ERROR" | "EXPIRED":
                delivery.record(f"{name} dead", {"why": words})
                raise Transient(f"the container came to nothing: {words or state}")
            case _:
                raise Transient(f"container {container} is not ready: {words or state}", after=BUSY_FOR)

    def trace(self, delivery: Delivery, draft: Draft) -> Receipt | None:
        """The receipt of what was published, by the containers' own word and the account's list."""
        names = list(takewhile(lambda name: name in delivery.steps, _names(draft)))
        for name in reversed(names):
            container = str(delivery.steps[name].answer["id"])
            state, _ = self._state(container)
            if state in UNPUBLISHED and f"{name} dead" not in delivery.steps:
                continue
            if receipt := self._there(draft, container if state == "PUBLISHED" else ""):
                return receipt
            if state == "PUBLISHED":
                raise Transient(f"container {container} is published, and not in the account's own list yet")
        return None

    def verify(self) -> Standing:
        """See Verifies: who we are, and what is left of the day's quota."""
        who = self.read("me", fields="username").get("username", self.me)
        told = self.read(f"{self.me}/{self.quota_edge}", fields="quota_usage,config").get("data") or [{}]
        used, total = told[0].get("quota_usage", 0), told[0].get("config", {}).get("quota_total", 0)
        full = (f"the quota of {total} posts in 24 hours is used up",) if total and used >= total else ()
        return Standing(who=f"@{who}", notes=(f"{used} of {total} posts used in 24 hours",), troubles=full)

    def _made(self, delivery: Delivery, draft: Draft) -> tuple[str, str]:
        """The container that may still become a post: its step's name, its number."""
        name = next(name for name in _names(draft) if f"{name} dead" not in delivery.steps)
        made = once(delivery, name, lambda: self._create(draft), now=self.now(), holds=FOR_EVER)
        return name, str(made["id"])

    def _create(self, draft: Draft) -> Mapping[str, JSON]:
        with unposted(self):
            told = self.write("POST", f"{self.me}/{self.container_edge}", data=dict(draft.form))
        if not told.get("id"):
            raise Transient("a container was made and no number named")
        return {"id": str(told["id"])}

    def _settled(self, container: str) -> tuple[str, str]:
        """What a container says of itself as soon as it is no longer being made."""
        for _ in range(LOOKS):
            state, words = self._state(container)
            if state != "IN_PROGRESS":
                break
            with lent():
                time.sleep(PAUSE)
        return state, words

    def _state(self, container: str) -> tuple[str, str]:
        """Its state and why; "" where it cannot be seen, which Meta says of living ones too."""
        try:
            told = self.read(container, fields=f"{self.state_field},{self.words_field}")
        except Outcome as outcome:
            if not says(outcome, UNSEEN, *LOST):
                raise
            return "", outcome.words
        return str(told.get(self.state_field, "")), str(told.get(self.words_field) or "")

    def _published(self, delivery: Delivery, name: str, container: str) -> Receipt:
        try:
            told = self.write("POST", f"{self.me}/{self.publish_edge}", data={"creation_id": container})
        except Unsure as outcome:
            if says(
                outcome, *LOST
            ):  # seen with containers that were ready; another one helps, if this one is not there
                delivery.record(f"{name} dead", {"why": outcome.words})
            raise
        if not told.get("id"):
            raise Unsure("it was published and the post's number was not named")
        return Receipt(remote_id=str(told["id"]), permalink=self._permalink(str(told["id"])))

    def _permalink(self, remote_id: str) -> str:
        """Where it is read; "" where that cannot be told now, for the post is there all the same."""
        try:
            return str(self.read(remote_id, fields="permalink").get("permalink", ""))
        except Outcome:
            return ""

    def _there(self, draft: Draft, container: str) -> Receipt | None:
        """The post in the account's own list. ``container`` is one that says that it is published, or ""."""
        fields = f"id,{self.text_field},permalink,timestamp"
        posts = self.read(f"{self.me}/{self.list_edge(draft)}", fields=fields, limit="100")
        for post in posts.get("data", []):
            said = str(post.get(self.text_field) or "")
            if parse_instant(post["timestamp"]) >= draft.since and _same(said, draft.text):
                return Receipt(remote_id=str(post["id"]), permalink=str(post.get("permalink", "")))
        if container and self.now() - draft.since > LISTED_WITHIN:
            return Receipt(remote_id=container)
        return None


def _names(draft: Draft) -> Iterator[str]:
    """The names of the draft's first container, and of those in place of dead ones."""
    return (draft.name if number == 1 else f"{draft.name} ({number})" for number in count(1))


def _same(said: str, text: str) -> bool:
    return " ".join(said.split()) == " ".join(text.split()) or same_words(said, text)
