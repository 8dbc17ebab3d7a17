"""The page of the faults: which are in force, how often they happened, and a form for more."""

from __future__ import annotations

import html
import inspect
import re
from typing import TYPE_CHECKING, Any

from reverberate.sandbox.faults import Dialect, Kind
from reverberate.sandbox.pages import TITLES, page
from reverberate.sandbox.personality import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

NUMBERS = {"probability": "1", "count": "", "seconds": "5", "byte": "", "status": "500", "fraction": "0.5"}
PRE = re.compile(r"`([^`]*)`")


def meanings(kinds: type[StrEnum]) -> dict[str, str]:
    """What each member of an enum means: the text that stands below it."""
    members = re.findall(r'= "([^"]+)"\n\s+"""(.*?)"""', inspect.getsource(kinds), re.DOTALL)
    return {name: " ".join(text.split()) for name, text in members}


def faults(report: Mapping[str, Any], *, trouble: str = "") -> str:
    """The page; ``trouble`` says what was wrong with the last form."""
    menu = '<nav><a href="/">Timelines</a> <a href="/ledger.json">Ledger</a></nav>'
    wrong = f'<p role="alert"><b>{html.escape(trouble)}</b></p>' if trouble else ""
    early = f"{report['early']} attempts to publish came before the time that was told." if report["early"] else ""
    return page(
        "Sandbox faults",
        f"{menu}<h1>Faults</h1><p class='lead'>What goes wrong, and how often it did. {early}</p>{wrong}"
        f"{_rules(report['rules'])}{_form()}{_happened(report['happened'])}{_legend()}",
    )


def _rules(rules: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(_rule(rule) for rule in rules)
    if not rows:
        return '<p class="none">No fault is in force.</p>'
    heads = "".join(f"<th>{name}</th>" for name in ("No.", "Rule", "Requests met", "Happened"))
    clear = '<form method="post" action="/faults/clear"><p><button>Clear all</button></p></form>'
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{clear}"


def _rule(rule: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in rule.items() if name not in {"number", "met", "happened", "kind"}}
    words = f"<b>{html.escape(rule['kind'])}</b> " + html.escape(", ".join(f"{k} {v}" for k, v in rest.items()))
    return f"<tr><td>{rule['number']}</td><td>{words}</td><td>{rule['met']}</td><td>{rule['happened']}</td></tr>"


def _form() -> str:
    fields = _choice("kind", Kind, empty=False) + _choice("network", TITLES) + _input("account", "")
    fields += _choice("on", Purpose) + "".join(_input(name, value) for name, value in NUMBERS.items())
    fields += _choice("dialect", Dialect, empty=False)
    return f'<form class="rule" method="post" action="/faults">{fields}<button>Add</button></form>'


def _choice(name: str, values: Iterable[str], *, empty: bool = True) -> str:
    options = ['<option value="">any</option>'] if empty else []
    options += [f"<option>{html.escape(value)}</option>" for value in values]
    return f'<label>{name}<select name="{name}">{"".join(options)}</select></label>'


def _input(name: str, value: str) -> str:
    return f'<label>{name}<input name="{name}" value="{value}" placeholder="any"></label>'


def _happened(happened: Mapping[str, int]) -> str:
    if not happened:
        return ""
    rows = "".join(f"<dt>{html.escape(kind)}</dt><dd>{number:,}</dd>" for kind, number in sorted(happened.items()))
    return f"<h2>Happened so far</h2><dl>{rows}</dl>"


def _legend() -> str:
    kinds = meanings(Kind).items()
    rows = "".join(f"<dt>{kind}</dt><dd>{_coded(text)}</dd>" for kind, text in kinds)
    return f"<h2>Kinds</h2><dl>{rows}</dl>"


def _coded(text: str) -> str:
    return PRE.sub(r"<code>\1</code>", html.escape(text))
