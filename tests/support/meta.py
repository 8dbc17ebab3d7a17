"""Judges of Meta's networks: the Graph API by its described nodes, Threads by Meta's own collection of requests."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from reverberate.sandbox.exchange import Request
from support.graph import Node
from support.specs import spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

PAGING = {"limit", "fields"}


def given(request: requests.PreparedRequest) -> dict[str, str]:
    """The parameters of a call, from its query and its form; a file is named and not shown."""
    kind, body = str(request.headers.get("Content-Type", "")), request.body or b""
    raw = body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]  # requests keeps bytes or text
    form = Request(method="POST", target="", headers={"content-type": kind}, base="", size=0, body=raw)
    assert form.form or form.files or not body, "the Graph API takes forms"
    query = dict(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))
    return query | form.form | {name: data.decode(errors="replace") for name, data in form.files.items()}


def path(request: requests.PreparedRequest, base: str) -> tuple[str, str]:
    """The object and the edge that stand behind the version."""
    _, version, node, *edge = urlsplit(str(request.url).removeprefix(base)).path.split("/")
    assert version.startswith("v")
    return node, "/".join(edge)


class Facebook:
    """The Graph API's Page and its posts; a post that is made is shown as a post, though Meta's file says Page there."""

    def __init__(self) -> None:
        self.page, self.post = Node(spec("meta/Page.json")), Node(spec("meta/PagePost.json"))

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """See Judge."""
        node, edge = path(request, base)
        return f"{request.method} {edge or ('post' if '_' in node else '')}".strip()

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge; a file is no parameter of the description."""
        (node, edge), told = path(request, base), given(request)
        asked = self.post if "_" in node else self.page
        shown = self.post if edge or "_" in node else self.page
        told.pop("source", None) if edge == "photos" else None
        return asked.parameters(str(request.method), edge, told) + shown.fields(told.get("fields", "id"))

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge: a list where posts were asked for, else one object. Meta describes no errors and no successes."""
        (node, edge), body = path(answer.request, base), answer.json()
        if not answer.ok or "success" in body:
            return []
        if not edge:
            return (self.post if "_" in node else self.page).answer(body)
        posts = body["data"] if answer.request.method == "GET" else [body]
        return [words for post in posts for words in self.post.answer(post)]


class Instagram:
    """The Graph API's IG User and IG Media. A container is described by no file; its two fields are its page's."""

    container = {"status_code", "status", "id"}

    def __init__(self) -> None:
        self.user, self.media = Node(spec("meta/IGUser.json")), Node(spec("meta/IGMedia.json"))

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """See Judge."""
        node, edge = path(request, base)
        kind = "me" if node == "me" else "container" if self._of_container(given(request)) else "post"
        return f"{request.method} {edge or kind}"

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge."""
        (node, edge), told = path(request, base), given(request)
        fields = told.get("fields", "id")
        named = {name: value for name, value in told.items() if name not in PAGING}
        if edge == "content_publishing_limit":
            return self.user.parameters("GET", edge, named)
        if edge:
            return self.user.parameters(str(request.method), edge, named) + self.media.fields(fields)
        if node == "me":
            return self.user.fields(fields)
        if self._of_container(told):
            return []
        return self.media.parameters(str(request.method), "", named) + self.media.fields(fields)

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge."""
        (node, edge), body = path(answer.request, base), answer.json()
        if not answer.ok or "success" in body or edge == "content_publishing_limit":
            return []
        if node == "me":
            return self.user.answer(body)
        if "status_code" in body:
            return [f"{name} is no field of a container" for name in set(body) - self.container]
        return [words for one in body.get("data", [body]) for words in self.media.answer(one)]

    def _of_container(self, told: Mapping[str, str]) -> bool:
        return set(told.get("fields", "?").split(",")) <= self.container


class Threads:
    """Meta's collection for Postman: each call's parameters in all its examples, and the fields that it names."""

    def __init__(self) -> None:
        collection = spec("threads/threads-api.postman_collection.json")
        self.values = {one["key"]: one["value"] for one in collection["variable"]}
        self.known: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.lists: dict[tuple[str, str], set[str]] = defaultdict(set)
        for request in _requests(collection):
            self._learn(request)

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """See Judge."""
        return " ".join(self._call(request, base))

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge."""
        call, told = self._call(request, base), given(request)
        if call not in self.known:
            return [f"there is no {' '.join(call)}"]
        wrong = [f"there is no parameter {name}" for name in told if name not in self.known[call] | PAGING]
        asked = [*told.get("fields", "id").split(","), *filter(None, told.get("metric", "").split(","))]
        return wrong + [f"there is no field {name}" for name in asked if name not in self.lists[call] | {"id"}]

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge; the collection describes no answers but by the fields that can be asked for."""
        call, body = self._call(answer.request, base), answer.json()
        if not answer.ok or answer.request.method != "GET":
            return []
        known = self.lists[call] | {"id", "data"} | ({"name", "period", "values"} if "insights" in call[1] else set())
        return [f"{name} is no field" for one in body.get("data", [body]) for name in set(one) - known]

    def _call(self, request: requests.PreparedRequest, base: str) -> tuple[str, str]:
        node, edge = path(request, base)
        return str(request.method), f"{node if node == 'me' else '*'}/{edge}".strip("/")

    def _learn(self, request: Any) -> None:
        raw = request["url"] if isinstance(request["url"], str) else request["url"]["raw"]
        where, _, query = raw.partition("?")
        place = re.sub(r"\{\{\w+\}\}", "*", where.removeprefix("{{api_host}}")).strip("/")
        call = request["method"], place
        self.known[call] |= set()
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair):
            self.known[call].add(name)
            if name in {"fields", "metric"}:
                told = self.values[value.strip("{}")]
                self.lists[call] |= set(re.sub(r"\{[^{}]*\}", "", told).split(","))


def _requests(folder: Any) -> Iterator[Any]:
    for one in folder["item"]:
        if "request" in one:
            yield one["request"]
        else:
            yield from _requests(one)
