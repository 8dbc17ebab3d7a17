"""X as its clients see it: API v2 with OAuth 1.0a, signatures verified."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from reverberate.sandbox import keys
from reverberate.sandbox.ledger import Entry
from reverberate.sandbox.server import Answer
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.ledger import Ledger
    from reverberate.sandbox.server import Request

NAME = "twitter"
LINK = re.compile(r"https?://\S+")
FORGETS_AFTER = 100
"""So many of an account's newest posts are compared with a new one."""


class _Keys(RequestValidator):
    """What oauthlib asks about keys, answered from the seed."""

    enforce_ssl = False
    client_key_length = request_token_length = access_token_length = nonce_length = (8, 120)
    safe_characters = property(lambda _self: set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"))

    def __init__(self, seed: str) -> None:
        super().__init__()
        self.seed, self.seen = seed, set[tuple[str, str]]()

    dummy_client = "no client"
    dummy_access_token = "no token"  # noqa: S105 - oauthlib's name for "compare with something all the same"

    def validate_timestamp_and_nonce(  # noqa: PLR0917 - the base's signature
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        del client_key, request, request_token, access_token
        fresh = (timestamp, nonce) not in self.seen and abs(time.time() - int(timestamp)) < 300
        self.seen.add((timestamp, nonce))
        return fresh

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        del request
        return client_key == keys.draw(self.seed, NAME, "app")

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        del client_key, request
        return bool(self.account(token))

    def validate_realms(self, client_key: str, token: str, request: Any, uri: Any = None, realms: Any = None) -> bool:
        del client_key, token, request, uri, realms
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        del client_key
        return keys.credentials(self.seed, NAME, self.account(request.resource_owner_key))["consumer_secret"]

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        del client_key, request
        return keys.credentials(self.seed, NAME, self.account(token))["access_token_secret"]

    def account(self, token: str) -> str:
        """The account whose access token this is, or ""."""
        user, _, rest = (token or "").partition("-")
        account = keys.owner(self.seed, NAME, rest)
        return account if account and user == keys.number(self.seed, NAME, account) else ""


class Twitter:
    """One X for all accounts of a seed."""

    def __init__(self, seed: str, ledger: Ledger) -> None:
        self._seed, self._ledger, self._keys = seed, ledger, _Keys(seed)
        self._endpoint = ResourceEndpoint(self._keys)

    def answer(self, request: Request, path: str) -> Answer:
        """``path`` is what follows the network's own prefix."""
        account = self._signed_by(request)
        if not account:
            return _problem(401, "Unauthorized", "Unauthorized")
        match request.method, path.strip("/").split("/"):
            case "POST", ["2", "tweets"]:
                return self._create(request, account)
            case "DELETE", ["2", "tweets", _]:
                return Answer.of({"data": {"deleted": True}})
            case "GET", ["2", "users", "me"]:
                user = keys.number(self._seed, NAME, account)
                return Answer.of({"data": {"id": user, "name": account, "username": account}})
            case "GET", ["2", "users", _, "tweets"]:
                return self._list(request, account)
            case _:
                return _problem(404, "Not Found", f"no such endpoint: {request.method} {path}")

    def _signed_by(self, request: Request) -> str:
        headers = {"Authorization": request.headers.get("authorization", "")}
        headers["Content-Type"] = request.headers.get("content-type", "")
        try:
            valid, signed = self._endpoint.validate_protected_resource_request(
                request.base + request.target, request.method, request.body.decode(errors="replace"), headers
            )
        except ValueError:
            return ""
        return self._keys.account(signed.resource_owner_key) if valid else ""

    def _create(self, request: Request, account: str) -> Answer:
        post = request.json if isinstance(request.json, dict) else {}
        text = post.get("text")
        if not isinstance(text, str) or not text or set(post) - {"text", "reply", "media", "reply_settings"}:
            return _problem(
                400, "Invalid Request", "One or more parameters to your request was invalid.", "invalid-request"
            )
        if count(text, LIMITS[NAME]) > LIMITS[NAME].maximum:
            return _problem(403, "Forbidden", "Your Tweet text is too long.")
        with self._ledger.lock:
            mine = self._ledger.of(NAME, account)
            if any(entry.text == text for entry in mine[:FORGETS_AFTER]):
                return _problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
            remote_id = str(1_900_000_000_000_000_000 + len(self._ledger.of(NAME)))
            link = f"{request.base}/web/twitter/{account}/status/{remote_id}"
            reply = post.get("reply", {}).get("in_reply_to_tweet_id", "")
            self._ledger.add(
                Entry(
                    network=NAME,
                    account=account,
                    remote_id=remote_id,
                    permalink=link,
                    text=text,
                    details={"reply": reply},
                )
            )
        return Answer.of({"data": {"id": remote_id, "text": text, "edit_history_tweet_ids": [remote_id]}}, 201)

    def _list(self, request: Request, account: str) -> Answer:
        most = int(request.query.get("max_results", "10"))
        if not 5 <= most <= 100:
            return _problem(400, "Invalid Request", "max_results is not between 5 and 100", "invalid-request")
        posts = [
            {"id": entry.remote_id, "text": LINK.sub("https://t.co/short", entry.text), "created_at": entry.at}
            | {
                "entities": {
                    "urls": [{"url": "https://t.co/short", "expanded_url": u} for u in LINK.findall(entry.text)]
                }
            }
            for entry in self._ledger.of(NAME, account)[:most]
        ]
        return Answer.of(
            {"data": posts, "meta": {"result_count": len(posts)}} if posts else {"meta": {"result_count": 0}}
        )


def _problem(status: int, title: str, detail: str, kind: str = "") -> Answer:
    name = f"https://api.twitter.com/2/problems/{kind}" if kind else "about:blank"
    return Answer.of({"title": title, "detail": detail, "type": name, "status": status}, status)
