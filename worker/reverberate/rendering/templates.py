"""Jinja, in its immutable sandbox, on plain values only; and the filters of a post's template.

What a template marks as elastic is rendered as a mark and kept aside; the pieces are put together again afterwards.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reverberate.text.fit import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OPEN, SHUT = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}(\\d+){SHUT}")
LONGEST = 64 * 1024
"""No rendered text is longer than this, in characters."""
SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|$)|.+?[。！？]+", re.DOTALL)


class Elastic:
    """What one rendering marked as elastic, in order."""

    def __init__(self) -> None:
        self.pieces: list[dict[str, Any]] = []

    def fit(self, value: object, priority: float = 1.0, *, min: int = 0, max: int | None = None) -> str:  # noqa: A002 - the template's words
        """``| fit``: may be shortened, the lower number first."""
        text = _clean(str(value))
        return self._mark({"kind": "fit", "text": text, "priority": priority, "least": min, "most": max})

    def drop(self, items: object, priority: float = 1.5, *, separator: str = " ") -> str:
        """``| drop``: items may leave from the end."""
        if isinstance(items, str) or not hasattr(items, "__iter__"):
            raise JinjaError("drop needs a list")
        words = [_clean(str(item)) for item in items]
        return self._mark({"kind": "drop", "items": words, "priority": priority, "separator": separator})

    def _mark(self, piece: dict[str, Any]) -> str:
        self.pieces.append(piece)
        return f"{OPEN}{len(self.pieces) - 1}{SHUT}"


def hashtag(words: str) -> str:
    """``#MachineLearning`` for "machine learning", readable to screen readers; "" where nothing is left, or only digits."""
    parts = re.findall(r"\w+", words)
    joined = "".join(part if part.isupper() else part[:1].upper() + part[1:] for part in parts)
    return f"#{joined}" if joined and not joined.isdigit() else ""


def hashtags(items: Sequence[str]) -> list[str]:
    """Each as a hashtag; those that are none are left out, and so are repeats."""
    return list(dict.fromkeys(tag for item in items if (tag := hashtag(str(item)))))


def sentences(text: str, number: int = 1) -> str:
    """The first so many sentences."""
    found = [match[0].strip() for match in SENTENCE.finditer(str(text)) if match[0].strip()]
    return " ".join(found[:number])


def utm(url: str, *, source: str = "", medium: str = "", campaign: str = "") -> str:
    """The address with campaign parameters; those that are there already stay."""
    parts = urlsplit(str(url))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    added = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    query = urlencode({name: value for name, value in added.items() if value} | given)
    return urlunsplit(parts._replace(query=query))


def date(value: str, form: str = "%Y-%m-%d", *, zone: str = "UTC") -> str:
    """An instant on the site's clock, by strftime's rules; "" for none."""
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime(form) if value else ""


@lru_cache(maxsize=8)
def environment(zone: str) -> ImmutableSandboxedEnvironment:
    """The environment of a site; templates get their own ``fit`` and ``drop`` at each rendering."""
    env = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False, autoescape=False)
    env.globals.clear()
    env.globals["range"] = range
    env.filters |= {"hashtags": hashtags, "sentences": sentences, "truncate_at": shortened, "utm": utm}
    env.filters["date"] = lambda value, form="%Y-%m-%d": date(value, form, zone=zone)
    env.filters |= {"fit": _elsewhere, "drop": _elsewhere}
    return env


def _elsewhere(*_: object) -> str:
    raise JinjaError("fit and drop mark the text of a message, and stand nowhere else")


def render(given: Mapping[str, Any]) -> dict[str, Any]:
    """A job: the rendered text with its marks, and what they stand for.

    Args:
        given: ``source`` (the template), ``post`` and ``account`` (plain values), ``zone`` (a name).

    Raises:
        Fault: the template is at fault; the text says where and what.
    """
    elastic = Elastic()
    env = environment(given["zone"]).overlay()
    env.filters = env.filters | {"fit": elastic.fit, "drop": elastic.drop}
    try:
        text = _bounded(env.from_string(given["source"]).generate(post=given["post"], account=given["account"]))
    except TemplateSyntaxError as error:
        raise Fault(f"line {error.lineno}: {error.message}") from None
    except (UndefinedError, SecurityError, JinjaError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Fault(f"line {_line(error)}: {_said(error)}") from None
    return {"text": text, "pieces": elastic.pieces}


def _bounded(chunks: Iterable[str]) -> str:
    text = ""
    for chunk in chunks:
        text += chunk
        if len(text) > LONGEST:
            raise Fault(f"renders more than {LONGEST:,} characters")
    return text


def holds(given: Mapping[str, Any]) -> bool:
    """A job: whether an expression holds. Args as ``render``, with ``expression`` for ``source``. Raises Fault."""
    try:
        rule = environment(given["zone"]).compile_expression(given["expression"], undefined_to_none=False)
        return bool(rule(post=given["post"], account=given["account"]))
    except (JinjaError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Fault(_said(error)) from None


class Fault(Exception):
    """A template or an expression is at fault."""


def _line(error: BaseException) -> int:
    """The template's line in which an error came up."""
    trace, line = error.__traceback__, 1
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _said(error: BaseException) -> str:
    """Jinja's words, without Python's."""
    words = str(error) or type(error).__name__
    if match := re.search(r"has no attribute '(\w+)'", words):
        return f"there is no {match[1]!r} here"
    return words.splitlines()[0]


def _clean(text: str) -> str:
    """Without what only we may write, and in one line where a post's own text would break lines oddly."""
    return re.sub(f"[{OPEN}{SHUT}\x00]", "", text).strip()
