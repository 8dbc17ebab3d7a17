"""A receiver of Standard Webhooks that keeps the specification: it checks the signature, and takes each id once."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.personality import Call

CLOCKS_DIFFER = 300


class Webhook(Personality):
    """One receiver for each account of a seed."""

    name = "webhook"

    def account_of(self, request: Request) -> str:
        """See Personality: the path names it; whether it is, the signature tells."""
        return request.path.removeprefix("/webhook/").split("/")[0]

    def admits(self, call: Call) -> bool:
        """See Personality: signed with the account's secret, and not long ago."""
        request, headers = call.request, call.request.headers
        if request.method == "HEAD":
            return True
        stamp, message_id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
        if not stamp.isdecimal() or abs(int(stamp) - call.now.timestamp()) > CLOCKS_DIFFER or not message_id:
            return False
        secret = keys.credentials(self.seed, self.name, call.account)["secret"].removeprefix("whsec_")
        signed = f"{message_id}.{stamp}.".encode() + request.body
        digest = base64.b64encode(hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()).decode()
        given = headers.get("webhook-signature", "").split(" ")
        return any(keys.same(one, f"v1,{digest}") for one in given)

    def take(self, call: Call) -> Answer:
        """POST of an event."""
        event, message_id = call.request.json, call.request.headers["webhook-id"]
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            return self.problem(400, "an event is a JSON object with data")
        match event.get("type"):
            case "post.shared":
                return self._shared(call, message_id, data)
            case "post.edited" | "post.deleted" as kind:
                return self._changed(call, kind, data)
            case _:
                return Answer(status=204)

    def there(self, call: Call) -> Answer:
        """HEAD: somebody is there, and takes no such questions."""
        del call
        return Answer(status=405)

    routes = (Route("POST", "/*", Purpose.PUBLISH, take), Route("HEAD", "/*", Purpose.OTHER, there))

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"error": words}, status)

    def _shared(self, call: Call, message_id: str, data: Mapping[str, Any]) -> Answer:
        card = {"title": str(data.get("title", "")), "description": str(data.get("summary", ""))}
        with self.ledger.lock:
            if self.ledger.under(self.name, call.account, message_id) is None:
                text, link = str(data.get("text", "")), str(data.get("link", ""))
                place = f"{quote(call.account)}/{quote(message_id)}"
                self.accept(call, remote_id=message_id, place=place, text=text, link=link, key=message_id, card=card)
        return Answer(status=204)

    def _changed(self, call: Call, kind: str, data: Mapping[str, Any]) -> Answer:
        with self.ledger.lock:
            entry = self.own(call, str(data.get("key", "")))
            if entry and kind == "post.deleted":
                self.ledger.delete(entry, at=call.now)
            elif entry:
                self.ledger.edit(replace(entry, text=str(data.get("text", ""))), at=call.now)
        return Answer(status=204)
