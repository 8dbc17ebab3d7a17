"""Google Business Profile as its clients see it: a location's local posts."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from reverberate.sandbox import keys
from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.containers import fetched
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LIMIT = LIMITS["google_business"]
RPC = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
RPC |= {409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
BUTTONS = {"BOOK", "ORDER", "SHOP", "LEARN_MORE", "SIGN_UP"}


class GoogleBusiness(Personality):
    """All locations of a seed."""

    name = "google_business"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer)

    def create(self, call: Call) -> Answer:
        """POST /v4/accounts/:account/locations/:location/localPosts."""
        given, summary = call.request.fields, call.said("summary")
        button = given.get("callToAction") or {}
        if not self._is_mine(call):
            return self.problem(403, "The caller does not have permission")
        if not summary or count(summary, LIMIT) > LIMIT.maximum or given.get("topicType") != "STANDARD":
            return self.problem(400, "Request contains an invalid argument: summary or topicType")
        if button.get("actionType") not in BUTTONS or not str(button.get("url", "")).startswith("http"):
            return self.problem(400, "Request contains an invalid argument: callToAction")
        photos = [str(one.get("sourceUrl", "")) for one in given.get("media", [])]
        data = [fetched(address) for address in photos]
        if not all(map(kind_of, data)):
            return self.problem(400, "Request contains an invalid argument: a photo cannot be fetched")
        shown = {"pictures": [{"cid": self._blobs.put(one), "alt": ""} for one in data]} if data else {}
        number = str(10**18 + uuid4().int % 10**18)
        details: dict[str, Any] = shown | {"button": button["actionType"]}
        entry = self.accept(
            call,
            remote_id=f"accounts/{call.parts[0]}/locations/{call.parts[1]}/localPosts/{number}",
            place=f"{call.account}/{number}",
            text=summary,
            link=str(button["url"]),
            **details,
        )
        return Answer.of(_shown(entry, call))

    def posts(self, call: Call) -> Answer:
        """GET of the same: newest first."""
        if not self._is_mine(call):
            return self.problem(403, "The caller does not have permission")
        found = self.listed(call, most=call.whole("pageSize", default=10, most=100))
        return Answer.of({"localPosts": [_shown(entry, call) for entry in found]} if found else {})

    def edit(self, call: Call) -> Answer:
        """PATCH of one, its summary alone."""
        entry = self._one(call)
        if entry is None:
            return self.problem(404, "Requested entity was not found.")
        if call.request.query.get("updateMask") != "summary" or not call.said("summary"):
            return self.problem(400, "Request contains an invalid argument: updateMask")
        edited = self.ledger.edit(replace(entry, text=call.said("summary")), at=call.now)
        return Answer.of(_shown(edited, call))

    def delete(self, call: Call) -> Answer:
        """DELETE of one."""
        entry = self._one(call)
        if entry is None:
            return self.problem(404, "Requested entity was not found.")
        self.ledger.delete(entry, at=call.now)
        return Answer.of({})

    routes = (
        Route("POST", "/v4/accounts/*/locations/*/localPosts", Purpose.PUBLISH, create),
        Route("GET", "/v4/accounts/*/locations/*/localPosts", Purpose.LIST, posts),
        Route("PATCH", "/v4/accounts/*/locations/*/localPosts/*", Purpose.CHANGE, edit),
        Route("DELETE", "/v4/accounts/*/locations/*/localPosts/*", Purpose.CHANGE, delete),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        name = RPC.get(status, HTTPStatus(status).name if status in set(HTTPStatus) else "UNKNOWN")
        return Answer.of({"error": {"code": status, "message": words, "status": name}}, status)

    def _one(self, call: Call) -> Entry | None:
        account, location, number = call.parts
        return self.own(call, f"accounts/{account}/locations/{location}/localPosts/{number}")

    def _is_mine(self, call: Call) -> bool:
        return set(call.parts[:2]) == {keys.number(self.seed, self.name, call.account)}


def _shown(entry: Entry, call: Call) -> dict[str, Any]:
    button = {"actionType": entry.details["button"], "url": entry.link}
    stamped = {"state": "LIVE", "createTime": entry.at, "updateTime": entry.at, "topicType": "STANDARD"}
    told = {"name": entry.remote_id, "summary": entry.text, "callToAction": button, "searchUrl": call.address(entry)}
    return told | stamped
