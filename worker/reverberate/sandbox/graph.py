"""Meta's networks as their clients see them: what the Graph API says, whoever asks for what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry
    from reverberate.sandbox.personality import Call, Route

VERSION = re.compile(r"v\d+\.\d+")
FIRST_ID = 10**12
EXPIRED = 463
"""The subcode of a token whose time is over."""


class GraphPersonality(Personality):
    """A network behind the Graph API."""

    def account_of(self, request: Request) -> str:
        """See Personality; the token may also stand in the address or in the form."""
        given = request.bearer or request.query.get("access_token") or request.form.get("access_token", "")
        return self.owner(given)

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; every path begins with the API's version."""
        if route is None or not VERSION.fullmatch(call.parts[0]):
            return error(400, 2500, "Unknown path components", kind="OAuthException")
        return super().answer(route, call)

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return error(status, 2 if status >= 500 else 1, words, kind="OAuthException")

    def unauthorised(self) -> Answer:
        """See Personality."""
        words = "Error validating access token: the session is invalid."
        return error(400, 190, words, kind="OAuthException", error_subcode=EXPIRED)

    def exhausted(self) -> Answer:
        """See Personality."""
        return error(429, 80001, "There have been too many calls to this account.", kind="OAuthException")

    def me(self, call: Call) -> str:
        """The account's own number."""
        return keys.number(self.seed, self.name, call.account)

    def is_me(self, call: Call) -> bool:
        """Whether the path names the account itself."""
        return call.parts[1] in {self.me(call), "me"}

    def delete(self, call: Call) -> Answer:
        """DELETE /:version/:post."""
        entry = self.own(call, call.parts[1])
        if entry is None:
            return not_yours(call.parts[1])
        self.ledger.delete(entry, at=call.now)
        return Answer.of({"success": True})


def when(entry: Entry) -> str:
    """An instant as the Graph API writes it."""
    return entry.at.split(".")[0] + "+0000"


def asked_for(fields: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """Those of an object's fields that were asked for."""
    names = {re.split(r"[.{]", name.strip())[0] for name in re.sub(r"\{[^{}]*\}", "", asked).split(",")}
    return {name: value for name, value in fields.items() if name in names}


def not_yours(what: str) -> Answer:
    """There is no such object, or none that these keys may see."""
    words = f"Unsupported request. Object with ID '{what}' does not exist or cannot be seen with these permissions."
    return error(400, 100, words, error_subcode=33)


def error(status: int, code: int, message: str, *, kind: str = "GraphMethodException", **more: Any) -> Answer:
    """An error of the Graph API."""
    said = {"message": message, "type": kind, "code": code, "fbtrace_id": "sandbox"}
    return Answer.of({"error": said | more}, status)
