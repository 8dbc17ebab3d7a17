"""Discord as its clients see it: a channel's webhook, and the same channel for a bot."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

HOOK = re.compile(r"/discord/webhooks/(\d+)/([\w-]+)")
NONCE_HOLDS = timedelta(minutes=5)
LONGEST = 2000
ESCAPED = re.compile(r"\\([\\*_~`|<>\[\]#+-])")
FIRST_ID = 1_300_000_000_000_000_000


class Discord(Personality):
    """One guild, with a channel for each account of a seed."""

    name = "discord"
    reset_header = "X-RateLimit-Reset"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs

    def account_of(self, request: Request) -> str:
        """See Personality: by the webhook's address, or by the bot's token."""
        if found := HOOK.match(request.path):
            account = found[2].rpartition("-")[0]
            return account if account and keys.same(f"{found[1]}/{found[2]}", keys.hook(self.seed, account)) else ""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return keys.owner(self.seed, self.name, token) if kind == "Bot" else ""

    def create(self, call: Call) -> Answer:
        """POST /webhooks/:id/:token, and /channels/:id/messages."""
        asked = _asked(call)
        if refusal := self._refusal(call, asked):
            return refusal
        nonce = str(asked.get("nonce") or "") if asked.get("enforce_nonce") else ""
        with self.ledger.lock:
            before = self.ledger.under(self.name, call.account, nonce) if nonce else None
            if before and call.now - before.when < NONCE_HOLDS:
                return Answer.of(self._shown(before, call))
            remote_id = str(FIRST_ID + self.ledger.serial())
            place = f"channels/{keys.number(self.seed, 'guild')}/{self._channel(call.account)}/{remote_id}"
            entry = self.accept(call, remote_id=remote_id, place=place, key=nonce, **self._kept(call, asked))
        waits = call.request.query.get("wait") == "true" or "webhooks" not in call.request.path
        return Answer.of(self._shown(entry, call)) if waits else Answer(status=204)

    def edit(self, call: Call) -> Answer:
        """PATCH of a message."""
        entry, asked = self.own(call, call.parts[-1]), _asked(call)
        if entry is None:
            return self._unknown("Message", 10008)
        if refusal := self._refusal(call, asked):
            return refusal
        return Answer.of(self._shown(self.ledger.edit(replace(entry, **self._kept(call, asked)), at=call.now), call))

    def delete(self, call: Call) -> Answer:
        """DELETE of a message."""
        entry = self.own(call, call.parts[-1])
        if entry is None:
            return self._unknown("Message", 10008)
        self.ledger.delete(entry, at=call.now)
        return Answer(status=204)

    def one(self, call: Call) -> Answer:
        """GET of a message."""
        entry = call.view.shows(self.own(call, call.parts[-1]))
        return Answer.of(self._shown(entry, call)) if entry else self._unknown("Message", 10008)

    def posts(self, call: Call) -> Answer:
        """GET /channels/:id/messages."""
        found = self.listed(call, most=call.whole("limit", default=50, most=100))
        return Answer.of([self._shown(entry, call) for entry in found])

    def hook(self, call: Call) -> Answer:
        """GET /webhooks/:id/:token."""
        told = {
            "id": call.parts[0],
            "type": 1,
            "name": f"{call.account}'s blog",
            "avatar": None,
            "application_id": None,
        }
        place = {"channel_id": self._channel(call.account), "guild_id": keys.number(self.seed, "guild")}
        return Answer.of(told | place)

    def channel(self, call: Call) -> Answer:
        """GET /channels/:id."""
        if call.parts[0] != self._channel(call.account):
            return self._unknown("Channel", 10003)
        told = {"id": call.parts[0], "type": 0, "flags": 0, "guild_id": keys.number(self.seed, "guild"), "position": 1}
        return Answer.of(told | {"name": call.account})

    def me(self, call: Call) -> Answer:
        """GET /users/@me."""
        return Answer.of(self._user(call.account) | {"mfa_enabled": False, "locale": "en-US"})

    routes = (
        Route("POST", "/webhooks/*/*", Purpose.PUBLISH, create),
        Route("GET", "/webhooks/*/*", Purpose.OTHER, hook),
        Route("PATCH", "/webhooks/*/*/messages/*", Purpose.CHANGE, edit),
        Route("DELETE", "/webhooks/*/*/messages/*", Purpose.CHANGE, delete),
        Route("POST", "/channels/*/messages", Purpose.PUBLISH, create),
        Route("GET", "/channels/*/messages", Purpose.LIST, posts),
        Route("GET", "/channels/*/messages/*", Purpose.READ, one),
        Route("PATCH", "/channels/*/messages/*", Purpose.CHANGE, edit),
        Route("DELETE", "/channels/*/messages/*", Purpose.CHANGE, delete),
        Route("GET", "/channels/*", Purpose.OTHER, channel),
        Route("GET", "/users/@me", Purpose.OTHER, me),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"message": words, "code": 0}, status)

    def unauthorised(self) -> Answer:
        """See Personality: to both, though a webhook that is none would be 404."""
        return self.problem(401, "401: Unauthorized")

    def exhausted(self) -> Answer:
        """See Personality."""
        return Answer.of({"message": "You are being rate limited.", "retry_after": 1.0, "global": False}, 429)

    def _refusal(self, call: Call, asked: Mapping[str, Any]) -> Answer | None:
        if "channels" in call.request.path and call.parts[0] != self._channel(call.account):
            return self._unknown("Channel", 10003)
        content, embeds = str(asked.get("content") or ""), asked.get("embeds") or []
        if not content.strip() and not embeds:
            return Answer.of({"message": "Cannot send an empty message", "code": 50006}, 400)
        if len(content) > LONGEST:
            field = {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}
            return Answer.of({"message": "Invalid Form Body", "code": 50035, "errors": {"content": field}}, 400)
        return None

    def _kept(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the ledger keeps of a message."""
        content, embeds = str(asked.get("content") or ""), list(asked.get("embeds") or [])
        pictures = [
            {"cid": self._blobs.put(part), "alt": ""}
            for name, part in call.request.files.items()
            if name.startswith("files[")
        ]
        first = embeds[0] if embeds else {}
        card = {name: ESCAPED.sub(r"\1", str(first[name])) for name in ("title", "description") if name in first}
        details = {"content": content, "embeds": embeds, "pictures": pictures, "card": card}
        kept = {"text": ESCAPED.sub(r"\1", content), "link": str(first.get("url", ""))}
        return kept | (details if call.request.method == "POST" else {"details": details})

    def _shown(self, entry: Entry, call: Call) -> dict[str, Any]:
        """A message as Discord tells it."""
        names = ("mentions", "mention_roles", "attachments", "components")
        told = {"id": entry.remote_id, "channel_id": self._channel(entry.account), "type": 0, "timestamp": entry.at}
        told |= {name: [] for name in names} | dict.fromkeys(("pinned", "mention_everyone", "tts"), False)
        told |= {"content": entry.details["content"], "author": self._user(entry.account), "flags": 0}
        told["embeds"] = [{"type": "rich", **_without_files(one, call)} for one in entry.details["embeds"]]
        return told | {"edited_timestamp": None} | ({"nonce": entry.key} if entry.key else {})

    def _user(self, account: str) -> dict[str, Any]:
        bare = dict.fromkeys(("avatar", "global_name", "primary_guild"))
        number = keys.number(self.seed, self.name, account, "bot")
        return {"id": number, "username": account, "discriminator": "0", "public_flags": 0, "flags": 0, **bare}

    def _channel(self, account: str) -> str:
        return keys.number(self.seed, self.name, account)

    def _unknown(self, what: str, code: int) -> Answer:
        return Answer.of({"message": f"Unknown {what}", "code": code}, 404)


def _asked(call: Call) -> Mapping[str, Any]:
    """The message, whether it came as JSON or as a part beside files."""
    if part := call.request.files.get("payload_json"):
        try:
            document = json.loads(part)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
    return call.request.fields


def _without_files(embed: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """An embed as it is told: its picture has an address by then."""
    if "image" not in embed:
        return dict(embed)
    return {**embed, "image": {"url": f"{call.request.base}/picture.png"}}
