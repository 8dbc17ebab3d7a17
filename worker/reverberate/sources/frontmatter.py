"""Front matter: the keys and values before a text, in YAML, TOML or JSON; or a JSON document alone."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

import yaml

Kind = Literal["markdown", "json"]
FENCED: Final = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\n(?P<matter>.*?)^(?P=fence)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)


class Wrong(Exception):
    """What is wrong with a document, and in which line."""

    def __init__(self, words: str, *, line: int = 1, hint: str = "") -> None:
        super().__init__(words)
        self.line = line
        self.hint = hint


def kind_of(source: Path | str) -> Kind:
    """What a file is by its name, a text by its beginning."""
    if isinstance(source, Path):
        return "json" if source.suffix.lower() == ".json" else "markdown"
    if not source.lstrip().startswith("{"):
        return "markdown"
    try:
        _, end = _json(source)
    except Wrong:
        return "json"
    return "markdown" if source[end:].strip() else "json"


def split(text: str, kind: Kind) -> tuple[dict[str, Any], str]:
    """The front matter, and the text after it.

    Raises:
        Wrong: there is none, or it is broken.
    """
    text = text.replace("\r\n", "\n")
    if kind == "json" or text.startswith("{"):
        matter, end = _json(text)
        if kind == "json" and text[end:].strip():
            raise Wrong("there is more after the JSON object", line=text[:end].count("\n") + 1)
        return matter, text[end:]
    fenced = FENCED.match(text)
    if not fenced:
        raise Wrong("there is no front matter", hint="begin the file with --- (YAML), +++ (TOML) or { (JSON)")
    matter = _yaml(fenced["matter"]) if fenced["fence"] == "---" else _toml(fenced["matter"])
    return matter, text[fenced.end() :]


def _yaml(text: str) -> dict[str, Any]:
    try:
        return _mapping(yaml.safe_load(text), "YAML")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise Wrong(f"broken YAML: {error.problem}", line=line) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        raise Wrong(f"broken YAML: {' '.join(str(error).split())}") from None


def _toml(text: str) -> dict[str, Any]:
    try:
        return _mapping(tomllib.loads(text), "TOML")
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise Wrong(f"broken TOML: {error}", line=int(at[1]) + 1 if at else 1) from None


def _json(text: str) -> tuple[dict[str, Any], int]:
    start = len(text) - len(text.lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise Wrong(f"broken JSON: {error.msg}", line=error.lineno) from None
    return _mapping(value, "JSON"), end


def _mapping(value: object, language: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(key): each for key, each in value.items()}
    raise Wrong(f"the {language} must be keys with values, such as title and url")
