"""Threads as its clients see it: containers, posts, replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverberate.sandbox.containers import ContainerPersonality
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.graph import GraphPersonality, error, not_yours
from reverberate.sandbox.personality import Purpose, Route
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.ledger import Entry
    from reverberate.sandbox.personality import Call


class Threads(ContainerPersonality):
    """All profiles of a seed."""

    name, limit = "threads", LIMITS["threads"]
    text_field, state_field, words_field = "text", "status", "error_message"
    takes = frozenset({"image/jpeg", "image/png"})

    def refusal(self, call: Call) -> Answer | None:
        """See ContainerPersonality."""
        kind, answers = call.said("media_type"), call.said("reply_to_id")
        if kind not in {"TEXT", "IMAGE"} or (kind == "IMAGE") != bool(call.said("image_url")):
            return error(400, 100, "Invalid parameter: media_type", kind="THApiException")
        if kind == "TEXT" and not call.said("text"):
            return error(400, 100, "Invalid parameter: text is needed", kind="THApiException")
        return not_yours(answers) if answers and self.own(call, answers) is None else None

    def posts(self, call: Call) -> Answer:
        """GET /:version/:account/threads: what answers nothing."""
        return self._list(call, replies=False)

    def replies(self, call: Call) -> Answer:
        """GET /:version/:account/replies."""
        return self._list(call, replies=True)

    def insights(self, call: Call) -> Answer:
        """GET /:version/:post/insights: nobody has seen it."""
        if self.own(call, call.parts[1]) is None:
            return not_yours(call.parts[1])
        names = call.request.query.get("metric", "").split(",")
        return Answer.of({"data": [{"name": name, "period": "lifetime", "values": [{"value": 0}]} for name in names]})

    def _list(self, call: Call, *, replies: bool) -> Answer:
        if not self.is_me(call):
            return not_yours(call.parts[1])

        def wanted(entry: Entry) -> bool:
            return bool(entry.details.get("reply_to")) == replies

        found = self.listed(call, most=call.whole("limit", default=25, most=100), where=wanted)
        asked = call.request.query.get("fields", "")
        return Answer.of({"data": [self.shown(entry, call, asked=asked) for entry in found]})

    routes = (
        Route("POST", "/*/*/threads", Purpose.OTHER, ContainerPersonality.make),
        Route("POST", "/*/*/threads_publish", Purpose.PUBLISH, ContainerPersonality.publish),
        Route("GET", "/*/*/threads", Purpose.LIST, posts),
        Route("GET", "/*/*/replies", Purpose.LIST, replies),
        Route("GET", "/*/*/threads_publishing_limit", Purpose.OTHER, ContainerPersonality.limits),
        Route("GET", "/*/*/insights", Purpose.OTHER, insights),
        Route("GET", "/*/*", Purpose.READ, ContainerPersonality.one),
        Route("DELETE", "/*/*", Purpose.CHANGE, GraphPersonality.delete),
    )
