"""A validator for atproto's lexicons, as far as posting goes: what is wrong with a record, an input, a query, an output.

It is stricter than atproto: a property that the lexicon does not name is a mistake of ours, and a union takes only what
it lists. A type or a format that it does not know is a problem too, never a pass. Source: atproto.com/specs/lexicon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DOMAIN = r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
DID = r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]"
NSID = r"[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+\.[a-zA-Z][a-zA-Z0-9]{0,62}"
RECORD_KEY = r"(?!\.{1,2}$)[a-zA-Z0-9_~.:-]{1,512}"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)(?<!-00:00)"
FORMATS = {
    "at-identifier": f"{DID}|{DOMAIN}",
    "at-uri": rf"at://({DID}|{DOMAIN})(/{NSID}(/{RECORD_KEY})?)?",
    "cid": r"b[a-z2-7]{7,}",
    "did": DID,
    "handle": DOMAIN,
    "language": r"([a-z]{2,3}|i)(-[a-zA-Z0-9]{1,8})*",
    "nsid": NSID,
    "record-key": RECORD_KEY,
    "tid": r"[234567a-j][234567a-z]{12}",
    "uri": r"[a-z][a-z.-]{0,80}:[!-~]{1,8000}",
}


SESSION_IS_OVER = {"ExpiredToken", "InvalidToken"}
"""What every call that needs a session may say, though only the one that renews it lists them."""


class Lexicons:
    """The lexicons, each read when it is first named.

    Args:
        load: gives the lexicon of an NSID, ``app.bsky.feed.post``.
    """

    def __init__(self, load: Callable[[str], Mapping[str, Any]]) -> None:
        self._load = load

    def record(self, value: Any) -> list[str]:
        """What is wrong with a record, by the type that it names itself; its key is ``key``'s matter."""
        kind = value.get("$type", "") if isinstance(value, dict) else ""
        if not kind:
            return ["record: names no $type"]
        main = self._main(kind)
        if main["type"] != "record":
            return [f"record: {kind} is no record but a {main['type']}"]
        return list(_Check(self._load, kind).value(main["record"], value, "record"))

    def key(self, kind: str, key: str) -> list[str]:
        """What is wrong with a record's key."""
        wanted = self._main(kind)["key"]
        return [] if wanted == "any" else list(_formatted("tid" if wanted == "tid" else wanted, key, "rkey"))

    def params(self, name: str, query: Mapping[str, str]) -> list[str]:
        """What is wrong with the query of a call; only texts, for we send no others."""
        schema = self._main(name).get("parameters", {"type": "params"})
        return list(_Check(self._load, name).fields(schema, query, "query"))

    def input(self, name: str, encoding: str, body: Any) -> list[str]:
        """What is wrong with the body of a call: JSON already read, or bytes; None where there is none."""
        return self._body(name, "input", encoding, body)

    def output(self, name: str, encoding: str, body: Any) -> list[str]:
        """What is wrong with the answer."""
        return self._body(name, "output", encoding, body)

    def error(self, name: str, body: Any) -> list[str]:
        """What is wrong with a refusal: it has a name that the call lists, or that says that a session is over."""
        known = {one["name"] for one in self._main(name).get("errors", [])} | SESSION_IS_OVER
        shaped = isinstance(body, dict) and {*body} == {"error", "message"} and isinstance(body["message"], str)
        return [] if shaped and body["error"] in known else [f"error: {body} is none of {sorted(known)}"]

    def method(self, name: str) -> str:
        """How HTTP says it: GET for a query, POST for a procedure."""
        return {"query": "GET", "procedure": "POST"}[self._main(name)["type"]]

    def _body(self, name: str, side: str, encoding: str, body: Any) -> list[str]:
        wanted = self._main(name).get(side)
        if wanted is None:
            return [] if body is None else [f"{side}: {name} takes none"]
        if body is None or not fnmatch(encoding, wanted["encoding"]):
            return [f"{side}: {encoding or 'nothing'} instead of {wanted['encoding']}"]
        return list(_Check(self._load, name).value(wanted["schema"], body, side)) if "schema" in wanted else []

    def _main(self, name: str) -> Mapping[str, Any]:
        main: Mapping[str, Any] = self._load(name)["defs"]["main"]
        return main


