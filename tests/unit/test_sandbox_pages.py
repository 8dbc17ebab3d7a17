"""The sandbox's pages: what people see is what was posted, escaped, as each network shows it; and the faults' form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.sandbox import Dialect, Entry, Kind, Purpose, Sandbox
from reverberate.sandbox.faultpage import meanings
from reverberate.sandbox.pages import ALWAYS, MOST, permalink, timelines

if TYPE_CHECKING:
    from collections.abc import Iterator

NASTY = """<script>alert(1)</script> "quoted" 'single' & <img src=x onerror=alert(1)>"""


def entry(network: str, text: str, *, link: str = "", account: str = "alice", record: Any = None) -> Entry:
    return Entry(
        at="2026-11-24T12:00:00.000Z",
        network=network,
        account=account,
        remote_id="at://did/x/1" if network == "bluesky" else "1",
        permalink=f"http://127.0.0.1:1/web/{network}/1",
        text=text,
        link=link,
        details={"record": record or {"text": text}} if network == "bluesky" else {},
    )


def hrefs(page: str) -> set[str]:
    inside = page.partition("<article>")[2].partition("</article>")[0]
    return set(re.findall(r'href="([^"]*)"', inside)) - {
        "/web/twitter/1",
        "/web/facebook/1",
        "/web/mastodon/1",
        "/web/bluesky/1",
    }


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path, seed="s") as running:
        yield running


@pytest.mark.parametrize("network", ["twitter", "facebook", "mastodon", "bluesky"])
def test_whatever_was_posted_is_text(network: str) -> None:
    record = {
        "facets": [
            {"index": {"byteStart": 0, "byteEnd": 8}, "features": [{"$type": "t", "uri": 'javascript:alert("1")'}]},
            {"index": {"byteStart": 4, "byteEnd": 9}, "features": [{"$type": "t", "uri": "https://overlaps.example"}]},
        ],
        "embed": {
            "external": {
                "uri": "https://x.example",
                "title": NASTY,
                "description": NASTY,
                "thumb": {"ref": {"$link": NASTY}},
            }
        },
    }
    page = permalink(entry(network, NASTY, account=NASTY, link='https://x.example/"><script>', record=record))

    assert "<script" not in page
    assert "<img src=x" not in page
    assert "javascript:" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("network", "text", "links"),
    [
        ("twitter", "See https://example.org/a, and example.dev.", {"https://example.org/a", "http://example.dev"}),
        ("mastodon", "See https://example.org/a, and example.dev.", {"https://example.org/a"}),
        ("facebook", "See https://example.org/a, and example.dev.", {"https://example.org/a"}),
        ("bluesky", "See https://example.org/a, and example.dev.", set()),
        ("twitter", "Here http://127.0.0.1:8000/a-post.", {"http://127.0.0.1:8000/a-post"}),
        ("mastodon", "Here http://localhost:8000/a-post", {"http://localhost:8000/a-post"}),
    ],
)
def test_a_link_is_one_where_the_network_finds_one(network: str, text: str, links: set[str]) -> None:
    assert hrefs(permalink(entry(network, text))) == links


def test_bluesky_links_what_the_record_says() -> None:
    text = "Grüße: read this, #blog"
    facets = [
        {"index": {"byteStart": 14, "byteEnd": 18}, "features": [{"$type": "link", "uri": "https://example.org/a"}]},
        {"index": {"byteStart": 20, "byteEnd": 25}, "features": [{"$type": "tag", "tag": "blog"}]},
    ]
    page = permalink(entry("bluesky", text, record={"facets": facets}))

    link = '<a href="https://example.org/a" rel="nofollow noreferrer">this</a>'
    assert f'<div class="text">Grüße: read {link}, <a>#blog</a></div>' in page


def test_long_links_are_shown_short_on_x_and_mastodon() -> None:
    link = "https://example.org/2026/11/24/a-very-long-address"
    for network in ("twitter", "mastodon"):
        assert ">example.org/2026/11/24/a-very-…</a>" in permalink(entry(network, link))
    assert f">{link}</a>" in permalink(entry("facebook", link))


def test_hashtags_and_mentions_look_like_links_and_lead_nowhere() -> None:
    page = permalink(entry("mastodon", "#blog #2026 a#b @bob@example.org mail@example.org &amp; #über"))

    assert re.findall(r"<a>([^<]*)</a>", page) == ["#blog", "@bob@example.org", "#über"]


@pytest.mark.parametrize("network", ["twitter", "facebook", "mastodon"])
def test_a_link_has_a_card(network: str) -> None:
    link = "https://example.org/a"
    page = permalink(entry(network, f"Hello {link}", link=link if network == "facebook" else ""))

    assert f'<a class="card" href="{link}"' in page
    assert "<small>example.org</small>" in page


def test_a_timeline_shows_the_newest_and_says_that_there_are_more() -> None:
    page = timelines(
        lambda name: [entry(name, f"{name} {n}") for n in range(MOST)], counts={"twitter": 1234, "facebook": 1}
    )

    assert page.count("<article>") == len(ALWAYS) * MOST
    assert "1,235 posts accepted" in page
    assert "1,234 posts in all" in page
    assert "<small>1 post</small>" in page


def test_an_empty_timeline_says_so() -> None:
    assert timelines(lambda _name: [], counts={}).count("Nothing yet.") == len(ALWAYS)


def test_pages_run_nothing_and_load_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    for path in ("/", "/faults", "/nowhere", "/web/twitter/nobody/status/1"):
        page = requests.get(sandbox.url + path, timeout=5, headers={"Accept": "text/html"})
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        assert not re.search(r"<script|style=|\son\w+=|(?:src|href)=.?(?:https?:)?//", page.text)
    style = requests.get(f"{sandbox.url}/style.css", timeout=5)
    assert style.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    assert "url(" not in style.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/web/twitter/a/status/1", "/web/orkut/1", "/blob/x", "/blob/..%2fledger.jsonl"]
)
def test_what_is_not_there_is_404(sandbox: Sandbox, path: str) -> None:
    assert requests.get(sandbox.url + path, timeout=5).status_code == 404
    assert requests.post(sandbox.url + path, timeout=5).status_code == 404


def test_every_kind_of_fault_is_explained() -> None:
    for enum in (Kind, Dialect, Purpose):
        assert list(meanings(enum)) == [one.value for one in enum]
        assert all(meanings(enum).values())


def test_faults_are_set_shown_and_cleared_as_json(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/faults"
    assert requests.post(url, json={"kind": "drop", "network": "twitter"}, timeout=5).json() == {"numbers": [1]}
    assert requests.post(url, data='[{"kind": "skew"}, {"kind": "lag"}]', timeout=5).json() == {"numbers": [2, 3]}
    assert [rule["kind"] for rule in requests.get(url, timeout=5).json()["rules"]] == ["drop", "skew", "lag"]
    assert requests.delete(f"{url}/2", timeout=5).json() == {"cleared": 1}
    assert requests.delete(url, timeout=5).json() == {"cleared": 2}


@pytest.mark.parametrize("body", [{"kind": "boom"}, ["drop"], "drop", {"kind": "drop", "network": "orkut"}])
def test_a_wrong_fault_is_refused_in_one_line(sandbox: Sandbox, body: Any) -> None:
    refused = requests.post(f"{sandbox.url}/faults", json=body, timeout=5)

    assert refused.status_code == 400
    assert set(refused.json()) == {"error"}
    assert sandbox.faults.report()["rules"] == []


def test_faults_are_set_and_cleared_with_the_pages_form(sandbox: Sandbox) -> None:
    url, html = f"{sandbox.url}/faults", {"Accept": "text/html"}
    form = requests.get(url, headers=html, timeout=5).text
    fields = dict.fromkeys(re.findall(r'<(?:select|input) name="(\w+)"', form), "")
    after = requests.post(url, data=fields | {"kind": "fail", "status": "503"}, headers=html, timeout=5)

    assert after.url == url
    assert "<b>fail</b> status 503" in after.text
    wrong = requests.post(url, data=fields | {"kind": "fail", "status": "<b>"}, headers=html, timeout=5)
    assert (wrong.status_code, "status cannot be &#x27;&lt;b&gt;&#x27;" in wrong.text) == (400, True)
    assert "No fault is in force" in requests.post(f"{url}/clear", headers=html, timeout=5).text


def test_the_page_of_faults_tells_what_happened(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/faults", json={"kind": "rate-limit", "seconds": 60, "account": ""}, timeout=5)
    for _ in range(2):
        requests.post(f"{sandbox.url}/mastodon/api/v1/statuses", timeout=5)
    page = requests.get(f"{sandbox.url}/faults", headers={"Accept": "text/html"}, timeout=5).text

    assert "<dt>rate-limit</dt><dd>2</dd>" in page
    assert "1 attempts to publish came before the time" in page


def test_a_page_from_elsewhere_cannot_set_faults(sandbox: Sandbox) -> None:
    for origin in ("https://evil.example", "null"):
        refused = requests.post(f"{sandbox.url}/faults", json={"kind": "drop"}, headers={"Origin": origin}, timeout=5)
        assert refused.status_code == 403
    own = requests.post(f"{sandbox.url}/faults", json={"kind": "drop"}, headers={"Origin": sandbox.url}, timeout=5)
    assert own.status_code == 201


def test_the_documentation_names_every_fault() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    table = text.partition("## Faults")[2]

    assert re.findall(r"^\| `([a-z-]+)` \| (?:a|no|it|the|as|li|po)", table, re.MULTILINE)[: len(Kind)] == [
        k.value for k in Kind
    ]
    assert all(f"`{one}`" in table for enum in (Dialect, Purpose) for one in enum)
