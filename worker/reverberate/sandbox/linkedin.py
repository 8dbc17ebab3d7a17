"""LinkedIn as its clients see it: posts with article cards, images, and little text that ends where it is not escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

from reverberate.sandbox import keys
from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LIMIT = LIMITS["linkedin"]
OLDEST = "202512"
FIRST_ID = 7 * 10**18
LITTLE = re.compile(r"\\(?P<escaped>.)|(?P<plain>[^\\|{}@\[\]()<>*_~#]|(?<!\w)#(?=\w))", re.DOTALL)
REMEMBERED = 50
"""So many of an author's newest posts may not be repeated."""


class LinkedIn(Personality):
    """All members and company pages of a seed: an account is one of each."""

    name = "linkedin"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self._images: dict[str, str] = {}

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer)

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; what is under /rest has versions."""
        version = call.request.headers.get("linkedin-version", "")
        if call.request.path.startswith("/linkedin/rest/") and version < OLDEST:
            return self.problem(426, f"Requested version {version} is not active")
        return super().answer(route, call)

    def create(self, call: Call) -> Answer:
        """POST /rest/posts."""
        given = call.request.fields
        author, commentary, content = given.get("author", ""), call.said("commentary"), given.get("content") or {}
        if author not in self._urns(call):
            return self.problem(403, f"Not enough permissions to act as {author}")
        if len(commentary.encode("utf-16-le")) // 2 > LIMIT.maximum:
            words = f"ShareCommentary text length ({len(commentary)} characters) exceeded the maximum allowed (3000)"
            return self.problem(400, f"FIELD_ARRAY_SIZE_TOO_HIGH: {words}")
        details = self._details(content) | {"author": author, "commentary": commentary}
        if details.get("missing"):
            return self.problem(400, f"There is no image {details['missing']}")
        text, link = read(commentary), str((content.get("article") or {}).get("source", ""))
        with self.ledger.lock:
            newest = self.ledger.newest(self.name, call.account, most=REMEMBERED)
            if same := next((one for one in newest if _repeats(one, author, commentary, link)), None):
                return self._duplicate(same.remote_id)
            urn = f"urn:li:share:{FIRST_ID + self.ledger.serial()}"
            entry = self.accept(call, remote_id=urn, place=f"feed/update/{urn}/", text=text, link=link, **details)
        return Answer(status=201).told(x_restli_id=entry.remote_id)

    def posts(self, call: Call) -> Answer:
        """GET /rest/posts?q=author: a page's alone, as no ordinary app may read a member's."""
        author = call.request.query.get("author", "")
        if author not in self._urns(call) or author.startswith("urn:li:person:"):
            return self.problem(403, "Not enough permissions to access: partnerApiPosts.FINDER-author")
        found = self.listed(
            call, most=call.whole("count", default=10, most=100), where=lambda one: one.details["author"] == author
        )
        return Answer.of({"paging": {"start": 0, "count": len(found), "links": []}, "elements": [*map(_shown, found)]})

    def edit(self, call: Call) -> Answer:
        """POST /rest/posts/:urn, a partial update."""
        entry = self.own(call, unquote(call.parts[0]))
        if entry is None:
            return self.problem(404, "There is no such post")
        commentary = str((call.request.fields.get("patch") or {}).get("$set", {}).get("commentary", ""))
        details = entry.details | {"commentary": commentary}
        self.ledger.edit(replace(entry, text=read(commentary), details=details), at=call.now)
        return Answer(status=204)

    def delete(self, call: Call) -> Answer:
        """DELETE /rest/posts/:urn; one that is gone is no trouble."""
        if entry := self.own(call, unquote(call.parts[0])):
            self.ledger.delete(entry, at=call.now)
        return Answer(status=204)

    def begin(self, call: Call) -> Answer:
        """POST /rest/images?action=initializeUpload."""
        owner = (call.request.fields.get("initializeUploadRequest") or {}).get("owner")
        if call.request.query.get("action") != "initializeUpload" or owner not in self._urns(call):
            return self.problem(400, "initializeUploadRequest needs an owner whom the token may act as")
        number = uuid4().hex
        value = {"image": f"urn:li:image:{number}", "uploadUrl": f"{call.request.base}/linkedin/upload/{number}"}
        return Answer.of({"value": value})

    def upload(self, call: Call) -> Answer:
        """PUT to the place that was named."""
        if not kind_of(call.request.body):
            return self.problem(400, "that is no picture")
        self._images[f"urn:li:image:{call.parts[0]}"] = self._blobs.put(call.request.body)
        return Answer(status=201)

    def userinfo(self, call: Call) -> Answer:
        """GET /v2/userinfo."""
        return Answer.of({"sub": self._number(call), "name": call.account})

    routes = (
        Route("POST", "/rest/posts", Purpose.PUBLISH, create),
        Route("GET", "/rest/posts", Purpose.LIST, posts),
        Route("POST", "/rest/posts/*", Purpose.CHANGE, edit),
        Route("DELETE", "/rest/posts/*", Purpose.CHANGE, delete),
        Route("POST", "/rest/images", Purpose.OTHER, begin),
        Route("PUT", "/upload/*", Purpose.OTHER, upload),
        Route("GET", "/v2/userinfo", Purpose.OTHER, userinfo),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        code = 65600 if status == 401 else 100
        return Answer.of({"message": words, "serviceErrorCode": code, "status": status}, status)

    def duplicate(self) -> Answer:
        """See Personality."""
        return self._duplicate("")

    def _duplicate(self, urn: str) -> Answer:
        words = f"Content is a duplicate of {urn or 'another post'}"
        wrong = {"inputErrors": [{"code": "DUPLICATE_POST"}]}
        told = {"errorDetailType": "com.linkedin.common.error.BadRequest", "message": words, "errorDetails": wrong}
        return Answer.of(told | {"status": 422}, 422)

    def _number(self, call: Call) -> str:
        return keys.number(self.seed, self.name, call.account)

    def _urns(self, call: Call) -> tuple[str, str]:
        return f"urn:li:organization:{self._number(call)}", f"urn:li:person:{self._number(call)}"

    def _details(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The card and the pictures of a post, or the image that is missing."""
        article, media = content.get("article") or {}, content.get("media") or {}
        named = [one for one in (article.get("thumbnail"), media.get("id")) if one]
        if missing := [one for one in named if one not in self._images]:
            return {"missing": missing[0]}
        card = {name: article[name] for name in ("title", "description") if article.get(name)}
        card |= {"cid": self._images[article["thumbnail"]]} if article.get("thumbnail") else {}
        shown = [{"cid": self._images[media["id"]], "alt": str(media.get("altText", ""))}] if media.get("id") else []
        return ({"card": card} if article else {}) | ({"pictures": shown} if shown else {})


def read(commentary: str) -> str:
    """Little text as readers see it: it ends, without an error, at the first reserved character that stands bare."""
    made, end = "", 0
    while match := LITTLE.match(commentary, end):
        made, end = made + (match["escaped"] or match["plain"]), match.end()
    return made


def _repeats(entry: Entry, author: str, commentary: str, link: str) -> bool:
    return (entry.details["author"], entry.details["commentary"], entry.link) == (author, commentary, link)


def _shown(entry: Entry) -> dict[str, Any]:
    made = {"id": entry.remote_id, "author": entry.details["author"], "commentary": entry.details["commentary"]}
    article = {"content": {"article": {"source": entry.link}}} if entry.link else {}
    stamped = {"createdAt": int(entry.when.timestamp() * 1000), "lifecycleState": "PUBLISHED", "visibility": "PUBLIC"}
    return made | article | stamped
