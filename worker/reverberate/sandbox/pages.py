"""The sandbox's pages: what each network's readers would see. Everything that was posted is escaped."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.text.links import mastodon_links, x_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reverberate.sandbox.ledger import Entry

STYLE = Path(__file__).with_name("style.css").read_bytes()
TITLES = {"twitter": "Twitter / X", "facebook": "Facebook Page", "mastodon": "Mastodon", "bluesky": "Bluesky"}
TITLES |= {"wordpress": "WordPress"}
TITLES |= {"instagram": "Instagram", "threads": "Threads", "linkedin": "LinkedIn"}
TITLES |= {"google_business": "Google Business Profile"}
ALWAYS = frozenset({"twitter", "facebook", "mastodon", "bluesky"})
"""These have a column from the start, the others from their first post on."""
CARDLESS = frozenset({"bluesky", "facebook", "instagram", "linkedin", "google_business"})
CARDLESS |= {"telegram", "discord", "reddit", "tumblr", "pinterest", "webhook"}
"""They make no card of what stands in the text alone."""
TITLES |= {
    "telegram": "Telegram",
    "discord": "Discord",
    "reddit": "Reddit",
    "tumblr": "Tumblr",
    "pinterest": "Pinterest",
}
TITLES |= {"webhook": "Webhook"}
HANDLES = {
    "telegram": "Channel",
    "discord": "#{}",
    "reddit": "u/{}",
    "tumblr": "{}",
    "pinterest": "{}",
    "webhook": "Receiver",
}
MOST = 30
"""So many posts of each network are on the first page."""
URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
LOCAL = re.compile(r"https?://(?:127\.0\.0\.1|localhost)(?::\d+)?(?:/[^\s<>\"]*[^\s<>\".,;:!?)])?/?")
WORDS = re.compile(r"(?<![\w&/])#\w*[^\W\d]\w*|(?<![\w@/])@\w[\w.-]*(?:@\w[\w.-]*)?\b")
SHOWN_OF_LINK = 30


def timelines(of: Callable[[str], Sequence[Entry]], *, counts: Mapping[str, int]) -> str:
    """Every network's newest posts side by side; ``counts`` says how many each ever accepted."""
    shown = [name for name in TITLES if name in ALWAYS or counts.get(name)]
    columns = "".join(_column(name, TITLES[name], of(name), counts.get(name, 0)) for name in shown)
    lead = f'<p class="lead">{_posts(sum(counts.values()))} accepted, newest first.</p>'
    return page("Sandbox timelines", f"{_menu()}<h1>Sandbox timelines</h1>{lead}<main>{columns}</main>")


def permalink(entry: Entry) -> str:
    """One post's page."""
    title = TITLES[entry.network]
    section = f'<section class="{entry.network}"><h2>{title}</h2>{_post(entry)}</section>'
    return page(f"{entry.account} on {title}", f'{_menu()}<main class="single">{section}</main>')


def nothing() -> str:
    """The page that is shown where there is none."""
    return page("Not here", f"{_menu()}<h1>Not here</h1><p class='lead'>There is no such page in the sandbox.</p>")


def page(title: str, body: str, *, head: str = "", kind: str = "") -> str:
    """A page; ``body`` and ``head`` are HTML."""
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    style = '<link rel="stylesheet" href="/style.css">'
    name = f' class="{kind}"' if kind else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{view}<title>{html.escape(title)}</title>'
        f"{style}{head}</head><body{name}>{body}</body></html>"
    )


def _menu() -> str:
    return '<nav><a href="/">Timelines</a> <a href="/faults">Faults</a> <a href="/ledger.json">Ledger</a></nav>'


def _column(name: str, title: str, entries: Sequence[Entry], accepted: int) -> str:
    shown = "".join(map(_post, entries)) or '<p class="none">Nothing yet.</p>'
    older = f'<p class="muted">{_posts(accepted)} in all; the rest is in the ledger.</p>' if accepted > MOST else ""
    return f'<section class="{name}"><h2>{title} <small>{_posts(accepted)}</small></h2>{shown}{older}</section>'


def _posts(number: int) -> str:
    return "1 post" if number == 1 else f"{number:,} posts"


def _post(entry: Entry) -> str:
    who, place = html.escape(entry.account), html.escape(entry.path)
    when = entry.when.strftime("%d %b %Y, %H:%M:%S UTC")
    return (
        f'<article><header><span class="face" aria-hidden="true">{who[:1]}</span><span class="who">{who}</span>'
        f'<span class="handle">{html.escape(_handle(entry))}</span></header>'
        f'<div class="text">{_text(entry)}</div>{_pictures(entry)}{_card(entry)}'
        f'<footer><a href="{place}"><time datetime="{html.escape(entry.at)}">{when}</time></a>'
        f"<code>{html.escape(_short(entry.remote_id))}</code></footer></article>"
    )


