"""Mastodon as its clients see it: statuses with Idempotency-Key, the instance's limits, the account's own list."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.ledger import Entry
from reverberate.sandbox.server import Answer
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.ledger import Ledger
    from reverberate.sandbox.server import Request

NAME = "mastodon"
KEY_SECONDS = 3600
LINK = re.compile(r"https?://[^\s&<]+")


class Mastodon:
    """One server for all accounts of a seed."""

    def __init__(self, seed: str, ledger: Ledger) -> None:
        self._seed, self._ledger = seed, ledger

    def answer(self, request: Request, path: str) -> Answer:
        """``path`` is what follows the network's own prefix."""
        if request.method == "GET" and path in {"/api/v2/instance", "/api/v1/instance"}:
            statuses = {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23}
            return Answer.of({"title": "Sandbox", "version": "4.7.2", "configuration": {"statuses": statuses}})
        account = keys.owner(self._seed, NAME, request.bearer)
        if not account:
            return Answer.of({"error": "The access token is invalid"}, 401)
        mine = keys.number(self._seed, NAME, account)
        match request.method, path.strip("/").split("/")[2:]:
            case "POST", ["statuses"]:
                return self._create(request, account)
            case "GET", ["accounts", "verify_credentials"]:
                return Answer.of({"id": mine, "username": account, "acct": account})
            case "GET", ["accounts", user, "statuses"] if user == mine:
                most = int(request.query.get("limit", "20"))
                return Answer.of([_shown(entry) for entry in self._ledger.of(NAME, account)[:most]])
            case _:
                return Answer.of({"error": "Record not found"}, 404)

    def _create(self, request: Request, account: str) -> Answer:
        given = request.json if isinstance(request.json, dict) else request.form
        text, key = str(given.get("status") or ""), request.headers.get("idempotency-key", "")
        if not text.strip():
            return Answer.of({"error": "Validation failed: Text can't be blank"}, 422)
        if count(text, LIMITS[NAME]) > 500:
            return Answer.of({"error": "Validation failed: Text character limit of 500 exceeded"}, 422)
        with self._ledger.lock:
            for entry in self._ledger.of(NAME, account):
                if (
                    key
                    and entry.key == key
                    and time.time() - datetime.fromisoformat(entry.at).timestamp() < KEY_SECONDS
                ):
                    return Answer.of(_shown(entry))
            remote_id = str(110_000_000_000_000_000 + len(self._ledger.of(NAME)))
            link = f"{request.base}/web/mastodon/@{account}/{remote_id}"
            made = Entry(network=NAME, account=account, remote_id=remote_id, permalink=link, text=text, key=key)
            self._ledger.add(made)
        reset = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="microseconds")
        return Answer.of(_shown(made), X_RateLimit_Limit="300", X_RateLimit_Remaining="299", X_RateLimit_Reset=reset)


def _shown(entry: Entry) -> dict[str, Any]:
    linked = LINK.sub(lambda m: f'<a href="{m[0]}" rel="nofollow">{m[0]}</a>', html.escape(entry.text, quote=False))
    content = "<p>" + linked.replace("\n\n", "</p><p>").replace("\n", "<br />") + "</p>"
    shown = {"id": entry.remote_id, "url": entry.permalink, "uri": entry.permalink, "created_at": entry.at}
    return shown | {"content": content, "visibility": "public", "application": {"name": "sandbox"}}