@dataclass(frozen=True)
class _Check:
    """A walk through a value; ``lexicon`` is the one in which the schema stands."""

    load: Callable[[str], Mapping[str, Any]]
    lexicon: str

    def value(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        match schema["type"]:
            case "object":
                yield from self.fields(schema, value, where)
            case "array":
                yield from self._items(schema, value, where)
            case "ref":
                yield from self._named(schema["ref"], value, where)
            case "union":
                yield from self._one_of(schema, value, where)
            case "string":
                yield from _text(schema, value, where)
            case "integer":
                yield from _whole(schema, value, where)
            case "boolean":
                yield from () if isinstance(value, bool) else [f"{where}: must be true or false"]
            case "blob":
                yield from _blob(schema, value, where)
            case "unknown":
                yield from () if isinstance(value, dict) else [f"{where}: must be an object"]
            case other:
                yield f"{where}: the type {other} is not known here"

    def fields(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        """The properties of an object, or the parameters of a query."""
        if not isinstance(value, dict):
            yield f"{where}: must be an object"
            return
        known, nullable = schema.get("properties", {}), schema.get("nullable", [])
        yield from (f"{where}.{name}: is missing" for name in schema.get("required", []) if name not in value)
        yield from (f"{where}.{name}: is no property of {self.lexicon}" for name in {*value} - {*known, "$type"})
        for name in known.keys() & value.keys():
            if value[name] is not None or name not in nullable:
                yield from self.value(known[name], value[name], f"{where}.{name}")

    def _items(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: must be a list"
            return
        yield from _sized(schema, len(value), where, unit="items")
        for number, item in enumerate(value):
            yield from self.value(schema["items"], item, f"{where}[{number}]")

    def _one_of(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        kind = value.get("$type") if isinstance(value, dict) else None
        for ref in schema["refs"]:
            if kind is not None and self._absolute(ref) == self._absolute(kind):
                yield from self._named(ref, value, where)
                return
        yield f"{where}: {kind} is none of {', '.join(schema['refs'])}"

    def _named(self, ref: str, value: Any, where: str) -> Iterator[str]:
        lexicon, _, name = self._absolute(ref).partition("#")
        schema = self.load(lexicon)["defs"][name]
        if isinstance(value, dict) and self._absolute(value.get("$type", ref)) != self._absolute(ref):
            yield f"{where}: is a {value['$type']} and not a {ref}"
        yield from _Check(self.load, lexicon).value(schema, value, where)

    def _absolute(self, ref: str) -> str:
        lexicon, _, name = ref.partition("#")
        return f"{lexicon or self.lexicon}#{name or 'main'}"


def _text(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where}: must be a text"
        return
    yield from _sized(schema, len(value.encode()), where, unit="bytes")
    graphemes = len(regex.findall(r"\X", value))
    if graphemes > schema.get("maxGraphemes", graphemes):
        yield f"{where}: {graphemes} graphemes, at most {schema['maxGraphemes']}"
    if "format" in schema:
        yield from _formatted(schema["format"], value, where)


def _sized(schema: Mapping[str, Any], size: int, where: str, *, unit: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= size <= schema.get("maxLength", size):
        yield f"{where}: {size} {unit}, of {schema.get('minLength', 0)} to {schema.get('maxLength', 'any')}"


def _whole(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{where}: must be a whole number"
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value} is out of range"


def _formatted(name: str, value: str, where: str) -> Iterator[str]:
    if name == "datetime":
        right = _is_instant(value)
    elif name in FORMATS:
        right = re.fullmatch(FORMATS[name], value) is not None
    else:
        yield f"{where}: the format {name} is not known here"
        return
    if not right:
        yield f"{where}: {value!r} is no {name}"


def _is_instant(value: str) -> bool:
    """RFC 3339 and ISO 8601 at once, and a day that there is."""
    try:
        return re.fullmatch(STAMP, value) is not None and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _blob(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    shape = {"$type": str, "ref": dict, "mimeType": str, "size": int}
    if not isinstance(value, dict) or {*value} != {*shape} or value["$type"] != "blob":
        yield f"{where}: a blob has $type, ref, mimeType and size"
        return
    if wrong := [name for name, kind in shape.items() if not isinstance(value[name], kind)]:
        yield f"{where}: wrong in a blob: {', '.join(wrong)}"
        return
    yield from _formatted("cid", str(value["ref"].get("$link")), f"{where}.ref")
    if not any(fnmatch(value["mimeType"], kind) for kind in schema.get("accept", ["*/*"])):
        yield f"{where}: {value['mimeType']} is none of {', '.join(schema['accept'])}"
    if not 0 < value["size"] <= schema.get("maxSize", value["size"]):
        yield f"{where}: {value['size']} bytes, at most {schema['maxSize']}"
