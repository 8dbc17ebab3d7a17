"""The sandbox's pages: what each network's readers would see. Everything that was posted is escaped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reverberate.sandbox.ledger import Entry

TITLES = {"twitter": "Twitter / X", "facebook": "Facebook Page", "mastodon": "Mastodon", "bluesky": "Bluesky"}
TOKEN = re.compile(r"https?://[^\s<>]+|(?<![\w&])#\w+|(?<![\w@])@[\w.]+(?:@[\w.-]+\w)?")
STYLE = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --ink: #16181d; --soft: #5c6370; --line: #dde1e7 }
@media (prefers-color-scheme: dark) {
  :root { --page: #101216; --card: #1a1d23; --ink: #e8eaee; --soft: #9aa3b0; --line: #2e333c }
}
* { box-sizing: border-box }
body { margin: 0; padding: 1.5rem; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 1.25rem; margin: 0 0 .25rem } p.lead { color: var(--soft); margin: 0 0 1.25rem }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; align-items: start }
section > h2 { font-size: .95rem; margin: 0 0 .5rem; padding-left: .6rem; border-left: 4px solid var(--brand) }
article { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .9rem 1rem;
  margin-bottom: .8rem; overflow-wrap: anywhere }
header { display: flex; gap: .6rem; align-items: center; margin-bottom: .5rem }
.face { width: 2.1rem; height: 2.1rem; border-radius: 50%; background: var(--brand); color: #fff; font-weight: 600;
  display: grid; place-items: center; text-transform: uppercase; flex: none }
.facebook .face { border-radius: 8px } .who { font-weight: 600 } time { color: var(--soft); font-size: .82rem }
.text { white-space: pre-wrap } a { color: var(--brand); text-decoration: none } a:hover { text-decoration: underline }
.card { display: block; border: 1px solid var(--line); border-radius: 10px; padding: .6rem .75rem; margin-top: .6rem;
  color: inherit } .card b { display: block } .card small { color: var(--soft) }
.twitter { --brand: #0f6cbd } .facebook { --brand: #2d62d6 } .mastodon { --brand: #5b4be0 } .bluesky { --brand: #0a66d8 }
@media (prefers-color-scheme: dark) {
  .twitter { --brand: #4aa8f0 } .facebook { --brand: #7aa5ff } .mastodon { --brand: #a79bff } .bluesky { --brand: #58a6ff }
}
.none { color: var(--soft) } footer { margin-top: .6rem; font-size: .8rem; color: var(--soft) }
"""


def timelines(entries: Sequence[Entry]) -> str:
    """Every network's posts side by side, newest first."""
    columns = "".join(
        f'<section class="{name}"><h2>{title}</h2>{_posts(e for e in entries if e.network == name)}</section>'
        for name, title in TITLES.items()
    )
    lead = f"{len(entries)} posts accepted. <a href='/ledger.json'>The ledger</a> has them all."
    return _page("Sandbox timelines", f'<h1>Sandbox timelines</h1><p class="lead">{lead}</p><main>{columns}</main>')


def permalink(entry: Entry) -> str:
    """One post's page."""
    title = TITLES[entry.network]
    return _page(
        f"{entry.account} on {title}",
        f'<main><section class="{entry.network}"><h2>{title}</h2>{_post(entry)}</section></main>',
    )


def nothing() -> str:
    """The page that is shown where there is none."""
    return _page(
        "Not here", "<h1>Not here</h1><p class='lead'>No such page in the sandbox. <a href='/'>Timelines</a></p>"
    )


def _page(title: str, body: str) -> str:
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{view}<title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>"
    )


def _posts(entries: Iterable[Entry]) -> str:
    return "".join(_post(entry) for entry in entries) or '<p class="none">Nothing yet.</p>'


def _post(entry: Entry) -> str:
    face, who = html.escape(entry.account[:1]), html.escape(entry.account)
    when = html.escape(entry.at.replace("T", " ").split(".")[0])
    page = html.escape(entry.permalink, quote=True)
    return (
        f'<article><header><span class="face">{face}</span><span><span class="who">{who}</span><br>'
        f'<time>{when} UTC</time></span></header><div class="text">{_linked(entry.text)}</div>{_card(entry)}'
        f'<footer><a href="{page}">permalink</a></footer></article>'
    )


def _linked(text: str) -> str:
    shown, end = "", 0
    for match in TOKEN.finditer(text):
        shown += html.escape(text[end : match.start()]) + _anchor(match[0])
        end = match.end()
    return shown + html.escape(text[end:])


def _anchor(token: str) -> str:
    safe = html.escape(token, quote=True)
    if token.startswith("http"):
        return f'<a href="{safe}" rel="nofollow noreferrer">{safe}</a>'
    return f"<a>{safe}</a>"


def _card(entry: Entry) -> str:
    if not entry.link.startswith(("http://", "https://")):
        return ""
    external = entry.details.get("record", {}).get("embed", {}).get("external", {})
    title = html.escape(str(external.get("title") or entry.link))
    about = html.escape(str(external.get("description") or ""))
    host = html.escape(entry.link.split("/")[2])
    href = html.escape(entry.link, quote=True)
    return f'<a class="card" href="{href}" rel="nofollow noreferrer"><b>{title}</b>{about}<br><small>{host}</small></a>'
