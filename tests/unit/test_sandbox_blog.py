"""The sample blog: feeds that feed readers understand, told once as long as nothing is new, and pages about posts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import feedparser
import pytest
import requests

from reverberate.sandbox.blog import Blog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
FEEDS = ("/feed.xml", "/atom.xml", "/feed.json")


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[Blog]:
    with Blog(tmp_path / "blog") as running:
        yield running


def titles(blog: Blog, feed: str) -> list[str]:
    answer = requests.get(blog.url + feed, timeout=5)
    if feed.endswith(".json"):
        return [item["title"] for item in answer.json()["items"]]
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    return [entry.title for entry in parsed.entries]


@pytest.mark.parametrize("feed", FEEDS)
def test_three_older_posts_are_there_and_a_new_one_comes_first(blog: Blog, feed: str) -> None:
    assert len(titles(blog, feed)) == 3
    blog.publish("Fresh & <new>", "<p>News</p>", summary="News", tags=["a", "b & c"])

    assert titles(blog, feed)[0] == "Fresh & <new>"


def test_the_older_posts_are_old(blog: Blog) -> None:
    items = requests.get(f"{blog.url}/feed.json", timeout=5).json()["items"]
    published = [datetime.fromisoformat(item["date_published"]) for item in items]

    assert published == sorted(published, reverse=True)
    assert published[0] < datetime.now(UTC) - timedelta(days=29)


def test_all_feeds_tell_the_same(blog: Blog) -> None:
    address = blog.publish(
        "Fresh", "<p>N & <b>ews</b></p>", summary="News", tags=["a", 'b & "c"'], image=PNG, alt="A dot"
    )
    item = requests.get(f"{blog.url}/feed.json", timeout=5).json()["items"][0]
    for feed in FEEDS[:2]:
        entry = feedparser.parse(requests.get(blog.url + feed, timeout=5).content).entries[0]
        assert (entry.link, entry.id, entry.summary) == (address, item["id"], "News")
        assert [tag.term for tag in entry.tags] == item["tags"] == ["a", 'b & "c"']
        assert entry.content[0].value == item["content_html"]
        assert datetime(*entry.published_parsed[:6], tzinfo=UTC).isoformat() == item["date_published"]
        assert [(one.href, one.type) for one in entry.enclosures] == [(item["image"], "image/png")]
    assert requests.get(item["image"], timeout=5).content == PNG


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_that_did_not_change_is_not_sent_again(blog: Blog, feed: str) -> None:
    first = requests.get(blog.url + feed, timeout=5)
    known = [
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f'"x", W/{first.headers["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ]
    for headers in known:
        answer = requests.get(blog.url + feed, headers=headers, timeout=5)
        assert (answer.status_code, answer.content) == (304, b""), headers
    blog.publish("Fresh", "<p>News</p>")
    for headers in [*known[:2], {"If-Modified-Since": "soon"}, {"If-Modified-Since": first.headers["Last-Modified"]}]:
        assert requests.get(blog.url + feed, headers=headers, timeout=5).status_code == 200, headers


def test_what_xml_cannot_hold_is_left_out(blog: Blog) -> None:
    blog.publish("Bell \x07 and ]]>", "<p>\x00]]></p>", summary="\ufffe", tags=["\x1b"])

    for feed in FEEDS[:2]:
        ET.fromstring(requests.get(blog.url + feed, timeout=5).content)  # noqa: S314 - our own feed
    assert "Bell \ufffd and ]]&gt;" in requests.get(f"{blog.url}/feed.xml", timeout=5).text


def test_markdown_becomes_html_and_html_stays(blog: Blog) -> None:
    blog.publish("One", "Some *words* and <script>alert(1)</script>")
    blog.publish("Two", " <p>Some *words*</p>")
    two, one = [item["content_html"] for item in requests.get(f"{blog.url}/feed.json", timeout=5).json()["items"][:2]]

    assert "<em>words</em>" in one
    assert "<script>" not in one
    assert two == " <p>Some *words*</p>"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Über Ängste!", "uber-angste"),
        ("日本", "post"),
        ("Publish", "publish-2"),
        ("Hello, world", "hello-world-2"),
        ("a/../b", "a-b"),
    ],
)
def test_an_address_is_made_of_the_title_and_is_nobody_elses(blog: Blog, title: str, slug: str) -> None:
    assert blog.publish(title, "<p>x</p>") == f"{blog.url}/{slug}"
    assert requests.get(f"{blog.url}/{slug}", timeout=5).status_code == 200


def test_a_post_has_a_page_that_networks_can_make_a_card_of(blog: Blog) -> None:
    address = blog.publish('A "title" & <more>', "<p>Body</p>", summary='Some "words"', image=PNG, alt="A dot")
    page = requests.get(address, timeout=5).text

    for name, text in (
        ("og:title", "A &quot;title&quot; &amp; &lt;more&gt;"),
        ("og:description", "Some &quot;words&quot;"),
        ("og:url", address),
        ("og:image:alt", "A dot"),
    ):
        assert f'<meta property="{name}" content="{text}">' in page
    assert "<p>Body</p>" in page
    assert 'type="application/atom+xml" href="/atom.xml"' in requests.get(blog.url, timeout=5).text


def test_what_is_no_picture_is_left_out(blog: Blog) -> None:
    address = blog.publish("Post", "<p>Body</p>", image=b"<svg onload=alert(1)>")

    assert "og:image" not in requests.get(address, timeout=5).text


def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    east = timezone(timedelta(hours=5))
    with Blog(tmp_path) as first:
        first.publish("Kept", "<p>x</p>", tags=["a"], image=PNG, when=datetime(2026, 11, 24, 5, 30, tzinfo=east))
        before = requests.get(f"{first.url}/feed.json", timeout=5).json()["items"]
    with Blog(tmp_path) as second:
        after = requests.get(f"{second.url}/feed.json", timeout=5).json()["items"]

    assert after[0]["date_published"] == "2026-11-24T00:30:00+00:00"
    assert [item["id"] for item in after] == [item["id"] for item in before]


def test_a_post_can_be_published_from_the_command_line(blog: Blog) -> None:
    form = {"title": "From curl", "body": "Some *words*", "tags": "a, b ,", "summary": "S"}
    answer = requests.post(f"{blog.url}/publish", data=form, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{blog.url}/from-curl")
    assert (
        requests.post(f"{blog.url}/publish", json={"title": "J", "body": "b", "tags": ["x"]}, timeout=5).status_code
        == 201
    )
    items = requests.get(f"{blog.url}/feed.json", timeout=5).json()["items"]

    assert [(item["title"], item["tags"]) for item in items[:2]] == [("J", []), ("From curl", ["a", "b"])]
    assert json.loads(answer.text) == {"url": f"{blog.url}/from-curl"}


def test_nothing_is_published_without_words_or_by_a_page_from_elsewhere(blog: Blog) -> None:
    url = f"{blog.url}/publish"
    assert requests.post(url, data={"title": "x", "body": " "}, timeout=5).status_code == 422
    foreign = {"Origin": "https://evil.example"}
    assert requests.post(url, data={"title": "x", "body": "y"}, headers=foreign, timeout=5).status_code == 403
    assert len(titles(blog, "/feed.json")) == 3


@pytest.mark.parametrize("path", ["/nothing", "/images/x", "/a/b", "/publish"])
def test_what_is_not_there_is_404(blog: Blog, path: str) -> None:
    assert requests.get(blog.url + path, timeout=5).status_code == 404
    assert requests.delete(blog.url, timeout=5).status_code == 404


def test_pages_may_run_nothing(blog: Blog) -> None:
    answer = requests.get(blog.url, timeout=5)

    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert requests.get(f"{blog.url}/style.css", timeout=5).headers["Content-Type"].startswith("text/css")