def _handle(entry: Entry) -> str:
    match entry.network:
        case "twitter" | "threads" | "instagram":
            return f"@{entry.account}"
        case "mastodon":
            return f"@{entry.account}@{keys.DOMAIN}"
        case "bluesky":
            return f"@{entry.account}.{keys.DOMAIN}"
        case _:
            return HANDLES.get(entry.network, "Page").format(entry.account)


def _text(entry: Entry) -> str:
    match entry.network:
        case "twitter":
            return _linked(entry.text, _with_local(entry.text, x_links(entry.text)), shorten=True)
        case "mastodon":
            return _linked(entry.text, _with_local(entry.text, mastodon_links(entry.text)), shorten=True)
        case "bluesky":
            return _faceted(entry.text, entry.details["record"].get("facets", []))
        case _:
            return _linked(entry.text, [match.span() for match in URL.finditer(entry.text)], shorten=False)


def _with_local(text: str, links: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """With addresses on this machine too: to the networks they are no links, but here the sample blog has one."""
    found = [(start, end) for start, end in links]
    local = (match.span() for match in LOCAL.finditer(text))
    return sorted(found + [span for span in local if all(span[1] <= start or end <= span[0] for start, end in found)])


def _linked(text: str, links: Iterable[tuple[int, int]], *, shorten: bool) -> str:
    """Links where the network finds them; hashtags and mentions look like links."""
    made, end = "", 0
    for start, stop in links:
        link = text[start:stop]
        address = link if "://" in link else f"http://{link}"
        made += _marked(text[end:start]) + _anchor(address, _seen(link) if shorten else link)
        end = stop
    return made + _marked(text[end:])


def _faceted(text: str, facets: Sequence[Any]) -> str:
    """Links only where the record says so, as Bluesky does it."""
    data, made, end = text.encode(), "", 0
    for facet in sorted(facets, key=lambda one: int(one["index"]["byteStart"])):
        start, stop = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        if start >= end:
            made += _plain(data[end:start]) + _anchor(
                facet["features"][0].get("uri", ""), data[start:stop].decode(errors="replace")
            )
            end = stop
    return made + _plain(data[end:])


def _plain(data: bytes) -> str:
    return html.escape(data.decode(errors="replace"))


def _marked(text: str) -> str:
    return WORDS.sub(lambda match: f"<a>{match[0]}</a>", html.escape(text, quote=False))


def _anchor(link: str, shown: str) -> str:
    """A link, if it leads to a page; else what looks like one."""
    if not link.startswith(("http://", "https://")):
        return f"<a>{html.escape(shown)}</a>"
    return f'<a href="{html.escape(link)}" rel="nofollow noreferrer">{html.escape(shown)}</a>'


def _seen(link: str) -> str:
    """A link as X and Mastodon show it: without the scheme, and only its beginning."""
    bare = link.partition("://")[2] or link
    return bare if len(bare) <= SHOWN_OF_LINK else f"{bare[:SHOWN_OF_LINK]}…"


def _card(entry: Entry) -> str:
    """The card of a post's link: Bluesky's own, or where the link leads to on the others."""
    link = entry.link or _first_link(entry)
    if not link.startswith(("http://", "https://")):
        return ""
    external = entry.details.get("card") or entry.details.get("record", {}).get("embed", {}).get("external", {})
    host = f"<small>{html.escape(link.split('/')[2])}</small>"
    title = f"<b>{html.escape(str(external.get('title') or _seen(link)))}</b>"
    about = f"<i>{html.escape(external['description'])}</i>" if external.get("description") else ""
    order = [title, about, host] if entry.network == "bluesky" else [host, title, about]
    href = html.escape(link)
    return (
        f'<a class="card" href="{href}" rel="nofollow noreferrer">{_thumb(external)}<span>{"".join(order)}</span></a>'
    )


def _pictures(entry: Entry) -> str:
    """What is attached."""
    shown = (f'<img src="/blob/{html.escape(one["cid"])}" alt="{html.escape(one["alt"])}">' for one in _attached(entry))
    return "".join(f'<figure class="picture">{one}</figure>' for one in shown)


def _attached(entry: Entry) -> Sequence[Any]:
    found: Sequence[Any] = entry.details.get("pictures", [])
    return found


def _first_link(entry: Entry) -> str:
    if entry.network in CARDLESS or _attached(entry):
        return ""
    return next((entry.text[start:end] for start, end in _with_local(entry.text, x_links(entry.text))), "")


def _thumb(external: Any) -> str:
    thumb = external.get("thumb")
    reference = thumb.get("ref", {}).get("$link", "") if isinstance(thumb, dict) else external.get("cid", "")
    return f'<img src="/blob/{html.escape(str(reference))}" alt="">' if reference else ""


def _short(remote_id: str) -> str:
    return remote_id.rsplit("/", 1)[-1]
