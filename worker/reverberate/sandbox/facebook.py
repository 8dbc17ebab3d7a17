"""Facebook Pages as their clients see them: the Graph API's Page feed and photos."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.graph import FIRST_ID, GraphPersonality, asked_for, error, not_yours, when
from reverberate.sandbox.personality import Purpose, Route
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LIMIT = LIMITS["facebook"]


class Facebook(GraphPersonality):
    """All Pages of a seed."""

    name = "facebook"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self._photos: dict[str, dict[str, str]] = {}

    def upload(self, call: Call) -> Answer:
        """POST /:version/:page/photos, unpublished."""
        given = call.request.files
        if not self.is_me(call):
            return not_yours(call.parts[1])
        if not kind_of(data := given.get("source", b"")):
            return error(400, 324, "Requires upload file", kind="OAuthException", error_subcode=2069019)
        if given.get("published") != b"false":
            return error(400, 100, "Invalid parameter: the sandbox keeps photos for a post of the feed alone")
        number = str(uuid4().int % 10**15)
        alt = given.get("alt_text_custom", b"").decode(errors="replace")
        self._photos[number] = {"account": call.account, "cid": self._blobs.put(data), "alt": alt}
        return Answer.of({"id": number})

    def create(self, call: Call) -> Answer:
        """POST /:version/:page/feed."""
        page, message, link = self.me(call), call.said("message"), call.said("link")
        if not self.is_me(call):
            return not_yours(call.parts[1])
        photos = self._attached(call)
        if photos is None:
            return error(400, 100, "Invalid parameter: attached_media names a photo that is not there")
        if not message and not link and not photos:
            return error(400, 100, "Invalid parameter: message or link is needed")
        if count(message, LIMIT) > LIMIT.maximum:
            return error(400, 100, "Invalid parameter: the message is too long")
        with self.ledger.lock:
            newest = self.ledger.newest(self.name, call.account, most=1)
            if newest and (newest[0].text, newest[0].link) == (message, link):
                return self.duplicate()
            post = f"{page}_{FIRST_ID + self.ledger.serial()}"
            place = f"{quote(call.account)}/posts/{post}"
            details: dict[str, Any] = {"pictures": photos} if photos else {}
            entry = self.accept(call, remote_id=post, place=place, text=message, link=link, **details)
        asked = call.said("fields") or call.request.query.get("fields", "")
        return Answer.of(_shown(entry, call, asked=asked))

    def _attached(self, call: Call) -> list[dict[str, str]] | None:
        """The photos that a post shows; None if one is not there."""
        try:
            numbers = [str(one["media_fbid"]) for one in json.loads(call.said("attached_media") or "[]")]
            found = [self._photos[number] for number in numbers]
        except (ValueError, TypeError, KeyError):
            return None
        if any(photo["account"] != call.account for photo in found):
            return None
        return [{"cid": photo["cid"], "alt": photo["alt"]} for photo in found]

    def posts(self, call: Call) -> Answer:
        """GET /:version/:page/published_posts, /posts and /feed."""
        if not self.is_me(call):
            return not_yours(call.parts[1])
        asked = call.request.query.get("fields", "created_time,message")
        found = self.listed(call, most=call.whole("limit", default=25, most=100))
        return Answer.of({"data": [_shown(entry, call, asked=asked) for entry in found]})

    def one(self, call: Call) -> Answer:
        """GET /:version/:id: the Page itself, or a post."""
        if self.is_me(call):
            return Answer.of({"id": self.me(call), "name": call.account})
        entry = call.view.shows(self.own(call, call.parts[1]))
        asked = call.request.query.get("fields", "") or "created_time,message"
        return Answer.of(_shown(entry, call, asked=asked)) if entry else not_yours(call.parts[1])

    def edit(self, call: Call) -> Answer:
        """POST /:version/:post."""
        entry, message = self.own(call, call.parts[1]), call.said("message")
        if entry is None or not message:
            return not_yours(call.parts[1])
        self.ledger.edit(replace(entry, text=message), at=call.now)
        return Answer.of({"success": True})

    routes = (
        Route("POST", "/*/*/feed", Purpose.PUBLISH, create),
        Route("POST", "/*/*/photos", Purpose.OTHER, upload),
        Route("GET", "/*/*/published_posts", Purpose.LIST, posts),
        Route("GET", "/*/*/posts", Purpose.LIST, posts),
        Route("GET", "/*/*/feed", Purpose.LIST, posts),
        Route("GET", "/*/*", Purpose.READ, one),
        Route("POST", "/*/*", Purpose.CHANGE, edit),
        Route("DELETE", "/*/*", Purpose.CHANGE, GraphPersonality.delete),
    )

    def duplicate(self) -> Answer:
        """See Personality."""
        words = "This was the last thing that was posted; it cannot be posted twice in a row."
        return error(400, 506, "Duplicate status message", error_user_msg=words)


def _shown(entry: Entry, call: Call, *, asked: str) -> dict[str, Any]:
    """A post's id, and the fields that were asked for."""
    nobody = {"data": [], "summary": {"total_count": 0}}
    fields: dict[str, Any] = {"created_time": when(entry), "message": entry.text, "permalink_url": call.address(entry)}
    fields |= {"reactions": nobody, "comments": nobody}
    if entry.link:
        fields["attachments"] = {"data": [{"unshimmed_url": entry.link, "type": "share"}]}
    return {"id": entry.remote_id} | asked_for(fields, asked)
