"""Who says whether requests to Telegram, Discord and Pinterest, and their answers, are right."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from reverberate.sandbox.exchange import Request
from support.openapi import Described
from support.specs import spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import requests

    from support.judges import Judge

FILES = re.compile(r"files\[\d\]|payload_json")
PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "InputFile": lambda value: isinstance(value, bytes),
}
"""How Telegram's own types look in JSON; a file, in a form."""


def parts(request: requests.PreparedRequest) -> Mapping[str, bytes]:
    """The parts of a request's form, files among them."""
    kind = str(request.headers.get("Content-Type", ""))
    body = request.body if isinstance(request.body, bytes) else b""
    return Request(method="POST", target="/", headers={"content-type": kind}, base="", size=len(body), body=body).files


class Telegram:
    """The Bot API as the machine-readable copy of its pages describes it."""

    def __init__(self) -> None:
        self._description = spec("telegram/api.json")

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """See Judge."""
        found = re.fullmatch(r"/bot[^/]+/(\w+)", urlsplit(str(request.url).removeprefix(base)).path)
        assert found, "every call goes to /botTOKEN/METHOD"
        return found[1]

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge."""
        method = self._description["methods"].get(self.call(request, base=base))
        if method is None:
            return ["there is no such method"]
        return list(self._fields(method.get("fields", []), self._given(request, method), "the call"))

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge: ``ok`` and a result of one of the method's types, or a description."""
        body, method = answer.json(), self.call(answer.request, base=base)
        if not answer.ok:
            right = body["ok"] is False and body["error_code"] == answer.status_code and body["description"]
            return [] if right else [f"{body} is no error"]
        return list(self._value(self._description["methods"][method]["returns"], body["result"], "result"))

    def _given(self, request: requests.PreparedRequest, method: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked, as JSON would have it: in forms and addresses everything is a text."""
        if request.headers.get("Content-Type") == "application/json":
            return dict(json.loads(request.body or b"{}"))
        types = {field["name"]: field["types"] for field in method.get("fields", [])}
        form: dict[str, Any] = dict(parts(request))
        if not form:
            form = {name: text.encode() for name, text in parse_qsl(urlsplit(str(request.url)).query)}
        return {name: _read(value, types.get(name, ())) for name, value in form.items()}

    def _fields(self, fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any], place: str) -> Iterator[str]:
        known = {field["name"]: field for field in fields}
        yield from (f"{place} has no {name}" for name in given if name not in known)
        yield from (
            f"{place}: {name} is missing" for name, one in known.items() if one["required"] and name not in given
        )
        for name in known.keys() & given.keys():
            yield from self._value(known[name]["types"], given[name], f"{place}: {name}")

    def _value(self, types: Sequence[str], value: Any, place: str) -> Iterator[str]:
        found = [list(self._is(kind, value, place)) for kind in types]
        yield from min(found, key=len)

    def _is(self, kind: str, value: Any, place: str) -> Iterator[str]:
        if kind.startswith("Array of "):
            items = value if isinstance(value, list) else [None]
            yield from (words for item in items for words in self._is(kind.removeprefix("Array of "), item, place))
        elif kind in PLAIN:
            yield from [] if PLAIN[kind](value) else [f"{place}: {value!r} is no {kind}"]
        elif subtypes := self._description["types"][kind].get("subtypes"):
            yield from self._value(subtypes, value, place)
        elif not isinstance(value, dict):
            yield f"{place}: {value!r} is no {kind}"
        else:
            yield from self._fields(self._description["types"][kind].get("fields", []), value, kind)


def _read(value: bytes, types: Sequence[str]) -> Any:
    """A value of a form as JSON would have it."""
    if "InputFile" in types:
        return value
    text = value.decode()
    if "Boolean" in types:
        return {"true": True, "false": False}.get(text, text)
    return int(text) if "Integer" in types and "String" not in types and text.lstrip("-").isdecimal() else text


class Discord(Described):
    """Discord's REST API, version 10."""

    def __init__(self) -> None:
        super().__init__(spec("discord/openapi.json"), server="https://discord.com/api/v10")

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge. Beside files the message is a part of its own, which the description leaves to the pages."""
        form = parts(request)
        if not form:
            return super().request(request, base=base)
        plain = request.copy()
        plain.prepare_body(data=form["payload_json"], files=None)
        plain.headers["Content-Type"] = "application/json"
        named = {f"files[{one['id']}]" for one in json.loads(form["payload_json"])["attachments"]}
        wrong = [f"there is no part {name}" for name in form if not FILES.fullmatch(name)]
        wrong += [] if named == form.keys() - {"payload_json"} else [f"{named} are told and others sent"]
        return wrong + super().request(plain, base=base)

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge. What is wrong with a field has a word for its code, by the pages; the description says number."""
        detailed = not answer.ok and "errors" in answer.json()
        return [] if detailed else super().answer(answer, base=base)


class Pinterest(Described):
    """Pinterest API v5."""

    def __init__(self) -> None:
        super().__init__(_with_open_media(spec("pinterest/openapi.json")), server="https://api.pinterest.com/v5")


def _with_open_media(description: Mapping[str, Any]) -> dict[str, Any]:
    """The source of a pin's media holds what its kind holds, and the kinds are closed; the choice itself names nothing."""
    parts = description["components"]
    media = {"PinMediaSource": parts["schemas"]["PinMediaSource"] | {"additionalProperties": True}}
    return {**description, "components": parts | {"schemas": parts["schemas"] | media}}


OPEN: Mapping[str, Callable[[], Judge]] = {"telegram": Telegram, "discord": Discord, "pinterest": Pinterest}
"""By the networks' names."""
