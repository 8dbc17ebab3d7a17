"""A Bluesky PDS as its clients see it: sessions, records under keys that the client chooses, handles."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.ledger import Entry
from reverberate.sandbox.server import Answer
from reverberate.text.count import fits
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.sandbox.ledger import Ledger
    from reverberate.sandbox.server import Request

NAME = "bluesky"
KEY = re.compile(r"[234567abcdefghij][234567a-z]{12}")


class Bluesky:
    """One PDS for all accounts of a seed."""

    def __init__(self, seed: str, ledger: Ledger) -> None:
        self._seed, self._ledger = seed, ledger

    def answer(self, request: Request, path: str) -> Answer:
        """``path`` is what follows the network's own prefix."""
        match request.method, path.removeprefix("/xrpc/"):
            case "POST", "com.atproto.server.createSession":
                return self._sign_in(request)
            case "POST", "com.atproto.server.refreshSession":
                return self._refresh(request)
            case "GET", "com.atproto.repo.getRecord":
                return self._get(request)
            case "GET", "com.atproto.identity.resolveHandle":
                account = request.query.get("handle", "").removesuffix(".sandbox.test")
                known = request.query.get("handle", "").endswith(".sandbox.test")
                return (
                    Answer.of({"did": self._did(account)})
                    if known
                    else _error("InvalidRequest", "Unable to resolve handle")
                )
            case "GET", "com.atproto.repo.listRecords":
                return self._list(request)
        account = self._account(request.bearer, "access")
        if not account:
            return _error("InvalidToken", "Token could not be verified")
        if (request.method, path) == ("POST", "/xrpc/com.atproto.repo.putRecord"):
            return self._put(request, account)
        return _error("MethodNotImplemented", "Method Not Implemented", 501)

    def _did(self, account: str) -> str:
        return f"did:plc:{keys.draw(self._seed, NAME, account, 'did')[:24]}"

    def _token(self, account: str, kind: str) -> str:
        mark = secrets.token_hex(8)
        return f"{account}.{mark}.{keys.draw(self._seed, NAME, account, kind, mark)}"

    def _account(self, token: str, kind: str) -> str:
        account, _, rest = token.partition(".")
        mark, _, proof = rest.partition(".")
        return account if proof and proof == keys.draw(self._seed, NAME, account, kind, mark) else ""

    def _session(self, account: str) -> Answer:
        session = {"did": self._did(account), "handle": f"{account}.sandbox.test"}
        return Answer.of(session | {f"{kind}Jwt": self._token(account, kind) for kind in ("access", "refresh")})

    def _sign_in(self, request: Request) -> Answer:
        given = request.json or {}
        account = str(given.get("identifier", "")).removesuffix(".sandbox.test")
        if given.get("password") != keys.credentials(self._seed, NAME, account)["app_password"]:
            return _error("AuthenticationRequired", "Invalid identifier or password", 401)
        return self._session(account)

    def _refresh(self, request: Request) -> Answer:
        account = self._account(request.bearer, "refresh")
        return self._session(account) if account else _error("ExpiredToken", "Token has been revoked")

    def _put(self, request: Request, account: str) -> Answer:
        given = request.json or {}
        record, key = given.get("record"), str(given.get("rkey", ""))
        if given.get("repo") != self._did(account) or given.get("collection") != "app.bsky.feed.post":
            return _error("InvalidRequest", "Could not find repo or collection")
        if not isinstance(record, dict) or not KEY.fullmatch(key) or not {"text", "createdAt"} <= set(record):
            return _error("InvalidRequest", "Invalid record")
        if not fits(str(record["text"]), LIMITS[NAME]):
            return _error("InvalidRequest", "Invalid app.bsky.feed.post record: grapheme too big (maximum 300)")
        uri, cid = f"at://{self._did(account)}/app.bsky.feed.post/{key}", _cid(record)
        with self._ledger.lock:
            for entry in self._ledger.of(NAME, account):
                if entry.remote_id == uri:
                    same = entry.details["cid"] == cid
                    return (
                        Answer.of({"uri": uri, "cid": cid}) if same else _error("InvalidSwap", f"Record was at {uri}")
                    )
            link = f"{request.base}/web/bluesky/profile/{self._did(account)}/post/{key}"
            card = record.get("embed", {}).get("external", {})
            details = {"cid": cid, "record": record}
            self._ledger.add(
                Entry(
                    network=NAME,
                    account=account,
                    remote_id=uri,
                    permalink=link,
                    text=str(record["text"]),
                    link=str(card.get("uri", "")),
                    key=key,
                    details=details,
                )
            )
        return Answer.of({"uri": uri, "cid": cid, "validationStatus": "valid"})

    def _get(self, request: Request) -> Answer:
        wanted = "at://{repo}/{collection}/{rkey}".format_map(
            {"repo": "", "collection": "", "rkey": ""} | request.query
        )
        for entry in self._ledger.of(NAME):
            if entry.remote_id == wanted:
                return Answer.of({"uri": wanted, "cid": entry.details["cid"], "value": entry.details["record"]})
        return _error("RecordNotFound", f"Could not locate record: {wanted}")

    def _list(self, request: Request) -> Answer:
        prefix = f"at://{request.query.get('repo', '')}/"
        found = [entry for entry in self._ledger.of(NAME) if entry.remote_id.startswith(prefix)]
        rows = [{"uri": e.remote_id, "cid": e.details["cid"], "value": e.details["record"]} for e in found]
        return Answer.of({"records": rows[: int(request.query.get("limit", "50"))]})


def _cid(record: dict[str, Any]) -> str:
    return "bafyrei" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:52]


def _error(name: str, message: str, status: int = 400) -> Answer:
    return Answer.of({"error": name, "message": message}, status)
