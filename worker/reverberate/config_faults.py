"""What is wrong with a config, in words: on which line it stands, what was expected, what may have been meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def place(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Where pydantic found fault, without its own markers for union members and validators."""
    return tuple(str(part) for part in location if not re.search(r"[\[\]()]", str(part)) and part != "nullable")


def fields(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known at the table in which pydantic found fault."""
    for part in location[:-1]:
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def expected(found: dict[str, Any], keys: list[str]) -> str:
    match found["type"]:
        case "extra_forbidden":
            return f"unknown key{meant(str(found['loc'][-1]), keys)}"
        case "missing":
            return "is missing"
        case "value_error":
            return str(found["ctx"]["error"])
        case _:
            return str(found["msg"])


def meant(word: str, words: Sequence[str]) -> str:
    near = get_close_matches(word, words, n=1, cutoff=0.5)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (known are: {', '.join(words)})" if words else ""


def lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """On which line each table and each key of a table begins."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?$", line):
            table = _path(header[1])
            yield table, number
        elif key := re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""", line):
            yield (*table, *_path(key[1])), number


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
