"""The page that shows a preview: one file, nothing from elsewhere, a card for each account as its readers would see it."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from reverberate.text.facets import detect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Template


def page(previews: Sequence[Mapping[str, Any]], *, title: str, site: str) -> str:
    """The whole page as HTML; ``previews`` are what ``previews.preview`` returns.

    Whatever stands in them is escaped; the page's own policy forbids scripts and everything from elsewhere.
    """
    faults = sum(bool(one["problem"]) for one in previews)
    return _template().render(previews=[_prepared(one) for one in previews], title=title, site=site, faults=faults)


@lru_cache(maxsize=1)
def _template() -> Template:
    env = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = files("reverberate.rendering").joinpath("page.html").read_text(encoding="utf-8")
    head, _, macros = source.partition("</html>\n")
    return env.from_string(macros + head + "</html>\n")  # what is used must be defined before it


def _prepared(one: Mapping[str, Any]) -> dict[str, Any]:
    parts = [{**part, "runs": _runs(part["text"])} for part in one["parts"]]
    card = one["card"] and {**one["card"], "host": urlsplit(one["card"]["url"]).netloc}
    return {**one, "parts": parts, "card": card}


def _runs(text: str) -> list[tuple[str, bool]]:
    """The text in runs, each with whether it is a link, a mention or a hashtag."""
    data, at, runs = text.encode(), 0, []
    for facet in detect(text):
        runs += [(data[at : facet.start].decode(), False), (data[facet.start : facet.end].decode(), True)]
        at = facet.end
    return [run for run in (*runs, (data[at:].decode(), False)) if run[0]]
