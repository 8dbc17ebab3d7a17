"""The feed source against websites, good and bad: posts, or one clear line."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from reverberate import confined
from reverberate.errors import SourceError
from reverberate.plugins import Plugins
from reverberate.sources.base import Look, Source
from reverberate.sources.feed import Feed, FeedSettings
from website import Page, Website

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

FEEDS = Path(__file__).parents[1] / "fixtures" / "feeds"
GHOST = (FEEDS / "ghost.xml").read_bytes()
RSS = b'<rss version="2.0"><channel>%s</channel></rss>'


@pytest.fixture(scope="module")
def shared() -> Iterator[Website]:
    with Website() as site:
        yield site


@pytest.fixture
def site(shared: Website) -> Website:
    shared.pages.clear()
    shared.asked.clear()
    shared.pages["/feed"] = Page(body=GHOST)
    return shared


def feed(site: Website, path: str = "/feed", **settings: Any) -> Feed:
    return Feed("blog", FeedSettings(url=site.url(path), **settings))


def trouble(source: Feed, memory: dict[str, str] | None = None) -> SourceError:
    with pytest.raises(SourceError) as raised:
        source.look(memory or {})
    assert str(raised.value).startswith("source 'blog': http://127.0.0.1:")
    assert "\n" not in str(raised.value)
    return raised.value


def test_it_is_found_by_its_name() -> None:
    plugins = Plugins("reverberate.sources", Source, word="source type")  # type: ignore[type-abstract]  # a bound
    assert plugins.get("feed") is Feed


class TestSettings:
    @pytest.mark.parametrize(
        "settings", [{}, {"url": "/etc/passwd"}, {"url": "https://b.example/", "newest": 0}, {"url": "x", "foo": 1}]
    )
    def test_nonsense_is_refused(self, settings: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            FeedSettings(**settings)


class TestLook:
    def test_the_posts_come_oldest_first(self, site: Website) -> None:
        look = feed(site).look({})
        assert [post.title for post in look.posts] == ["Hello", "Why we left the cloud & what it cost"]
        assert not look.unchanged
        assert look.notes == ()

    def test_only_the_newest_are_looked_at(self, site: Website) -> None:
        assert [post.title for post in feed(site, newest=1).look({}).posts] == ["Why we left the cloud & what it cost"]

    def test_notes_tell_what_was_left_out(self, site: Website) -> None:
        site.pages["/feed"] = Page(body=RSS % b"<item><title>Lost</title></item>")
        look = feed(site).look({})
        assert look.posts == ()
        assert look.notes == ("an entry is left out (Lost): it has no link",)

    def test_a_post_that_is_there_twice_comes_once_in_its_latest_form(self, site: Website) -> None:
        item = "<item><link>https://b.example/1</link><guid>1</guid><title>{}</title></item>"
        site.pages["/feed"] = Page(body=RSS % (item.format("New") + item.format("Old")).encode())
        assert [post.title for post in feed(site).look({}).posts] == ["New"]

    def test_a_move_for_good_is_noted_without_what_may_be_a_token(self, site: Website) -> None:
        site.redirect("/old", "/feed?token=secret", status=301)
        site.pages["/feed?token=secret"] = Page(body=GHOST)
        look = feed(site, "/old").look({})
        assert look.notes == (f"the feed has moved for good: change its url to {site.url('/feed')}",)


class TestMemory:
    def test_what_the_server_said_is_sent_back_as_it_was(self, site: Website) -> None:
        said = {"ETag": 'W/"5f-x+/=-gzip"', "Last-Modified": "Tue, 03 Mar 2026 09:12:41 GMT"}
        site.pages["/feed"] = Page(body=GHOST, headers=said)
        memory = feed(site).look({}).memory
        site.pages["/feed"] = Page(status=304, headers={"Cache-Control": "max-age=600"})
        look = feed(site).look(memory)
        assert look == Look(unchanged=True, memory=memory, wait=timedelta(seconds=600))
        assert site.asked[1][1]["If-None-Match"] == said["ETag"]
        assert site.asked[1][1]["If-Modified-Since"] == said["Last-Modified"]
        assert all(isinstance(value, str) for value in memory.values())

    def test_the_same_document_is_unchanged_even_where_the_server_does_not_know(self, site: Website) -> None:
        memory = feed(site).look({}).memory
        again = feed(site).look(memory)
        assert again == Look(unchanged=True, memory=memory)

    def test_another_document_is_read(self, site: Website) -> None:
        memory = feed(site).look({}).memory
        site.pages["/feed"] = Page(body=GHOST.replace(b"Hello", b"Good day"))
        assert next(post.title for post in feed(site).look(memory).posts) == "Good day"

    def test_other_settings_read_it_anew(self, site: Website) -> None:
        memory = feed(site).look({}).memory
        assert len(feed(site, newest=1).look(memory).posts) == 1

    def test_another_address_knows_nothing_of_the_first(self, site: Website) -> None:
        site.pages["/feed"] = Page(body=GHOST, headers={"ETag": '"1"'})
        memory = feed(site).look({}).memory
        site.pages["/other"] = Page(body=GHOST)
        assert len(feed(site, "/other").look(memory).posts) == 2
        assert "If-None-Match" not in site.asked[1][1]

    def test_a_word_that_is_no_header_is_forgotten(self, site: Website) -> None:
        answer = b'HTTP/1.0 200 OK\r\nETag: "a\r\n b"\r\nLast-Modified: \x01\r\n\r\n' + GHOST
        site.pages["/feed"] = lambda handler: handler.wfile.write(answer)
        memory = feed(site).look({}).memory
        assert set(memory) == {"url", "digest"}

    def test_nothing_changed_is_no_answer_to_who_did_not_ask(self, site: Website) -> None:
        site.pages["/feed"] = Page(status=304)
        assert "was not asked that" in str(trouble(feed(site)))


class TestWait:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("max-age=600", 600),
            ('public, MAX-AGE="60"', 60),
            ("max-age=999999", 3600),
            ("max-age=0", None),
            ("no-store", None),
            ("s-maxage=60", None),
            ("max-age=soon", None),
            ("", None),
        ],
    )
    def test_the_servers_word_is_a_lower_bound_of_an_hour_at_most(
        self, site: Website, header: str, seconds: int | None
    ) -> None:
        site.pages["/feed"] = Page(body=RSS % b"", headers={"Cache-Control": header})
        assert feed(site).look({}).wait == (None if seconds is None else timedelta(seconds=seconds))

    @pytest.mark.parametrize(("minutes", "age", "seconds"), [(5, 60, 300), (5, 900, 900), (1440, 0, 3600)])
    def test_so_is_the_feeds_own(self, site: Website, minutes: int, age: int, seconds: int) -> None:
        ttl = f"<ttl>{minutes}</ttl>".encode()
        site.pages["/feed"] = Page(body=RSS % ttl, headers={"Cache-Control": f"max-age={age}"})
        assert feed(site).look({}).wait == timedelta(seconds=seconds)


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "hint"),
        [(410, "remove the source"), (404, "check the url"), (401, "let us in"), (403, "let us in"), (500, "")],
    )
    def test_a_status_is_told_with_what_to_do(self, site: Website, status: int, hint: str) -> None:
        site.pages["/feed"] = Page(status=status)
        error = trouble(feed(site))
        assert f"the server answered {status}" in str(error)
        assert hint in error.hint
        assert error.wait is None

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_asks_to_wait_is_left_alone_so_long(self, site: Website, status: int) -> None:
        site.pages["/feed"] = Page(status=status, headers={"Retry-After": "1800"})
        assert trouble(feed(site)).wait == timedelta(seconds=1800)
        later = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
        site.pages["/feed"] = Page(status=status, headers={"Retry-After": later})
        wait = trouble(feed(site)).wait
        assert wait is not None
        assert timedelta(minutes=119) < wait <= timedelta(hours=2)

    def test_a_page_is_told_with_the_feed_that_it_names(self, site: Website) -> None:
        link = b'<link rel="alternate" type="application/rss+xml" href="/real.xml">'
        site.pages["/feed"] = Page(body=b"<!doctype html><html><head>" + link)
        error = trouble(feed(site))
        assert "it is a web page, not a feed" in str(error)
        assert error.hint == f"its feed is {site.url('/real.xml')}"

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "it is empty"),
            (b"not a feed", "it is no feed"),
            (GHOST[:1500], "the feed is cut off"),
            (b'{"items": []}', "no JSON Feed"),
            (b"[" * 100_000, "it cannot be read: RecursionError"),
        ],
    )
    def test_what_cannot_be_read_is_told(self, site: Website, body: bytes, words: str) -> None:
        site.pages["/feed"] = Page(body=body)
        assert words in str(trouble(feed(site, "/feed")))

    def test_fifty_megabytes_are_not_taken(self, site: Website) -> None:
        def stream(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response_only(200)
            handler.end_headers()
            for _ in range(50):
                handler.wfile.write(b" " * (1 << 20))

        site.pages["/feed"] = stream
        error = trouble(feed(site))
        assert "longer than 5,000,000 bytes" in str(error)
        assert "max_bytes" in error.hint

    def test_a_gzip_bomb_is_not_taken(self, site: Website) -> None:
        bomb = gzip.compress(b" " * (60 << 20))
        site.pages["/feed"] = Page(body=bomb, headers={"Content-Encoding": "gzip"})
        assert "longer than 5,000,000 bytes" in str(trouble(feed(site)))

    def test_a_slow_server_is_given_up(self, site: Website) -> None:
        site.pages["/feed"] = lambda _: time.sleep(0.2)
        assert "it took longer than 0.1 s" in str(trouble(feed(site, seconds=0.1)))

    def test_a_redirect_into_another_private_place_is_refused(self, site: Website) -> None:
        site.redirect("/feed", site.url("/x", host="localhost"))
        with pytest.raises(SourceError, match="not one where websites are") as raised:
            feed(site).look({})
        assert raised.value.hint == "set url to where the feed really is"

    def test_a_password_and_a_token_in_the_address_are_not_told(self, site: Website) -> None:
        url = site.url("/none?token=sesame").replace("//", "//me:sesame@")
        with pytest.raises(SourceError) as raised:
            Feed("blog", FeedSettings(url=url)).look({})
        assert "sesame" not in str(raised.value)

    def test_entities_that_grow_beyond_measure_are_told(self, site: Website) -> None:
        levels = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 6))
        start = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "' + b"ha" * 1000 + b'">' + levels + b"]>"
        site.pages["/feed"] = Page(body=start + RSS % b"<item><title>&e5;</title></item>")
        assert "the entities that it declares cannot be used" in str(trouble(feed(site)))

    def test_a_parser_that_does_not_come_to_an_end_is_ended(
        self, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("reverberate.sources.feed.PARSE_SECONDS", 0.05)
        site.pages["/feed"] = Page(body=RSS % (b"<item><title>x</title></item>" * 50_000))
        confined.run(
            "reverberate.sources.document:read", {"body": "", "url": "", "content_type": "", "newest": 1}, seconds=20
        )
        assert "reading it was given up: it took longer than 0.05 s" in str(trouble(feed(site)))

    def test_two_hundred_thousand_nested_blocks_are_read_in_time(self, site: Website) -> None:
        nested = b"<item><link>http://b.example/</link><description>%s</description></item>" % (
            b"&lt;div&gt;" * 200_000
        )
        site.pages["/feed"] = Page(body=RSS % nested)
        begun = time.monotonic()
        assert len(feed(site).look({}).posts) == 1
        assert time.monotonic() - begun < 10
