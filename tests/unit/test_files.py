"""A post from a file, as the generators have it; and what is wrong with one, with its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.errors import SourceError
from reverberate.model import Image, Post
from reverberate.sources.files import read_post

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://blog.example/one/"
HUGO = """+++
title = 'Sowing tomatoes'
date = 2026-03-03T10:12:41+01:00
lastmod = 2026-03-04
draft = false
slug = 'tomatoes'
url = '/posts/tomatoes/'
summary = "Eight weeks before the frost."
tags = ['garden', 'seed starting']
categories = ['Garden']
images = ['/img/pots.jpg', 'https://cdn.example/b.jpg']
weight = 10
[params]
since = 10:30:00

[reverberate]
twitter = 'Tomatoes!'
+++

# Pots

Small *pots*, {{< figure src="x.jpg" >}} & [soil](https://soil.example/).
"""
JEKYLL = """---
layout: post
title:  "Parsing in linear time"
date:   2026-03-04 11:22:33 +0530
permalink: /:year/:title/
canonical_url: https://raj.example/parsing/
categories: compilers, html
excerpt: One look at each byte.
image:
  path: /assets/card.png
  alt: The state machine
published: true
author: Raj Patel
lang: en
---
A parser.{% include figure.html %}
"""
ELEVENTY = """---
title: A walk
date: 2026-03-05
permalink: "/{{ title | slug }}/"
link: https://pat.example/walk/
tags:
  - posts
  - walks
authors:
  - name: Pat
  - Sam
---
No ducks today. <b>None</b>.

<!-- more -->

Perhaps tomorrow.
"""
ASTRO = """---
title: 'Slate'
description: 'Three species in one square foot.'
pubDate: 'Feb 20 2026'
heroImage: '/slate.jpg'
---
Text.
"""
GHOSTLY = {
    "id": "https://lab.example/7",
    "url": "https://lab.example/notes/7",
    "title": "Seven ways",
    "content_html": "<p>Start with the thumb.</p>",
    "date_published": "2026-03-03T10:00:00Z",
    "authors": [{"name": "Jo"}],
    "image": "/img/a.jpg",
    "tags": ["lab"],
    "_reverberate": {"skip": ["page"]},
}


def markdown(matter: str, body: str = "Text.") -> str:
    return f"---\ntitle: One\nurl: {URL}\n{matter}\n---\n{body}"


def wrong(source: Path | str, **options: Any) -> str:
    with pytest.raises(SourceError) as raised:
        read_post(source, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestGenerators:
    def test_hugo(self) -> None:
        assert read_post(HUGO, base="https://anna.example") == Post(
            url="https://anna.example/posts/tomatoes/",
            title="Sowing tomatoes",
            summary="Eight weeks before the frost.",
            text="Pots\n\nSmall pots, & soil.",
            html='<h1>Pots</h1>\n<p>Small <em>pots</em>,  &amp; <a href="https://soil.example/">soil</a>.</p>\n',
            tags=("garden", "seed starting"),
            categories=("Garden",),
            images=(Image(url="https://anna.example/img/pots.jpg"), Image(url="https://cdn.example/b.jpg")),
            published=datetime(2026, 3, 3, 9, 12, 41, tzinfo=UTC),
            updated=datetime(2026, 3, 4, tzinfo=UTC),
            extra={
                "slug": "tomatoes",
                "weight": 10,
                "params": {"since": "10:30:00"},
                "reverberate": {"twitter": "Tomatoes!"},
            },
        )

    def test_jekyll(self) -> None:
        assert read_post(JEKYLL) == Post(
            url="https://raj.example/parsing/",
            title="Parsing in linear time",
            summary="One look at each byte.",
            text="A parser.",
            html="<p>A parser.</p>\n",
            author="Raj Patel",
            categories=("compilers", "html"),
            images=(Image(url="https://raj.example/assets/card.png", alt="The state machine"),),
            language="en",
            published=datetime(2026, 3, 4, 5, 52, 33, tzinfo=UTC),
            extra={"layout": "post"},
        )

    def test_eleventy(self) -> None:
        post = read_post(ELEVENTY)
        assert (post.url, post.tags, post.author) == ("https://pat.example/walk/", ("posts", "walks"), "Pat, Sam")
        assert post.summary == "No ducks today. None."
        assert post.text == "No ducks today. None.\n\nPerhaps tomorrow."
        assert "&lt;b&gt;" in post.html

    def test_astro(self) -> None:
        post = read_post(ASTRO.replace("heroImage", f"url: {URL}\nheroImageAlt: Grey rings\nheroImage"))
        assert post.images == (Image(url="https://blog.example/slate.jpg", alt="Grey rings"),)
        assert post.published == datetime(2026, 2, 20, tzinfo=UTC)
        assert post.summary == "Three species in one square foot."

    def test_json_front_matter(self) -> None:
        post = read_post('{\n  "title": "One",\n  "url": "https://blog.example/"\n}\nThe *text*.')
        assert (post.title, post.text) == ("One", "The text.")

    def test_a_json_feed_item(self) -> None:
        assert read_post(json.dumps(GHOSTLY)) == Post(
            url="https://lab.example/notes/7",
            guid="https://lab.example/7",
            title="Seven ways",
            summary="Start with the thumb.",
            text="Start with the thumb.",
            html="<p>Start with the thumb.</p>",
            author="Jo",
            tags=("lab",),
            images=(Image(url="https://lab.example/img/a.jpg"),),
            published=datetime(2026, 3, 3, 10, tzinfo=UTC),
            extra={"reverberate": {"skip": ["page"]}},
        )

    def test_our_own_json(self) -> None:
        own = {"title": "One", "url": URL, "text": "Text.", "images": [{"url": "/a.jpg", "alt": "A"}, "b.jpg"], "id": 7}
        post = read_post(json.dumps(own), kind="json")
        assert post.images == (
            Image(url="https://blog.example/a.jpg", alt="A"),
            Image(url="https://blog.example/one/b.jpg"),
        )
        assert (post.text, post.guid) == ("Text.", "")


class TestValues:
    @pytest.mark.parametrize(
        ("matter", "tags"),
        [
            ("tags: [a, b]", ("a", "b")),
            ("tags: a, b , '#c'", ("a", "b", "'#c'")),
            ("tags: one", ("one",)),
            ("tags:\n  - 2026\n  - x", ("2026", "x")),
            ("tags: []\nkeywords: k", ("k",)),
            ("tags:", ()),
        ],
    )
    def test_tags_are_a_list_or_words_with_commas(self, matter: str, tags: tuple[str, ...]) -> None:
        assert read_post(markdown(matter)).tags == tags

    def test_a_title_may_look_like_a_number_or_a_date(self) -> None:
        assert read_post(f"---\ntitle: 1984\nurl: {URL}\n---\n").title == "1984"
        assert read_post(f"---\ntitle: 2026-03-01\nurl: {URL}\n---\n").title == "2026-03-01"

    def test_an_alternative_text_describes_the_first_image(self) -> None:
        post = read_post(markdown("images: [/a.jpg, /b.jpg]\nalt: A"))
        assert [image.alt for image in post.images] == ["A", ""]

    def test_everything_else_is_kept_as_plain_json(self) -> None:
        post = read_post(markdown("a: {1: [2026-03-01, null, 1.5]}\nb: !!set {x}\nc: !!binary aGk="))
        assert post.extra == {"a": {"1": ["2026-03-01", None, 1.5]}, "b": ["x"], "c": "b'hi'"}
        json.dumps(post.extra)

    def test_pictures_in_the_text_count_too(self) -> None:
        assert read_post(markdown("", "![Alt](/a.jpg)")).images == (Image(url="https://blog.example/a.jpg", alt="Alt"),)

    def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(self, tmp_path: Path) -> None:
        file = tmp_path / "post.md"
        file.write_bytes(b"\xef\xbb\xbf" + markdown("tags: a").replace("\n", "\r\n").encode())
        assert read_post(file).tags == ("a",)

    def test_a_file_is_known_by_its_name(self, tmp_path: Path) -> None:
        file = tmp_path / "post.JSON"
        file.write_text(json.dumps(GHOSTLY), encoding="utf-8")
        assert read_post(file).title == "Seven ways"


class TestWrong:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Just text.", "-:1: there is no front matter (begin the file with --- (YAML), +++ (TOML) or { (JSON))"),
            ("---\ntitle: x\n", "-:1: there is no front matter"),
            ("", "-:1: there is no front matter"),
            ("---\n---\n", "-:1: the YAML must be keys with values, such as title and url"),
            ("---\n- a\n---\n", "-:1: the YAML must be keys with values"),
            ("---\ntitle: x\ntags: [a\n---\n", "-:4: broken YAML: expected ',' or ']'"),
            ("---\ntitle: x\ndate: 2026-02-31\n---\n", "-:1: broken YAML: day is out of range for month"),
            ("---\ntitle: \x01\n---\n", "-:1: broken YAML: unacceptable character"),
            ("---\na: !!python/object:os.system x\n---\n", "-:2: broken YAML: could not determine a constructor"),
            ("+++\ntitle = 'x'\ntags = [1 2]\n+++\n", "-:3: broken TOML: Unclosed array"),
            ("+++\ntitle = x\n+++\n", "-:2: broken TOML: Invalid value"),
            ('{"title": "x",\n"url" }', "-:2: broken JSON: Expecting ':' delimiter"),
            ("{}\n", "-:1: there is no title (add a key title)"),
            (f"---\nurl: {URL}\n---\n", "-:1: there is no title"),
            ("---\ntitle: x\n---\n", "-:1: there is no url (add a key url with the post's public address)"),
            ("---\ntitle: x\nurl: /a\n---\n", "-:3: url is no whole address (write it with https:// and the host)"),
            ("---\ntitle: x\npermalink: /:title/\n---\n", "-:3: permalink is no whole address"),
            (markdown("draft: true"), "-:4: this is a draft (take out draft to publish it)"),
            (markdown("draft: 'TRUE'"), "-:4: this is a draft"),
            (markdown("published: false"), "-:4: this is not published (take out published: false to publish it)"),
            (markdown("lang: no"), "-:4: lang must be a text (in quotes, if it looks like something else)"),
            (markdown("x: 1\ntags: 5"), "-:5: tags must be a list of words, or words with commas between them"),
            (markdown("tags: [[a]]"), "-:4: tags must be a list of words"),
            (markdown("author: {x: y}"), "-:4: author must be a name, or a list of names"),
            (markdown("authors: [5]"), "-:4: authors must be a name, or a list of names"),
            (markdown("image: 5"), "-:4: image must be an address, or have a url and an alt"),
            (markdown("cover: {alt: x}"), "-:4: cover must be an address"),
            (markdown("date: someday"), "-:4: date must be a date such as 2026-03-01"),
            (markdown("reverberate: x"), "-:4: reverberate must be keys with values"),
            (ASTRO.replace("pubDate: 'Feb", f"url: {URL}\npubDate: 'Feber"), "-:5: pubDate must be a date"),
        ],
    )
    def test_it_is_told_with_its_line_and_what_was_expected(self, text: str, words: str) -> None:
        assert wrong(text).startswith(words)

    def test_more_after_a_json_document(self) -> None:
        assert wrong('{"title": "x"}\n\nmore', kind="json").startswith("-:1: there is more after the JSON object")
        assert wrong('["x"]', kind="json").startswith("-:1: the JSON must be keys with values")

    def test_a_file_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "post.md"
        file.write_text(markdown("draft: true"), encoding="utf-8")
        assert wrong(file).startswith(f"{file}:4: this is a draft")
        assert wrong(tmp_path / "none.md") == f"{tmp_path / 'none.md'}:1: it cannot be read: No such file or directory"
        assert "Is a directory" in wrong(tmp_path)

    def test_a_file_in_another_encoding_is_told_with_the_line(self, tmp_path: Path) -> None:
        file = tmp_path / "post.md"
        file.write_bytes(markdown("tags: \u00e9").encode("latin-1"))
        assert wrong(file) == f"{file}:4: the file is not in UTF-8"

    def test_a_file_that_is_far_too_long_is_not_read(self, tmp_path: Path) -> None:
        file = tmp_path / "post.md"
        file.write_bytes(b"x" * 5_000_001)
        assert wrong(file).endswith("the file is longer than 5,000,000 bytes")

    def test_a_text_may_be_named(self) -> None:
        assert wrong("x", name="standard input").startswith("standard input:1:")
