"""Jinja, in its immutable sandbox, on plain values only; and the filters of a post's template.

What a template marks as elastic is rendered as a mark and kept aside; the pieces are put together again afterwards.
"""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reverberate.text.fit import shortened
from reverberate.text.markup import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Template

OPEN, SHUT = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}(\\d+){SHUT}")
OURS = re.compile(f"[{OPEN}{SHUT}\x00]")
LONGEST = 64 * 1024
"""No rendered text is longer than this, in characters."""
SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|$)|.+?[。！？]+", re.DOTALL)
TRACKING = re.compile(
    r"(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|yclid|ref_src|_hsenc|_hsmi)", re.IGNORECASE
)


class Elastic:
    """What one rendering marked as elastic, in order, and what it printed as it is, by the template's line."""

    def __init__(self) -> None:
        self.pieces: list[dict[str, Any]] = []
        self.rigid: list[tuple[int, str]] = []

    def mark(self, piece: dict[str, Any]) -> str:
        """Keep a piece; what stands for it in the text."""
        self.pieces.append(piece)
        return f"{OPEN}{len(self.pieces) - 1}{SHUT}"


_now: ContextVar[Elastic] = ContextVar("the rendering that runs")


def fit(value: object, priority: float = 1.0, *, min: int = 0, max: int | None = None) -> str:  # noqa: A002 - the template's words
    """``| fit``: may be shortened, the lower number first."""
    return _mark({"kind": "fit", "text": _clean(str(value)), "priority": priority, "least": min, "most": max})


def drop(items: object, priority: float = 1.5, *, separator: str = " ") -> str:
    """``| drop``: items may leave from the end."""
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        raise JinjaError("drop needs a list")
    words = [_clean(str(item)) for item in items]
    return _mark({"kind": "drop", "items": words, "priority": priority, "separator": separator})


def thread(value: object, *, max: int = 25) -> str:  # noqa: A002 - the template's word
    """``| thread``: flows over as many posts as it needs, at most so many."""
    if not 1 <= max <= 100:
        raise JinjaError("thread(max=) needs a number from 1 to 100")
    if any(piece["kind"] == "flow" for piece in _now.get(Elastic()).pieces):
        raise JinjaError("thread may stand in a template once")
    return _mark({"kind": "flow", "text": _clean(str(value)), "most": max})


def _mark(piece: dict[str, Any]) -> str:
    try:
        return _now.get().mark(piece)
    except LookupError:
        raise JinjaError("fit, drop and thread mark the text of a message, and stand nowhere else") from None


def hashtag(words: str) -> str:
    """``#MachineLearning`` for "machine learning", readable to screen readers; "" where nothing is left, or only digits."""
    parts = re.findall(r"\w+", words)
    joined = "".join(part if part.isupper() else part[:1].upper() + part[1:] for part in parts)
    return f"#{joined}" if re.search(r"[^\d_]", joined) else ""


def hashtags(items: Sequence[str]) -> list[str]:
    """Each as a hashtag; those that are none are left out, and so are repeats."""
    return list({tag.casefold(): tag for item in reversed(items) if (tag := hashtag(str(item)))}.values())[::-1]


def sentences(text: str, number: int = 1) -> str:
    """The first so many sentences."""
    found = [match[0].strip() for match in SENTENCE.finditer(str(text)) if match[0].strip()]
    return " ".join(found[:number])


def utm(url: str, *, source: str = "", medium: str = "", campaign: str = "") -> str:
    """The address with campaign parameters; those that are there already stay."""
    parts = urlsplit(str(url))
    given = parse_qsl(parts.query, keep_blank_values=True)
    added = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    there = {name for name, _ in given}
    query = urlencode([*given, *((name, value) for name, value in added.items() if value and name not in there)])
    return urlunsplit(parts._replace(query=query))


def shorten_url(url: str) -> str:
    """The same page by a shorter address: without tracking parameters, a default port, a trailing index file."""
    parts = urlsplit(str(url))
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = parts.netloc.removesuffix(port) if port else parts.netloc
    kept = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.fullmatch(name)
    ]
    query = parts.query if len(kept) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(kept)
    path = re.sub(r"/index\.(html?|php)$", "/", parts.path)
    return urlunsplit(parts._replace(netloc=host, path=path, query=query))


def date(value: str, form: str = "%Y-%m-%d", *, zone: str = "UTC") -> str:
    """An instant on the site's clock, by strftime's rules; "" for none."""
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime(form) if value else ""


def _printed(value: object) -> object:
    """Called by Jinja for each value that a template prints: notes on which line that was."""
    elastic, frame = _now.get(None), sys._getframe(1)  # noqa: SLF001 - only the frame knows the template's line
    if elastic is not None and frame.f_code.co_filename == "<template>":
        text = str(value)
        if text and OPEN not in text:
            elastic.rigid.append((frame.f_lineno, text))
    return value


@lru_cache(maxsize=8)
def environment(zone: str) -> ImmutableSandboxedEnvironment:
    """The environment of a site."""
    env = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=False, autoescape=False, finalize=_printed
    )
    env.globals.clear()
    env.globals["range"] = range
    env.filters |= {"fit": fit, "drop": drop, "thread": thread}
    env.filters |= {"hashtags": hashtags, "sentences": sentences, "truncate_at": shortened, "utm": utm}
    env.filters |= {"plain": plain, "shorten_url": shorten_url, "date": partial(_on_clock, zone)}
    return env


def _on_clock(zone: str, value: str, form: str = "%Y-%m-%d") -> str:
    return date(value, form, zone=zone)


@lru_cache(maxsize=256)
def _compiled(source: str, zone: str) -> Template:
    template = environment(zone).from_string(source)
    # each rendering copies them, and Jinja's own chain of them is slow to copy
    template.globals = dict(template.globals)
    return template


def render(given: Mapping[str, Any]) -> dict[str, Any]:
    """A job: the rendered text with its marks, what they stand for, and what was printed as it is, line by line.

    Args:
        given: ``source`` (the template), ``post`` and ``account`` (plain values), ``zone`` (a name).

    Raises:
        Fault: the template is at fault; the text says where and what.
    """
    elastic = Elastic()
    token = _now.set(elastic)
    try:
        template = _compiled(given["source"], given["zone"])
        text = _bounded(template.generate(post=given["post"], account=given["account"]))
    except TemplateSyntaxError as error:
        raise Fault(f"line {error.lineno}: {error.message}") from None
    except (UndefinedError, SecurityError, JinjaError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Fault(f"line {_line(error)}: {_said(error)}") from None
    finally:
        _now.reset(token)
    lines = [(template.get_corresponding_lineno(number), printed) for number, printed in elastic.rigid]
    return {"text": text, "pieces": elastic.pieces, "rigid": lines}


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
    """Without what only we may write, and without space around it."""
    return OURS.sub("", text).strip()
