"""Requests and answers against Meta's description of its Graph API: parameters of edges, fields of objects, types."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _is_json(kind: type) -> Callable[[str], bool]:
    def is_one(text: str) -> bool:
        try:
            return isinstance(json.loads(text), kind)
        except ValueError:
            return False

    return is_one


def _is_instant(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


AS_TEXT: Mapping[str, Callable[[str], bool]] = {
    "string": lambda _text: True,
    "unsigned int": str.isdecimal,
    "bool": lambda text: text in {"true", "false", "1", "0"},
    "datetime": lambda text: text.isdecimal() or _is_instant(text),
    "Object": _is_json(dict),
    "map": _is_json(dict),
    "list": _is_json(list),
}
"""How a parameter of each type looks in a query or a form."""
AS_JSON: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "datetime": _is_instant,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "unsigned int": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "Object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
}
"""And a field in an answer."""


@dataclass(frozen=True)
class Node:
    """One kind of object, a Page or a post, as Meta describes it.

    Attributes:
        description: the document.
    """

    description: Mapping[str, Any]

    def parameters(self, method: str, edge: str, given: Mapping[str, str]) -> list[str]:
        """What is wrong with the parameters of a call; ``fields`` may stand in each, and is ``fields``' matter."""
        call = self._call(method, edge)
        if call is None:
            return [f"there is no {method} {edge or 'of the object itself'}"]
        known = {one["name"]: one for one in call["params"]}
        missing = [
            f"{one['name']} is missing" for one in known.values() if one["required"] and one["name"] not in given
        ]
        return missing + [
            words
            for name, text in given.items()
            if name != "fields"
            for words in _parameter(known.get(name), name, text)
        ]

    def fields(self, wanted: str) -> list[str]:
        """What is wrong with a list of fields to be told: each is a field or an edge that can be read."""
        return [f"there is no field {name}" for name in _names(wanted) if name not in self._types() | self._edges()]

    def answer(self, value: Mapping[str, Any]) -> list[str]:
        """What is wrong with an object of an answer; an edge is an object with its list in ``data``."""
        types = self._types() | dict.fromkeys(self._edges(), "edge")
        return [words for name, one in value.items() for words in _field(types.get(name), name, one)]

    def _call(self, method: str, edge: str) -> Mapping[str, Any] | None:
        found = (one for one in self.description["apis"] if (one["method"], one.get("endpoint", "")) == (method, edge))
        return next(found, None)

    def _types(self) -> dict[str, str]:
        return {one["name"]: one["type"] for one in self.description["fields"]}

    def _edges(self) -> dict[str, str]:
        calls = self.description["apis"]
        return {one["endpoint"]: one["return"] for one in calls if one["method"] == "GET" and "endpoint" in one}


def _names(wanted: str) -> list[str]:
    """The names at the top of a list of fields, ``id,attachments{url},likes.limit(0).summary(true)``."""
    return re.sub(r"\{[^{}]*\}|\.\w+\([^()]*\)", "", wanted).split(",")


def _parameter(known: Mapping[str, Any] | None, name: str, text: str) -> Iterator[str]:
    if known is None:
        yield f"there is no parameter {name}"
    elif not (fits := AS_TEXT.get(known["type"].partition("<")[0])):
        yield f"{name}: the type {known['type']} is not known here"
    elif not fits(text):
        yield f"{name}: {text!r} is no {known['type']}"


def _field(kind: str | None, name: str, value: Any) -> Iterator[str]:
    if kind is None:
        yield f"there is no field {name}"
    elif kind == "edge":
        yield from () if isinstance(value, dict) and isinstance(value.get("data"), list) else [f"{name}: is no edge"]
    elif not (fits := AS_JSON.get(kind.partition("<")[0])):
        yield f"{name}: the type {kind} is not known here"
    elif not fits(value):
        yield f"{name}: {value!r} is no {kind}"
