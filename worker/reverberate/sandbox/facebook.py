"""Facebook Pages as their clients see them: the Graph API's Page feed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry
    from reverberate.sandbox.personality import Call

LIMIT = LIMITS["facebook"]
VERSION = re.compile(r"v\d+\.\d+")
FIRST_ID = 10**12
EXPIRED = 463
"""The subcode of a token whose time is over."""


class Facebook(Personality):
    """All Pages of a seed."""

    name = "facebook"

    def account_of(self, request: Request) -> str:
        """See Personality; the token may also stand in the address or in the form."""
        given = request.bearer or request.query.get("access_token") or request.form.get("access_token", "")
        return keys.owner(self.seed, self.name, given)

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; every path begins with the API's version."""
        if route is None or not VERSION.fullmatch(call.parts[0]):
            return _error(400, 2500, "Unknown path components", kind="OAuthException")
        return super().answer(route, call)

    def create(self, call: Call) -> Answer:
        """POST /:version/:page/feed."""
        page, message, link = self._page(call), call.said("message"), call.said("link")
        if call.parts[1] not in {page, "me"}:
            return _not_yours(call.parts[1])
        if not message and not link:
            return _error(400, 100, "Invalid parameter: message or link is needed")
        if count(message, LIMIT) > LIMIT.maximum:
            return _error(400, 100, "Invalid parameter: the message is too long")
        with self.ledger.lock:
            newest = self.ledger.newest(self.name, call.account, most=1)
            if newest and (newest[0].text, newest[0].link) == (message, link):
                return self.duplicate()
            post = f"{page}_{FIRST_ID + self.ledger.serial()}"
            place = f"{quote(call.account)}/posts/{post}"
            entry = self.accept(call, remote_id=post, place=place, text=message, link=link)
        asked = call.said("fields") or call.request.query.get("fields", "")
        return Answer.of(_shown(entry, call, asked=asked))

    def posts(self, call: Call) -> Answer:
        """GET /:version/:page/published_posts, /posts and /feed."""
        if call.parts[1] not in {self._page(call), "me"}:
            return _not_yours(call.parts[1])
        asked = call.request.query.get("fields", "created_time,message")
        found = self.listed(call, most=call.whole("limit", default=25, most=100))
        return Answer.of({"data": [_shown(entry, call, asked=asked) for entry in found]})

    def one(self, call: Call) -> Answer:
        """GET /:version/:id: the Page itself, or a post."""
        asked = call.request.query.get("fields", "")
        if call.parts[1] in {self._page(call), "me"}:
            return Answer.of({"id": self._page(call), "name": call.account})
        entry = call.view.shows(self.own(call, call.parts[1]))
        return (
            Answer.of(_shown(entry, call, asked=asked or "created_time,message"))
            if entry
            else _not_yours(call.parts[1])
        )

    def edit(self, call: Call) -> Answer:
        """POST /:version/:post."""
        entry, message = self.own(call, call.parts[1]), call.said("message")
        if entry is None or not message:
            return _not_yours(call.parts[1])
        self.ledger.edit(replace(entry, text=message), at=call.now)
        return Answer.of({"success": True})

    def delete(self, call: Call) -> Answer:
        """DELETE /:version/:post."""
        entry = self.own(call, call.parts[1])
        if entry is None:
            return _not_yours(call.parts[1])
        self.ledger.delete(entry, at=call.now)
        return Answer.of({"success": True})

    routes = (
        Route("POST", "/*/*/feed", Purpose.PUBLISH, create),
        Route("GET", "/*/*/published_posts", Purpose.LIST, posts),
        Route("GET", "/*/*/posts", Purpose.LIST, posts),
        Route("GET", "/*/*/feed", Purpose.LIST, posts),
        Route("GET", "/*/*", Purpose.READ, one),
        Route("POST", "/*/*", Purpose.CHANGE, edit),
        Route("DELETE", "/*/*", Purpose.CHANGE, delete),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return _error(status, 2 if status >= 500 else 1, words, kind="OAuthException")

    def unauthorised(self) -> Answer:
        """See Personality."""
        words = "Error validating access token: the session is invalid."
        return _error(400, 190, words, kind="OAuthException", error_subcode=EXPIRED)

    def duplicate(self) -> Answer:
        """See Personality."""
        words = "Duplicate status message"
        return _error(
            400,
            506,
            words,
            error_user_msg="This was the last thing that was posted; it cannot be posted twice in a row.",
        )

    def exhausted(self) -> Answer:
        """See Personality."""
        return _error(429, 80001, "There have been too many calls to this Page account.", kind="OAuthException")

    def _page(self, call: Call) -> str:
        return keys.number(self.seed, self.name, call.account)


def _shown(entry: Entry, call: Call, *, asked: str) -> dict[str, Any]:
    """A post's id, and the fields that were asked for."""
    created = entry.at.split(".")[0] + "+0000"
    fields = {"created_time": created, "message": entry.text, "permalink_url": call.address(entry)}
    if entry.link:
        fields["attachments"] = {"data": [{"unshimmed_url": entry.link, "type": "share"}]}  # type: ignore[assignment]  # the one that is no text
    names = {name.partition("{")[0].strip() for name in asked.split(",")}
    return {"id": entry.remote_id} | {name: value for name, value in fields.items() if name in names}


def _not_yours(what: str) -> Answer:
    words = f"Unsupported request. Object with ID '{what}' does not exist or cannot be seen with these permissions."
    return _error(400, 100, words, error_subcode=33)


def _error(status: int, code: int, message: str, *, kind: str = "GraphMethodException", **more: Any) -> Answer:
    said = {"message": message, "type": kind, "code": code, "fbtrace_id": "sandbox"}
    return Answer.of({"error": said | more}, status)
