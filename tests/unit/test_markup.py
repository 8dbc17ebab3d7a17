"""What strangers' HTML says, and that no HTML can keep us busy."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text.markup import Picture, absolute, feeds, pictures, plain, tidy, unescaped

BASE = "https://blog.example/posts/one/"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("", ""),
        ("no markup at all", "no markup at all"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div><div>One</div></div>\n\n\n<div>Two</div>", "One\n\nTwo"),
        ("a<br>b<br />c", "a\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>after", "- a\n- b\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("Tom &amp; Jerry &lt;b&gt; &#8217; &eacute; &nbsp;x", "Tom & Jerry <b> \u2019 \u00e9 x"),
        ("&amp;amp; once", "&amp; once"),
        ("<b>bo</b>ld <a href='x'>li</a>nk", "bold link"),
        ("<pre>a\nb</pre>c\nd", "a\nb\n\nc d"),
        ("a<script>if (a < b) { '</p>' }</script>b<STYLE>p {}</Style >c", "abc"),
        ("a<svg><text>no</text></svg>b<iframe>no</iframe>c", "abc"),
        ("a<!-- <p>no</p> -->b<!doctype x>c<?php no ?>d</ no>e", "abcde"),
        ("a<![CDATA[no]]>b", "ab"),
        ("<title>A &lt;b&gt; c <i>d</title>e", "A <b> c <i>de"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("a <3 b <", "a <3 b <"),
        ('<p title="a > b">c</p>', "c"),
        ("<p title='a > b' class=x/y>c</p>", "c"),
        ("<p =x==y z>c</p>", "c"),
        ("a<p never closed", "a"),
        ('a<p x="never closed>b', "a"),
        ("a<!-- never closed", "a"),
        ("a<script>never closed", "a"),
        ('x <img class="wp-smiley" alt="\U0001f331" src="https://s.w.org/a.png"> y', "x \U0001f331 y"),
        ('<img alt="not words" src="a.png">', ""),
        ("so\xadft hy\u200bphen \u202eevil\ufeff", "soft hyphen evil"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
    ],
)
def test_the_words_of_a_document(html: str, words: str) -> None:
    assert plain(html) == words


def test_words_are_taken_up_to_a_limit() -> None:
    assert len(plain(f"<p>{'word ' * 1000}</p>" * 100)) == 200_000


@pytest.mark.parametrize("text", ["&#" + "9" * 5000 + ";", "&#x110000;", "&" * 10, "&#;"])
def test_entities_that_are_none_do_no_harm(text: str) -> None:
    assert isinstance(unescaped(text), str)
    assert isinstance(plain(text), str)


@given(st.text())
def test_tidy_text_is_tidy(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    tidied.encode()  # no half surrogates
    assert not {"\0", "\r", "\u202e"} & set(tidied)


@given(
    st.lists(
        st.sampled_from(["<", ">", "/", "a", "b", " ", "=", '"', "'", "!", "-", "&", "script", "\n", "img", "src"])
    )
)
def test_any_soup_has_words_and_pictures(soup: list[str]) -> None:
    html = "".join(soup)
    assert tidy(plain(html)) == plain(html)
    assert all(picture.url.startswith("https://") for picture in pictures(html, base=BASE))


HOSTILE = {
    "nested blocks": "<div>",
    "open tags": "<div ",
    "open quotes": '<a "',
    "open values": '<a b="',
    "comments": "<!--",
    "declarations": "<!",
    "scripts": "<script>",
    "numeric entities": "&#",
    "entities": "&a",
    "ampersands": "&",
    "angles": "<",
    "closing": "</",
    "cdata": "<![CDATA[",
    "titles": "<title>",
    "line ends": "a\n",
    "list items": "<li>",
    "attributes": "<a" + " a=b" * 1000,
    "quotes": "<a'\"",
    "images": "<img src=a alt=b>",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """200 kB in a fraction of a second, if nobody measures: what takes quadratic time would take minutes."""
    html = piece * (200_000 // len(piece))
    begun = time.process_time()
    plain(html)
    assert sum(1 for _ in pictures(html, base=BASE)) >= 0
    assert time.process_time() - begun < 6


class TestPictures:
    def test_they_come_in_order_with_their_words_and_whole_addresses(self) -> None:
        html = '<p><img src="/a.jpg" alt="A &amp; B"></p><IMG ALT=\'C\' SRC=c.png>'
        assert list(pictures(html, base=BASE)) == [
            Picture("https://blog.example/a.jpg", "A & B"),
            Picture("https://blog.example/posts/one/c.png", "C"),
        ]

    @pytest.mark.parametrize(
        "html",
        [
            '<img src="data:image/png;base64,AAAA">',
            '<img src="https://stats.example/pixel.gif" width="1" height="1">',
            '<img src="https://stats.example/pixel.gif" width="1px">',
            '<img src="https://stats.example/pixel.gif" height=0>',
            '<img class="wp-smiley emoji" src="https://s.w.org/a.png">',
            '<img src="javascript:alert(1)">',
            '<img src="http://[broken/">',
            "<img alt=x>",
            '<!-- <img src="/a.jpg"> -->',
            "<script><img src='/a.jpg'></script>",
        ],
    )
    def test_what_is_not_to_be_looked_at_is_left_out(self, html: str) -> None:
        assert list(pictures(html, base=BASE)) == []

    def test_a_lazy_picture_has_its_address_elsewhere(self) -> None:
        html = '<img src="data:image/gif;base64,R0" data-src="/real.jpg">'
        assert [picture.url for picture in pictures(html, base=BASE)] == ["https://blog.example/real.jpg"]


@pytest.mark.parametrize(
    ("link", "whole"),
    [
        ("https://a.example/x", "https://a.example/x"),
        (" /x ", "https://blog.example/x"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("my photo.jpg", "https://blog.example/posts/one/my%20photo.jpg"),
        ("", ""),
        ("mailto:a@b.example", ""),
        ("http://[::1", ""),
        ("ftp://a.example/x", ""),
    ],
)
def test_absolute_addresses(link: str, whole: str) -> None:
    assert absolute(link, base=BASE) == whole


def test_a_page_names_its_feeds() -> None:
    html = """<head><link rel="stylesheet" type="application/rss+xml" href="/no">
    <link rel="alternate" type="application/rss+xml" title="RSS" href="/feed.xml">
    <link rel=alternate hreflang=de href=/de>
    <link type="application/feed+json" rel="alternate home" href="feed.json"/>
    <link rel="alternate" type="application/atom+xml" href="/feed.xml"><link rel="alternate" type="application/rss+xml">
    """
    assert feeds(html, base=BASE) == ["https://blog.example/feed.xml", "https://blog.example/posts/one/feed.json"]
