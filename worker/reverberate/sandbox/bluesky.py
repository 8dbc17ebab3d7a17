"""A Bluesky PDS as its clients see it: sessions, records under keys that the client chooses, handles, blobs."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route, window_end
from reverberate.sandbox.records import KEY, POST, record_cid, wrong_with

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LARGEST_BLOB = 5 * 1024 * 1024
WINDOW_SECONDS = 300
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


class Bluesky(Personality):
    """One PDS for all accounts of a seed."""

    name = "bluesky"
    reset_header = "RateLimit-Reset"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self._over: set[str] = set()  # access tokens whose time is over

    def account_of(self, request: Request) -> str:
        """See Personality; a refresh token tells its account too."""
        return self._account(request.bearer, "access") or self._account(request.bearer, "refresh")

    def admits(self, call: Call) -> bool:
        """See Personality."""
        return bool(self._account(call.request.bearer, "access"))

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; with the rate limit in the headers."""
        if call.request.bearer in self._over and route and not route.open:
            given = self.expired(call)
        else:
            given = super().answer(route, call)
        told = {
            "RateLimit-Limit": "3000",
            "RateLimit-Remaining": "2999",
            "RateLimit-Policy": f"3000;w={WINDOW_SECONDS}",
        }
        return given.told(**told, **{self.reset_header: str(int(window_end(call.now, WINDOW_SECONDS).timestamp()))})

    def sign_in(self, call: Call) -> Answer:
        """com.atproto.server.createSession."""
        account = self._named(call.said("identifier"))
        expected = keys.credentials(self.seed, self.name, account)["app_password"]
        if not account or not keys.same(call.said("password"), expected):
            return _error("AuthenticationRequired", "Invalid identifier or password", 401)
        return self._session(account)

    def refresh(self, call: Call) -> Answer:
        """com.atproto.server.refreshSession."""
        account = self._account(call.request.bearer, "refresh")
        return self._session(account) if account else _error("ExpiredToken", "Token has been revoked")

    def whoami(self, call: Call) -> Answer:
        """com.atproto.server.getSession."""
        return Answer.of(self._person(call.account))

    def describe(self, call: Call) -> Answer:
        """com.atproto.server.describeServer."""
        del call
        about = {"did": f"did:web:{keys.DOMAIN}", "availableUserDomains": [f".{keys.DOMAIN}"]}
        return Answer.of(about | {"inviteCodeRequired": True, "blobUploadLimit": LARGEST_BLOB})

    def resolve(self, call: Call) -> Answer:
        """com.atproto.identity.resolveHandle."""
        handle = call.request.query.get("handle", "")
        if not handle.endswith(f".{keys.DOMAIN}"):
            return _error("HandleNotFound", "Unable to resolve handle")
        return Answer.of({"did": self._did(self._named(handle))})

    def put(self, call: Call) -> Answer:
        """com.atproto.repo.putRecord: the same under the same key is one record."""
        given, key = call.request.fields, call.said("rkey")
        record = given.get("record")
        if refusal := self._refusal(call, key, record):
            return refusal
        with self.ledger.lock:
            before = self.own(call, self._uri(call.account, key))
            return self._written(call, key, record, before) if before else self._made(call, key, record)

    def create(self, call: Call) -> Answer:
        """com.atproto.repo.createRecord: no way to repeat it under the same key."""
        key = call.said("rkey") or _key(int(call.now.timestamp() * 1_000_000))
        record = call.request.fields.get("record")
        if refusal := self._refusal(call, key, record):
            return refusal
        with self.ledger.lock:
            if self.own(call, self._uri(call.account, key)):
                return _error("InternalServerError", "Internal Server Error", 500)
            return self._made(call, key, record)

    def get(self, call: Call) -> Answer:
        """com.atproto.repo.getRecord."""
        query = call.request.query
        repo = query.get("repo", "")
        did = self._did(self._named(repo)) if repo.endswith(keys.DOMAIN) else repo
        uri = f"at://{did}/{query.get('collection', '')}/{query.get('rkey', '')}"
        entry = call.view.shows(self.ledger.get(self.name, uri))
        return Answer.of(_row(entry)) if entry else _error("RecordNotFound", f"Could not locate record: {uri}")

    def records(self, call: Call) -> Answer:
        """com.atproto.repo.listRecords."""
        prefix = f"at://{call.request.query.get('repo', '')}/{POST}/"
        found = self.ledger.newest(
            self.name,
            "",
            most=call.whole("limit", default=50, most=100),
            where=lambda e: e.remote_id.startswith(prefix) and call.view.lists(e),
        )
        return Answer.of({"records": [_row(entry) for entry in found]})

    def views(self, call: Call) -> Answer:
        """app.bsky.feed.getPosts, as the PDS hands it on; nobody likes anything here."""
        entry = call.view.shows(self.ledger.get(self.name, call.request.query.get("uris", "")))
        return Answer.of({"posts": [self._viewed(entry)] if entry else []})

    def delete(self, call: Call) -> Answer:
        """com.atproto.repo.deleteRecord: afterwards it is not there, whether or not it was."""
        if call.said("repo") not in {self._did(call.account), self._handle(call.account)}:
            return _error("InvalidRequest", "Could not find repo")
        if entry := self.own(call, self._uri(call.account, call.said("rkey"))):
            self.ledger.delete(entry, at=call.now)
        return Answer.of({})

    def upload(self, call: Call) -> Answer:
        """com.atproto.repo.uploadBlob."""
        contents = call.request.body
        if len(contents) > LARGEST_BLOB:
            return _error("PayloadTooLarge", "request entity too large", 413)
        reference = {"$link": self._blobs.put(contents)}
        kind = call.request.headers.get("content-type", "application/octet-stream")
        return Answer.of({"blob": {"$type": "blob", "ref": reference, "mimeType": kind, "size": len(contents)}})

    routes = (
        Route("POST", "/xrpc/com.atproto.server.createSession", Purpose.SIGN_IN, sign_in, open=True),
        Route("POST", "/xrpc/com.atproto.server.refreshSession", Purpose.SIGN_IN, refresh, open=True),
        Route("GET", "/xrpc/com.atproto.server.getSession", Purpose.OTHER, whoami),
        Route("GET", "/xrpc/com.atproto.server.describeServer", Purpose.OTHER, describe, open=True),
        Route("GET", "/xrpc/com.atproto.identity.resolveHandle", Purpose.OTHER, resolve, open=True),
        Route("POST", "/xrpc/com.atproto.repo.putRecord", Purpose.PUBLISH, put),
        Route("POST", "/xrpc/com.atproto.repo.createRecord", Purpose.PUBLISH, create),
        Route("GET", "/xrpc/com.atproto.repo.getRecord", Purpose.READ, get, open=True),
        Route("GET", "/xrpc/com.atproto.repo.listRecords", Purpose.LIST, records, open=True),
        Route("GET", "/xrpc/app.bsky.feed.getPosts", Purpose.READ, views),
        Route("POST", "/xrpc/com.atproto.repo.deleteRecord", Purpose.CHANGE, delete),
        Route("POST", "/xrpc/com.atproto.repo.uploadBlob", Purpose.OTHER, upload),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        names = {401: "AuthenticationRequired", 404: "MethodNotImplemented", 429: "RateLimitExceeded"}
        if status == 404:
            return _error(names[404], "Method Not Implemented", 501)
        return _error(names.get(status, "InternalServerError" if status >= 500 else "InvalidRequest"), words, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return _error("InvalidToken", "Token could not be verified")

    def expired(self, call: Call) -> Answer:
        """See Personality: this token is no good from now on; another one is."""
        self._over.add(call.request.bearer)
        return _error("ExpiredToken", "Token has expired")

    def duplicate(self) -> Answer:
        """See Personality."""
        return _error("InvalidSwap", "Record was at another CID")

    def _refusal(self, call: Call, key: str, record: Any) -> Answer | None:
        """Why a record cannot be written."""
        if call.said("repo") not in {self._did(call.account), self._handle(call.account)}:
            return _error("InvalidRequest", "Could not find repo")
        if call.said("collection") != POST or not KEY.fullmatch(key):
            return _error("InvalidRequest", f"Invalid collection or record key: {call.said('collection')}/{key}")
        if words := wrong_with(record, blobs=self._blobs):
            return _error("InvalidRequest", f"Invalid {POST} record: {words}")
        return None

    def _written(self, call: Call, key: str, record: Any, before: Entry) -> Answer:
        """Over a record that is there: nothing, if it is the same; a refusal, if something else was expected there."""
        was, now = before.details["cid"], record_cid(record)
        if was == now:
            return self._receipt(call, key, now)
        if call.request.fields.get("swapRecord", was) != was:
            return _error("InvalidSwap", f"Record was at {was}")
        details = {"cid": now, "record": record}
        self.ledger.edit(replace(before, text=record["text"], link=_link(record), details=details), at=call.now)
        return self._receipt(call, key, now)

    def _made(self, call: Call, key: str, record: Any) -> Answer:
        if call.request.fields.get("swapRecord") is not None:
            return _error("InvalidSwap", "Record was at null")
        uri, identifier = self._uri(call.account, key), record_cid(record)
        place, text, link = f"profile/{self._did(call.account)}/post/{key}", record["text"], _link(record)
        self.accept(call, remote_id=uri, place=place, text=text, link=link, key=key, cid=identifier, record=record)
        return self._receipt(call, key, identifier)

    def _receipt(self, call: Call, key: str, identifier: str) -> Answer:
        return Answer.of({"uri": self._uri(call.account, key), "cid": identifier, "validationStatus": "valid"})

    def _viewed(self, entry: Entry) -> dict[str, Any]:
        counts = dict.fromkeys(("likeCount", "repostCount", "replyCount", "quoteCount"), 0)
        told = {"uri": entry.remote_id, "cid": entry.details["cid"], "record": entry.details["record"]}
        author = {"did": self._did(entry.account), "handle": self._handle(entry.account)}
        return told | {"author": author, "indexedAt": entry.at} | counts

    def _session(self, account: str) -> Answer:
        tokens = {f"{kind}Jwt": self._token(account, kind) for kind in ("access", "refresh")}
        return Answer.of(self._person(account) | tokens)

    def _person(self, account: str) -> dict[str, Any]:
        return {"did": self._did(account), "handle": self._handle(account), "active": True}

    def _token(self, account: str, kind: str) -> str:
        mark = secrets.token_hex(8)
        return f"{account}.{mark}.{keys.draw(self.seed, self.name, account, kind, mark)}"

    def _account(self, token: str, kind: str) -> str:
        """The account whose token of this kind it is, or ""."""
        account, mark, proof = [*token.rsplit(".", 2), "", ""][:3]
        expected = keys.draw(self.seed, self.name, account, kind, mark)
        return account if keys.same(proof, expected) else ""

    def _named(self, handle: str) -> str:
        return handle.removeprefix("@").removesuffix(f".{keys.DOMAIN}")

    def _handle(self, account: str) -> str:
        return f"{account}.{keys.DOMAIN}"

    def _did(self, account: str) -> str:
        return keys.did(self.seed, account)

    def _uri(self, account: str, key: str) -> str:
        return f"at://{self._did(account)}/{POST}/{key}"


def _link(record: Any) -> str:
    """The link of a record's card, or ""."""
    external = record.get("embed", {}).get("external", {})
    return str(external.get("uri", "")) if isinstance(external, dict) else ""


def _row(entry: Entry) -> dict[str, Any]:
    return {"uri": entry.remote_id, "cid": entry.details["cid"], "value": entry.details["record"]}


def _key(micros: int) -> str:
    """A TID of a moment."""
    number = micros << 10 | secrets.randbelow(1024)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def _error(name: str, message: str, status: int = 400) -> Answer:
    return Answer.of({"error": name, "message": message}, status)
