"""Every kind of feed becomes the same kind of post."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reverberate.model import Image, Post
from reverberate.sources.articles import unpacked
from reverberate.sources.document import read

FEEDS = Path(__file__).parents[1] / "fixtures" / "feeds"
URL = "https://where.example/feed.xml"


def document(body: bytes, *, content_type: str = "", newest: int = 10) -> dict[str, Any]:
    packed = base64.b64encode(body).decode()
    return read({"body": packed, "url": URL, "content_type": content_type, "newest": newest})


def posts(body: bytes, **options: Any) -> list[Post]:
    return [unpacked(entry) for entry in document(body, **options)["posts"]]


def newest(name: str) -> Post:
    """The newest post of a fixture; its HTML is only asked to be there."""
    post = posts((FEEDS / name).read_bytes())[-1]
    return replace(post, html="html" if post.html else "")


def rss(items: str, *, channel: str = "", encoding: str = "utf-8") -> bytes:
    start = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" xmlns:reverberate="urn:reverberate">'
    return f"{start}<channel><title>Blog</title>{channel}{items}</channel></rss>".encode(encoding)


def item(inside: str) -> bytes:
    return rss(f"<item><link>https://blog.example/1</link>{inside}</item>")


EXPECTED = {
    "wordpress.xml": Post(
        url="https://anna.example/2026/03/sowing-tomatoes/",
        title="Sowing tomatoes \u201cindoors\u201d & why it\u2019s early",
        summary="Eight weeks before the last frost the seeds go into small pots. Here is how I do it, and what I "
        "learned from last year\u2019s leggy seedlings\u2026",
        text="Eight weeks before the last frost the seeds go into small pots. Here is how I do it, and what I "
        "learned from last year\u2019s leggy seedlings: light matters more than warmth. \U0001f331\n\nDay twelve\n\n"
        "What you need\n\n- Small pots\n- Soil & patience",
        html="html",
        author="Anna M\u00fcller",
        tags=("Garden", "seed starting", "R&D"),
        images=(
            Image(
                url="https://anna.example/wp-content/uploads/2026/03/seedlings-1024x683.jpg",
                alt="Tomato seedlings in small pots on a window sill",
            ),
        ),
        language="en-US",
        published=datetime(2026, 3, 3, 9, 12, 41, tzinfo=UTC),
        guid="https://anna.example/?p=1204",
        site="Anna & Otto",
    ),
    "ghost.xml": Post(
        url="https://harbour.example/why-we-left-the-cloud/",
        title="Why we left the cloud & what it cost",
        summary="Three servers, one winter, and a spreadsheet that surprised us.",
        text="Three servers, one winter, and a spreadsheet that surprised us. We had paid for elasticity that we never "
        "used.\n\nAnother view\n\nThe numbers follow.",
        html="html",
        author="Mina Okafor",
        tags=("Self-hosting", "Costs"),
        images=(Image(url="https://harbour.example/content/images/2026/03/rack.jpg", alt="A half-empty server rack"),),
        published=datetime(2026, 3, 5, 7, tzinfo=UTC),
        guid="65e6f0a1b2c3d4e5f6a7b8c9",
        site="The Harbour",
    ),
    "hugo.xml": Post(
        url="https://lena.example/posts/groesse/",
        title="\u00dcber Gr\u00f6\u00dfe & Gewicht von `Vec<T>`",
        summary="Ein Vektor ist drei W\u00f6rter gro\u00df. Warum das so ist, "
        "zeigt ein Blick in den Speicher. Und so weiter.",
        text="Ein Vektor ist drei W\u00f6rter gro\u00df. Warum das so ist, "
        "zeigt ein Blick in den Speicher.\n\nUnd so weiter.",
        html="html",
        images=(Image(url="https://lena.example/img/vec.png", alt="Ein Vektor im Speicher"),),
        language="de-DE",
        published=datetime(2026, 3, 2, 19, 15, tzinfo=UTC),
        guid="https://lena.example/posts/groesse/",
        site="Posts on Lena writes",
    ),
    "jekyll.xml": Post(
        url="https://raj.example/2026/03/04/parsing.html",
        title="Parsing <b> in linear time",
        summary="A parser that looks at each byte once.",
        text="A parser that looks at each byte once.",
        html="html",
        author="Raj Patel",
        tags=("compilers", "html"),
        images=(
            Image(url="https://raj.example/assets/card.png"),
            Image(url="https://raj.example/2026/03/04/diagram.png", alt="The state machine"),
        ),
        published=datetime(2026, 3, 3, 18, 30, tzinfo=UTC),
        updated=datetime(2026, 3, 4, 5, 50, tzinfo=UTC),
        guid="https://raj.example/2026/03/04/parsing",
        site="Raj's log",
    ),
    "pelican.xml": Post(
        url="https://notes.example/lichens-on-slate.html",
        title="Lichens on slate",
        summary="Three species in one square foot.",
        text="Three species in one square foot.\n\nThe grey one is the oldest: some of these rings were there before "
        "the quarry.",
        html="html",
        author="Si\u00e2n Hughes",
        tags=("biology", "lichen", "Wales"),
        published=datetime(2026, 2, 20, 9, 20, tzinfo=UTC),
        updated=datetime(2026, 2, 20, 9, 20, tzinfo=UTC),
        guid="tag:notes.example,2026-02-20:/lichens-on-slate.html",
        site="Field notes",
    ),
    "blogger.xml": Post(
        url="https://crumb.blogspot.example/2026/03/rye.html",
        title="A rye loaf in <24 hours",
        summary="Sourdough, and no kneading at all.",
        text="Sourdough, and no kneading at all.",
        html="html",
        author="Carla",
        tags=("bread", "rye"),
        images=(Image(url="https://blogger.googleusercontent.example/s320/loaf.jpg", alt="A dark rye loaf"),),
        published=datetime(2026, 3, 1, 16, 29, tzinfo=UTC),
        updated=datetime(2026, 3, 1, 16, 30, tzinfo=UTC),
        guid="tag:blogger.com,1999:blog-1234567890123456789.post-987654321",
        site="Crumb & Crust",
    ),
    "substack.xml": Post(
        url="https://slow.example/p/what-the-ferry-knew",
        title="What the ferry knew",
        summary="On timetables, and the people who keep them",
        text="The ferry leaves at 6:10, whatever the fog says.",
        html="html",
        author="Ida Berg",
        images=(Image(url="https://substackcdn.example/image/fetch/f_auto/ferry.jpeg", alt="The ferry in fog"),),
        language="en",
        published=datetime(2026, 3, 6, 12, tzinfo=UTC),
        guid="https://slow.example/p/what-the-ferry-knew",
        site="Slow News",
    ),
    "rdf.xml": Post(
        url="https://old.example/archives/000112.html",
        title="Un \u00e9t\u00e9 \u00e0 l'ombre",
        summary="Il faisait chaud, alors nous avons march\u00e9 le soir.",
        text="Il faisait chaud, alors nous avons march\u00e9 le soir.",
        html="html",
        author="\u00c9mile",
        tags=("marche",),
        language="fr",
        updated=datetime(2026, 2, 11, 17, 45, tzinfo=UTC),
        guid="https://old.example/archives/000112.html",
        site="Vieux carnet",
    ),
    "microblog.json": Post(
        url="https://pat.example/2026/03/05/a-walk-along.html",
        summary="A walk along the canal & back. No ducks today.",
        text="A walk along the canal & back. No ducks today.",
        html="html",
        tags=("walks",),
        images=(Image(url="https://pat.example/2026/03/05/uploads/2026/canal.jpg", alt="A canal under a grey sky"),),
        published=datetime(2026, 3, 5, 22, 40, 12, tzinfo=UTC),
        guid="http://pat.micro.blog/2026/03/05/a-walk-along.html",
        site="Pat Morgan",
    ),
    "jsonfeed11.json": Post(
        url="https://where.example/notes/7",
        title="Seven ways to hold a pipette",
        summary="Start with the thumb.",
        text="Start with the thumb.\n\nThen practise.",
        author="Jo, Sam",
        tags=("lab", "how-to"),
        images=(
            Image(url="https://where.example/img/pipette.jpg"),
            Image(url="https://lab.example/img/banner.jpg"),
            Image(url="https://lab.example/img/grip.png", alt="The grip"),
        ),
        language="en-US",
        published=datetime(2026, 3, 3, 10, tzinfo=UTC),
        updated=datetime(2026, 3, 3, 12, 30, 0, 500_000, tzinfo=UTC),
        guid="7",
        site="The lab",
        extra={
            "external_url": "https://elsewhere.example/paper",
            "reverberate": {"twitter": "Pipettes, again.", "skip": ["mastodon"]},
        },
    ),
}


@pytest.mark.parametrize("name", sorted(path.name for path in FEEDS.iterdir()))
def test_what_the_generators_write_is_read(name: str) -> None:
    assert newest(name) == EXPECTED[name]


@pytest.mark.parametrize("name", ["wordpress.xml", "ghost.xml", "microblog.json"])
def test_the_oldest_post_comes_first_and_the_newest_are_kept(name: str) -> None:
    body = (FEEDS / name).read_bytes()
    both = posts(body)
    assert [post.published for post in both] == sorted(post.published for post in both if post.published)
    assert posts(body, newest=1) == both[-1:]


def test_the_time_to_live_is_told() -> None:
    assert document((FEEDS / "ghost.xml").read_bytes())["ttl"] == 60
    assert document(rss("", channel="<ttl>soon</ttl>"))["ttl"] == 0


def test_a_feed_without_entries_is_fine() -> None:
    assert document(rss("")) == {"posts": [], "notes": [], "ttl": 0}


class TestEntries:
    @pytest.mark.parametrize(
        ("title", "plain"),
        [
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("Tom &amp;amp; Jerry", "Tom & Jerry"),
            ("<![CDATA[Tom &amp; <i>Jerry</i>]]>", "Tom & Jerry"),
            ("Use of &lt;b&gt; in HTML", "Use of <b> in HTML"),
            ("\n  Two\n  lines ", "Two lines"),
            ("", ""),
        ],
    )
    def test_a_title_is_plain_text(self, title: str, plain: str) -> None:
        assert posts(item(f"<title>{title}</title>"))[0].title == plain

    @pytest.mark.parametrize(
        ("kind", "title", "plain"),
        [("text", "A &amp;amp; &lt;b&gt;", "A &amp; <b>"), ("html", "A &amp;amp; &lt;b&gt;B&lt;/b&gt;", "A & B")],
    )
    def test_an_atom_title_says_what_it_is(self, kind: str, title: str, plain: str) -> None:
        entry = f'<entry><title type="{kind}">{title}</title><link href="https://blog.example/1"/></entry>'
        assert posts(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode())[0].title == plain

    @pytest.mark.parametrize(
        ("inside", "url"),
        [
            ("<link>/posts/1</link>", "https://where.example/posts/1"),
            ("<guid>https://blog.example/g</guid>", "https://blog.example/g"),
            (
                "<enclosure url='https://blog.example/ep.mp3' type='audio/mpeg' length='1'/>",
                "https://blog.example/ep.mp3",
            ),
            (
                (
                    "<link>https://feeds.example/~r/1</link><feedburner:origLink xmlns:feedburner="
                    "'http://rssnamespace.org/feedburner/ext/1.0'>https://blog.example/real</feedburner:origLink>"
                ),
                "https://blog.example/real",
            ),
        ],
    )
    def test_an_entrys_address_is_looked_for_in_several_places(self, inside: str, url: str) -> None:
        assert posts(rss(f"<item><title>x</title>{inside}</item>"))[0].url == url

    @pytest.mark.parametrize("inside", ["", "<link>javascript:alert(1)</link>", "<link>http://[::1</link>"])
    def test_an_entry_without_one_is_left_out_and_named(self, inside: str) -> None:
        good = "<item><link>https://blog.example/good</link></item>"
        told = document(rss(f"<item><title>Lost</title>{inside}</item>{good}"))
        assert [post["url"] for post in told["posts"]] == ["https://blog.example/good"]
        assert told["notes"] == ["an entry is left out (Lost): it has no link"]

    @pytest.mark.parametrize(
        "date", ["yesterday", "Mon, 01 Jan 0001 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 GMT", ""]
    )
    def test_a_date_that_is_none_is_none(self, date: str) -> None:
        assert posts(item(f"<pubDate>{date}</pubDate>"))[0].published is None

    def test_zones_are_understood(self) -> None:
        post = posts(item("<pubDate>Tue, 03 Mar 2026 09:00:00 EST</pubDate>"))[0]
        assert post.published == datetime(2026, 3, 3, 14, tzinfo=UTC)
        assert post.updated is None

    @pytest.mark.parametrize(
        ("author", "name"),
        [
            ("ann@blog.example (Ann)", "Ann"),
            ("Ann &lt;ann@blog.example&gt;", "Ann"),
            ("ann@blog.example", ""),
            ("Ann &amp; Bob", "Ann & Bob"),
        ],
    )
    def test_an_author_is_a_name_not_an_address(self, author: str, name: str) -> None:
        assert posts(item(f"<author>{author}</author>"))[0].author == name

    def test_the_feeds_author_stands_for_its_entries(self) -> None:
        feed = '<author><name>Ann</name></author><entry><link href="https://blog.example/1"/></entry>'
        assert posts(f'<feed xmlns="http://www.w3.org/2005/Atom">{feed}</feed>'.encode())[0].author == "Ann"

    def test_several_authors_are_all_named(self) -> None:
        feed = "<author><name>Ann</name></author><author><name>Bob</name><email>b@c.example</email></author>"
        entry = f'<entry><link href="https://blog.example/1"/>{feed}</entry>'
        assert posts(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode())[0].author == "Ann, Bob"

    def test_an_enclosed_picture_is_the_leading_image_and_a_recording_is_none(self) -> None:
        enclosures = (
            '<enclosure url="https://blog.example/a.mp3" type="audio/mpeg" length="1"/>'
            '<enclosure url="https://blog.example/a.jpg" type="image/jpeg" length="1"/>'
        )
        post = posts(item(f"{enclosures}<description>&lt;img src='/b.jpg'&gt;</description>"))[0]
        assert [image.url for image in post.images] == ["https://blog.example/a.jpg", "https://blog.example/b.jpg"]

    def test_a_long_description_is_the_article(self) -> None:
        words = "This sentence is there many times over. " * 100
        post = posts(item(f"<description>&lt;p&gt;{words}&lt;/p&gt;</description>"))[0]
        assert post.text == words.strip()
        assert 200 < len(post.summary) <= 300

    def test_overrides_stand_in_elements_of_our_own(self) -> None:
        own = "<reverberate:twitter>Short &amp; sweet</reverberate:twitter><reverberate:skip>page</reverberate:skip>"
        assert posts(item(own))[0].extra == {"reverberate": {"twitter": "Short & sweet", "skip": "page"}}

    def test_an_entry_that_cannot_be_understood_is_left_out_not_the_feed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from reverberate.sources import xmlfeed  # noqa: PLC0415 - it is imported when first needed

        real = xmlfeed._overrides

        def fail_for_one(entry: Any) -> dict[str, Any]:
            if entry["link"].endswith("/bad"):
                raise TypeError("of a shape that nobody thought of")
            return real(entry)

        monkeypatch.setattr(xmlfeed, "_overrides", fail_for_one)
        told = document(rss("".join(f"<item><link>https://blog.example/{n}</link></item>" for n in ("good", "bad"))))
        assert [post["url"] for post in told["posts"]] == ["https://blog.example/good"]
        assert told["notes"] == ["an entry is left out (no title): of a shape that nobody thought of"]


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
    def test_the_declared_encoding_is_followed(self, encoding: str) -> None:
        body = rss("<item><link>https://blog.example/1</link><title>\u00e9t\u00e9</title></item>", encoding=encoding)
        assert posts(body)[0].title == "\u00e9t\u00e9"

    def test_utf8_is_utf8_whatever_the_server_says(self) -> None:
        body = rss("<item><link>https://blog.example/1</link><title>\u00e9t\u00e9</title></item>")
        for said in ("text/xml; charset=iso-8859-1", "text/xml", 'application/rss+xml; charset="us-ascii"'):
            assert posts(body, content_type=said)[0].title == "\u00e9t\u00e9"

    def test_the_servers_word_counts_where_the_document_says_nothing(self) -> None:
        body = rss("<item><link>https://blog.example/1</link><title>\u0106</title></item>", encoding="iso-8859-2")
        body = body.replace(b' encoding="iso-8859-2"', b"")
        assert posts(body, content_type="text/xml; charset=iso-8859-2")[0].title == "\u0106"

    def test_an_encoding_that_is_not_what_it_says_is_noted(self) -> None:
        body = rss("<item><link>https://blog.example/1</link><title>\u00e9t\u00e9</title></item>", encoding="latin-1")
        told = document(body.replace(b"latin-1", b"utf-8"))
        assert told["posts"][0]["title"] == "\u00e9t\u00e9"
        assert "encoding is not what it says" in told["notes"][0]

    @pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\n \n"])
    def test_what_stands_before_the_document_does_not_matter(self, mark: bytes) -> None:
        assert len(posts(mark + (FEEDS / "jsonfeed11.json").read_bytes())) == 2
        assert len(posts(mark + (FEEDS / "ghost.xml").read_bytes())) == 2


class TestTrouble:
    @pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf"])
    def test_nothing_is_told(self, body: bytes) -> None:
        assert document(body)["trouble"] == "it is empty"

    @pytest.mark.parametrize("body", [b"hello", b"<opml version='2.0'/>", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n"])
    def test_what_is_no_feed_is_told(self, body: bytes) -> None:
        assert document(body)["trouble"] == "it is no feed"

    @pytest.mark.parametrize("start", ["<!DOCTYPE html>", "<!-- hi --><HTML lang=de>", '<?xml version="1.0"?><html>'])
    def test_a_page_is_told_and_its_feed_named(self, start: str) -> None:
        page = f'{start}<head><link rel="alternate" type="application/atom+xml" href="/atom.xml"></head>'
        told = document(page.encode())
        assert told == {
            "trouble": "it is a web page, not a feed",
            "hint": "its feed is https://where.example/atom.xml",
        }
        assert document(start.encode())["hint"] == "the page names no feed"

    @pytest.mark.parametrize("name", sorted(path.name for path in FEEDS.iterdir()))
    def test_a_feed_that_is_cut_off_gives_no_half_post(self, name: str) -> None:
        body = (FEEDS / name).read_bytes().rstrip()
        for length in range(600, len(body) - 10, 331):
            told = document(body[:length])
            assert "trouble" in told, length

    def test_a_slip_in_the_xml_is_noted_and_the_rest_is_read(self) -> None:
        told = document(item("<title>A & B</title>"))
        assert told["posts"][0]["title"] == "A & B"
        assert "not well-formed" in told["notes"][0]

    def test_entities_that_grow_are_refused(self) -> None:
        levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 6))
        bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "{"ha" * 1000}">{levels}]>'.encode()
        told = document(bomb + item("<title>&e5;</title>").partition(b"?>")[2])
        assert told["trouble"] == "the entities that it declares cannot be used"

    def test_files_are_not_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("the secret", encoding="ascii")
        external = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'.encode()
        assert "the secret" not in str(document(external + item("<title>&e;</title>").partition(b"?>")[2]))
        assert document(str(secret).encode())["trouble"] == "it is no feed"


class TestJSON:
    def feed(self, *items: object, **more: object) -> bytes:
        import json  # noqa: PLC0415 - only here

        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items, **more}).encode()

    @pytest.mark.parametrize(
        ("body", "trouble"),
        [
            (b"{", "it is broken JSON"),
            (b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "', "or it is cut off"),
            (b"[]", "it is JSON, but no JSON Feed"),
            (b'{"version": 1, "items": []}', "it is JSON, but no JSON Feed"),
            (b'{"version": "https://jsonfeed.org/version/1"}', "without a list of items"),
            (b'{"version": "\xe9"}', "it is JSON, but not in UTF-8"),
        ],
    )
    def test_what_is_no_json_feed_is_told(self, body: bytes, trouble: str) -> None:
        assert trouble in document(body)["trouble"]

    @pytest.mark.parametrize(("value", "guid"), [("a", "a"), (7, "7"), (7.5, "7.5")])
    def test_a_number_is_an_id_too(self, value: object, guid: str) -> None:
        assert posts(self.feed({"id": value, "url": "https://blog.example/1"}))[0].guid == guid

    @pytest.mark.parametrize("value", [None, "", " ", True, [], {}])
    def test_an_item_without_an_id_is_left_out(self, value: object) -> None:
        told = document(self.feed({"id": value, "url": "https://blog.example/1"}))
        assert told["posts"] == []
        assert told["notes"] == ["an item is left out (https://blog.example/1): it has no id"]

    def test_an_item_without_an_address_is_left_out(self) -> None:
        told = document(self.feed({"id": "1"}, {"id": "2", "url": "javascript:x"}))
        assert told["notes"] == [
            "an item is left out (javascript:x): it has no url",
            "an item is left out (no title): it has no url",
        ]

    @pytest.mark.parametrize(
        ("item", "url"),
        [
            ({"id": "https://blog.example/id"}, "https://blog.example/id"),
            ({"id": "1", "external_url": "https://other.example/"}, "https://other.example/"),
        ],
    )
    def test_an_items_address_is_looked_for_in_several_places(self, item: dict[str, str], url: str) -> None:
        assert posts(self.feed(item))[0].url == url

    def test_nonsense_in_an_item_is_passed_over(self) -> None:
        item = {"id": "1", "url": "https://blog.example/1", "title": 5, "tags": "x", "authors": [5, {"name": 6}]}
        item |= {"image": {}, "attachments": [5, {"mime_type": "image/png"}], "date_published": [], "_reverberate": "x"}
        assert posts(self.feed(item, "no item", 5))[0] == Post(url="https://blog.example/1", guid="1")

    def test_version_1_has_one_author(self) -> None:
        item = {"id": "1", "url": "https://blog.example/1"}
        assert posts(self.feed(item, author={"name": "Ann"}))[0].author == "Ann"
        assert posts(self.feed(item | {"author": {"name": "Bob"}}, author={"name": "Ann"}))[0].author == "Bob"
