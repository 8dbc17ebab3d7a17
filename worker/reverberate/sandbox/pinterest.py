"""Pinterest as its clients see it: pins with their pictures on a board, API v5."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LONGEST = {"title": 100, "description": 800, "alt_text": 500, "link": 2048}
FIRST_ID = 900_000_000_000_000_000


class Pinterest(Personality):
    """One board for each account of a seed."""

    name = "pinterest"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer)

    def create(self, call: Call) -> Answer:
        """POST /pins."""
        if call.said("board_id") != self._board(call):
            return Answer.of({"code": 40, "message": "Board not found."}, 404)
        if trouble := _too_long(call):
            return self.problem(400, trouble)
        contents = _picture(call)
        if not kind_of(contents):
            return self.problem(400, "The image in media_source cannot be read.")
        with self.ledger.lock:
            number = str(FIRST_ID + self.ledger.serial())
            kept = {name: call.said(name) for name in ("title", "alt_text")}
            entry = self.accept(
                call,
                remote_id=number,
                place=f"pin/{number}/",
                text=call.said("description"),
                link=call.said("link"),
                card={"title": kept["title"]},
                pictures=[{"cid": self._blobs.put(contents), "alt": kept["alt_text"]}],
                **kept,
            )
        return Answer.of(self._shown(entry), 201)

    def edit(self, call: Call) -> Answer:
        """PATCH /pins/:id."""
        entry = self.own(call, call.parts[0])
        if entry is None:
            return self._not_found()
        if trouble := _too_long(call):
            return self.problem(400, trouble)
        details = entry.details | {"title": call.said("title"), "card": {"title": call.said("title")}}
        changed = replace(entry, text=call.said("description"), link=call.said("link"), details=details)
        return Answer.of(self._shown(self.ledger.edit(changed, at=call.now)))

    def delete(self, call: Call) -> Answer:
        """DELETE /pins/:id."""
        entry = self.own(call, call.parts[0])
        if entry is None:
            return self._not_found()
        self.ledger.delete(entry, at=call.now)
        return Answer(status=204)

    def one(self, call: Call) -> Answer:
        """GET /pins/:id."""
        entry = call.view.shows(self.own(call, call.parts[0]))
        if entry is None:
            return self._not_found()
        metrics = {
            "lifetime_metrics": {"pin_click": 0, "impression": 0, "clickthrough": 0, "reaction": 0, "comment": 0}
        }
        asked = call.request.query.get("pin_metrics") == "true"
        return Answer.of(self._shown(entry) | ({"pin_metrics": metrics} if asked else {}))

    def posts(self, call: Call) -> Answer:
        """GET /boards/:id/pins."""
        if call.parts[0] != self._board(call):
            return Answer.of({"code": 40, "message": "Board not found."}, 404)
        found = self.listed(call, most=call.whole("page_size", default=25, most=250))
        return Answer.of({"items": [self._shown(entry) for entry in found], "bookmark": None})

    def board(self, call: Call) -> Answer:
        """GET /boards/:id."""
        if call.parts[0] != self._board(call):
            return Answer.of({"code": 40, "message": "Board not found."}, 404)
        return Answer.of({"id": call.parts[0], "name": f"{call.account}'s blog", "privacy": "PUBLIC"})

    def me(self, call: Call) -> Answer:
        """GET /user_account."""
        return Answer.of({"username": call.account, "account_type": "BUSINESS"})

    routes = (
        Route("POST", "/pins", Purpose.PUBLISH, create),
        Route("PATCH", "/pins/*", Purpose.CHANGE, edit),
        Route("DELETE", "/pins/*", Purpose.CHANGE, delete),
        Route("GET", "/pins/*", Purpose.READ, one),
        Route("GET", "/boards/*/pins", Purpose.LIST, posts),
        Route("GET", "/boards/*", Purpose.OTHER, board),
        Route("GET", "/user_account", Purpose.OTHER, me),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        codes = {400: 1, 401: 2, 403: 29, 404: 50, 429: 8}
        return Answer.of({"code": codes.get(status, 11), "message": words}, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return self.problem(401, "Authentication failed.")

    def _board(self, call: Call) -> str:
        return keys.number(self.seed, self.name, call.account)

    def _not_found(self) -> Answer:
        return self.problem(404, "Pin not found.")

    def _shown(self, entry: Entry) -> dict[str, Any]:
        kept = {name: entry.details[name] for name in ("title", "alt_text")}
        told = {"id": entry.remote_id, "created_at": entry.at, "link": entry.link or None}
        board = keys.number(self.seed, self.name, entry.account)
        return told | kept | {"description": entry.text, "board_id": board, "creative_type": "REGULAR"}


def _too_long(call: Call) -> str:
    found = next((name for name, most in LONGEST.items() if len(call.said(name)) > most), "")
    return f"Invalid request: {found} is longer than {LONGEST[found]} characters" if found else ""


def _picture(call: Call) -> bytes:
    """The picture of a pin that brings one; nothing if it brings none."""
    source = call.request.fields.get("media_source")
    if not isinstance(source, dict) or source.get("source_type") != "image_base64":
        return b""
    try:
        return base64.b64decode(str(source.get("data", "")), validate=True)
    except binascii.Error:
        return b""
