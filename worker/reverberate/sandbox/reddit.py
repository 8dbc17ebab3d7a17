"""Reddit as its clients see it: links and texts in subreddits; what it refuses, it refuses with 200."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry
    from reverberate.sandbox.personality import Call

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
FIRST_ID = 60_000_000
LONGEST_TITLE, LONGEST_TEXT = 300, 40_000


class Reddit(Personality):
    """All subreddits, for all accounts of a seed."""

    name = "reddit"

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer)

    def submit(self, call: Call) -> Answer:
        """POST /api/submit."""
        form = call.request.form
        title, link, text = form.get("title", ""), form.get("url", ""), form.get("text", "")
        if code := _wrong(form):
            return _refused(*code)
        with self.ledger.lock:
            if form["kind"] == "link" and form.get("resubmit") != "true" and any(self._with(form["sr"], link)):
                return self.duplicate()
            number = _base36(FIRST_ID + self.ledger.serial())
            kept = {"title": title, "selftext": text, "subreddit": form["sr"]}
            entry = self.accept(
                call,
                remote_id=f"t3_{number}",
                place=f"r/{form['sr']}/comments/{number}/",
                text=f"{title}\n\n{text}" if text else title,
                link=link,
                **kept,
            )
        data = {"url": call.address(entry), "drafts_count": 0, "id": number, "name": entry.remote_id}
        return Answer.of({"json": {"errors": [], "data": data}})

    def edit(self, call: Call) -> Answer:
        """POST /api/editusertext."""
        entry = self.own(call, call.request.form.get("thing_id", ""))
        if entry is None or entry.link:
            return _refused("NOT_AUTHOR", "you can't do that")
        text = call.request.form.get("text", "")
        details = entry.details | {"selftext": text}
        self.ledger.edit(replace(entry, text=f"{entry.details['title']}\n\n{text}", details=details), at=call.now)
        return Answer.of({"json": {"errors": [], "data": {"things": []}}})

    def delete(self, call: Call) -> Answer:
        """POST /api/del."""
        if entry := self.own(call, call.request.form.get("id", "")):
            self.ledger.delete(entry, at=call.now)
        return Answer.of({})

    def posts(self, call: Call) -> Answer:
        """GET /user/:name/submitted."""
        if call.parts[0] != call.account:
            return _listing([])
        return _listing(self.listed(call, most=call.whole("limit", default=25, most=100)))

    def info(self, call: Call) -> Answer:
        """GET /api/info?id=."""
        entry = call.view.shows(self.ledger.get(self.name, call.request.query.get("id", "")))
        return _listing([entry] if entry else [])

    def about_link(self, call: Call) -> Answer:
        """GET /r/:subreddit/api/info?url=."""
        return _listing(self._with(call.parts[0], call.request.query.get("url", "")))

    def about(self, call: Call) -> Answer:
        """GET /r/:subreddit/about."""
        told = {"display_name": call.parts[0], "submission_type": "any", "user_is_banned": False}
        return Answer.of({"kind": "t5", "data": told})

    def me(self, call: Call) -> Answer:
        """GET /api/v1/me."""
        return Answer.of({"name": call.account, "id": keys.number(self.seed, self.name, call.account)})

    routes = (
        Route("POST", "/api/submit", Purpose.PUBLISH, submit),
        Route("POST", "/api/editusertext", Purpose.CHANGE, edit),
        Route("POST", "/api/del", Purpose.CHANGE, delete),
        Route("GET", "/user/*/submitted", Purpose.LIST, posts),
        Route("GET", "/api/info", Purpose.READ, info),
        Route("GET", "/r/*/api/info", Purpose.READ, about_link),
        Route("GET", "/r/*/about", Purpose.OTHER, about),
        Route("GET", "/api/v1/me", Purpose.OTHER, me),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"message": words, "error": status}, status)

    def duplicate(self) -> Answer:
        """See Personality."""
        return _refused("ALREADY_SUB", "that link has already been submitted", "url")

    def _with(self, subreddit: str, link: str) -> list[Entry]:
        """The subreddit's posts of a link."""
        here = subreddit.casefold()
        return [
            entry
            for entry in self.ledger.of(self.name)
            if entry.link == link and str(entry.details["subreddit"]).casefold() == here
        ]


def _wrong(form: dict[str, str]) -> tuple[str, str] | None:
    """The error of a post that is none."""
    if form.get("kind") not in {"link", "self"}:
        return "NO_TEXT", "we need something here"
    if not form.get("sr"):
        return "SUBREDDIT_REQUIRED", "you must specify a subreddit"
    if not form.get("title", "").strip():
        return "NO_TEXT", "we need something here"
    if len(form["title"]) > LONGEST_TITLE or len(form.get("text", "")) > LONGEST_TEXT:
        return "TOO_LONG", f"this is too long (max: {LONGEST_TITLE})"
    if form["kind"] == "link" and not form.get("url", "").startswith("http"):
        return "BAD_URL", "you should check that url"
    return None


def _refused(code: str, words: str, field: str = "title") -> Answer:
    return Answer.of({"json": {"errors": [[code, words, field]]}})


def _listing(entries: Iterable[Entry]) -> Answer:
    children = [{"kind": "t3", "data": _shown(entry)} for entry in entries]
    return Answer.of({"kind": "Listing", "data": {"after": None, "before": None, "children": children}})


def _shown(entry: Entry) -> dict[str, Any]:
    place = entry.path.removeprefix("/web/reddit")
    told = {"name": entry.remote_id, "id": entry.remote_id.removeprefix("t3_"), "author": entry.account, "score": 1}
    told |= {"permalink": place, "url": entry.link or place, "is_self": not entry.link, "num_comments": 0}
    kept = {name: entry.details[name] for name in ("title", "selftext", "subreddit")}
    return told | kept | {"created_utc": float(int(entry.when.timestamp()))}


def _base36(number: int) -> str:
    made = ""
    while number:
        number, digit = divmod(number, 36)
        made = LETTERS[digit] + made
    return made
