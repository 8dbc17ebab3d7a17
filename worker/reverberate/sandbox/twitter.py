"""X as its clients see it: API v2 with OAuth 1.0a, or with a bearer token of OAuth 2."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route, window_end
from reverberate.sandbox.signatures import Signatures
from reverberate.text.count import count
from reverberate.text.limits import LIMITS
from reverberate.text.links import x_links

if TYPE_CHECKING:
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LIMIT = LIMITS["twitter"]
FIRST_ID = 1_900_000_000_000_000_000
KNOWN = {"text", "reply", "media", "reply_settings", "quote_tweet_id", "made_with_ai", "paid_partnership", "nullcast"}
REMEMBERED = 100
"""So many of an account's newest posts are compared with a new one."""
RATES = {Purpose.PUBLISH: 100, Purpose.CHANGE: 50, Purpose.LIST: 900}
"""What the headers tell; the sandbox itself has no limit."""


class Twitter(Personality):
    """One X for all accounts of a seed."""

    name = "twitter"
    reset_header = "x-rate-limit-reset"

    def __init__(self, seed: str, ledger: Ledger) -> None:
        super().__init__(seed, ledger)
        self._signatures = Signatures(self)

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer) if request.bearer else self._signatures.claimed_by(request)

    def admits(self, call: Call) -> bool:
        """See Personality: the signature must be right, fresh and new."""
        if call.request.bearer:
            return bool(call.account)
        return bool(call.account) and self._signatures.signed_by(call.request) == call.account

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; with the rate limit in the headers."""
        given, limit = super().answer(route, call), RATES.get(route.purpose, 75) if route else 75
        told = {"x-rate-limit-limit": str(limit), "x-rate-limit-remaining": str(limit - 1)}
        return given.told(**told, **{self.reset_header: str(int(window_end(call.now).timestamp()))})

    def create(self, call: Call) -> Answer:
        """POST /2/tweets."""
        post, text = call.request.fields, call.said("text")
        if not text.strip() or set(post) - KNOWN:
            return self.problem(400, "One or more parameters to your request was invalid.")
        if count(text, LIMIT) > LIMIT.maximum:
            return self.problem(403, "Your Tweet text is too long.")
        with self.ledger.lock:
            if any(entry.text == text for entry in self.ledger.newest(self.name, call.account, most=REMEMBERED)):
                return self.duplicate()
            remote_id = str(FIRST_ID + self.ledger.serial())
            place = f"{quote(call.account)}/status/{remote_id}"
            self.accept(call, remote_id=remote_id, place=place, text=text, reply=_answered(post))
        return Answer.of({"data": {"id": remote_id, "text": text, "edit_history_tweet_ids": [remote_id]}}, 201)

    def delete(self, call: Call) -> Answer:
        """DELETE /2/tweets/:id."""
        entry = self.own(call, call.parts[0])
        if entry:
            self.ledger.delete(entry, at=call.now)
        return Answer.of({"data": {"deleted": entry is not None}})

    def me(self, call: Call) -> Answer:
        """GET /2/users/me."""
        return Answer.of({"data": {"id": self._user(call), "name": call.account, "username": call.account}})

    def one(self, call: Call) -> Answer:
        """GET /2/tweets/:id."""
        entry = call.view.shows(self.ledger.get(self.name, call.parts[0]))
        if entry is None:
            return self._not_found("id", call.parts[0])
        return Answer.of({"data": _shown(entry, call)})

    def posts(self, call: Call) -> Answer:
        """GET /2/users/:id/tweets."""
        if call.parts[0] != self._user(call):
            return self._not_found("id", call.parts[0])
        if not 5 <= call.whole("max_results", default=10, most=1000) <= 100:
            return self.problem(400, "The `max_results` query parameter value is not between 5 and 100")
        after, since = call.whole("since_id", default=0, most=10**19), call.instant("start_time")
        without_replies = "replies" in call.request.query.get("exclude", "")
        found = self.listed(
            call,
            most=call.whole("max_results", default=10, most=100),
            where=lambda e: (
                int(e.remote_id) > after
                and (since is None or e.when >= since)
                and not (without_replies and e.details["reply"])
            ),
        )
        rows, meta = [_shown(entry, call) for entry in found], {"result_count": len(found)}
        return Answer.of({"data": rows, "meta": meta} if rows else {"meta": meta})

    routes = (
        Route("POST", "/2/tweets", Purpose.PUBLISH, create),
        Route("DELETE", "/2/tweets/*", Purpose.CHANGE, delete),
        Route("GET", "/2/tweets/*", Purpose.READ, one),
        Route("GET", "/2/users/me", Purpose.OTHER, me),
        Route("GET", "/2/users/*/tweets", Purpose.LIST, posts),
    )

    def page(self, path: str) -> Entry | None:
        """See Personality; X also finds a post by its number alone."""
        _, _, number = path.partition("/i/web/status/")
        return self.ledger.get(self.name, number) if number else super().page(path)

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        titles = {
            400: "Invalid Request",
            401: "Unauthorized",
            403: "Forbidden",
            404: "Not Found",
            429: "Too Many Requests",
        }
        kinds = {400: "invalid-request", 404: "resource-not-found"}
        kind = f"https://api.twitter.com/2/problems/{kinds[status]}" if status in kinds else "about:blank"
        title = titles.get(status, "Error")
        return Answer.of({"title": title, "detail": words, "type": kind, "status": status}, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return self.problem(401, "Unauthorized")

    def duplicate(self) -> Answer:
        """See Personality."""
        return self.problem(403, "You are not allowed to create a Tweet with duplicate content.")

    def _user(self, call: Call) -> str:
        return keys.number(self.seed, self.name, call.account)

    def _not_found(self, parameter: str, value: str) -> Answer:
        """X says 200 to a question about what is not there."""
        about = {"resource_type": "user", "parameter": parameter, "value": value, "title": "Not Found Error"}
        kind = "https://api.twitter.com/2/problems/resource-not-found"
        return Answer.of({"errors": [about | {"detail": f"Could not find {parameter}: [{value}].", "type": kind}]})


def _answered(post: Any) -> str:
    """The post that this one replies to, or ""."""
    reply = post.get("reply")
    return str(reply.get("in_reply_to_tweet_id", "")) if isinstance(reply, dict) else ""


def _shown(entry: Entry, call: Call) -> dict[str, Any]:
    """A post, with the fields that were asked for."""
    text, urls = _shortened(entry.text)
    asked: dict[str, Any] = {"created_at": entry.at, "entities": {"urls": urls}}
    if entry.details["reply"]:
        asked["referenced_tweets"] = [{"type": "replied_to", "id": entry.details["reply"]}]
    wanted = call.request.query.get("tweet.fields", "").split(",")
    return {"id": entry.remote_id, "text": text, "edit_history_tweet_ids": [entry.remote_id]} | {
        name: value for name, value in asked.items() if name in wanted
    }


def _shortened(given: str) -> tuple[str, list[dict[str, Any]]]:
    """A text with X's own short links, and where each stands and leads."""
    text, end = "", 0
    urls: list[dict[str, Any]] = []
    for start, stop in x_links(given):
        link, short = given[start:stop], _short(given[start:stop])
        text += given[end:start]
        place = {"start": len(text), "end": len(text) + len(short)}
        whole = link if "://" in link else f"http://{link}"
        urls.append(place | {"url": short, "expanded_url": whole, "display_url": link})
        text, end = text + short, stop
    return text + given[end:], urls


def _short(link: str) -> str:
    return f"https://t.co/{hashlib.sha256(link.encode()).hexdigest()[:10]}"
