"""Instagram as its clients see it: containers of pictures, and posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverberate.sandbox.containers import ContainerPersonality
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.graph import GraphPersonality, error, not_yours
from reverberate.sandbox.personality import Purpose, Route
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.personality import Call


class Instagram(ContainerPersonality):
    """All professional accounts of a seed."""

    name, limit = "instagram", LIMITS["instagram"]
    text_field, state_field, words_field = "caption", "status_code", "status"
    takes = frozenset({"image/jpeg"})

    def refusal(self, call: Call) -> Answer | None:
        """See ContainerPersonality."""
        if not call.said("image_url"):
            return error(400, 100, "The parameter image_url is required.", kind="OAuthException", error_subcode=2207065)
        return None

    def posts(self, call: Call) -> Answer:
        """GET /:version/:account/media."""
        if not self.is_me(call):
            return not_yours(call.parts[1])
        found = self.listed(call, most=call.whole("limit", default=25, most=100))
        asked = call.request.query.get("fields", "")
        return Answer.of({"data": [self.shown(entry, call, asked=asked) for entry in found]})

    routes = (
        Route("POST", "/*/*/media", Purpose.OTHER, ContainerPersonality.make),
        Route("POST", "/*/*/media_publish", Purpose.PUBLISH, ContainerPersonality.publish),
        Route("GET", "/*/*/media", Purpose.LIST, posts),
        Route("GET", "/*/*/content_publishing_limit", Purpose.OTHER, ContainerPersonality.limits),
        Route("GET", "/*/*", Purpose.READ, ContainerPersonality.one),
        Route("DELETE", "/*/*", Purpose.CHANGE, GraphPersonality.delete),
    )
