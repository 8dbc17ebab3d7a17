"""A WordPress site's posts come with excerpt, featured image, terms and custom fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reverberate.overrides import override
from reverberate.sources.articles import Unreadable
from reverberate.sources.document import read
from reverberate.sources.wordpress import WordPress, WordPressSettings, posts


def a_post(**more: Any) -> dict[str, Any]:
    terms = [
        [{"taxonomy": "category", "name": "News &amp; views"}],
        [{"taxonomy": "post_tag", "name": "open web"}, {"taxonomy": "post_tag", "name": "writing"}],
    ]
    embedded = {
        "author": [{"name": "Ada"}],
        "wp:featuredmedia": [{"source_url": "https://wp.example/a.jpg", "alt_text": "a door"}],
        "wp:term": terms,
    }
    return {
        "id": 7,
        "date_gmt": "2026-01-05T12:00:00",
        "modified_gmt": "2026-01-06T12:00:00",
        "guid": {"rendered": "https://wp.example/?p=7"},
        "link": "https://wp.example/a-post/",
        "title": {"rendered": "It&#8217;s open"},
        "excerpt": {"rendered": "<p>In short.</p>\n"},
        "content": {"rendered": "<p>At length.</p>"},
        "meta": {"reverberate": '{"hashtags": ["doors"], "skip": ["page"]}'},
        "_embedded": embedded,
    } | more


def the_post(**more: Any) -> Any:
    (found,), notes = posts(json.dumps([a_post(**more)]).encode(), newest=10)
    assert notes == []
    return found


def test_everything_is_read() -> None:
    post = the_post()

    assert (post.url, post.title, post.summary) == ("https://wp.example/a-post/", "It\u2019s open", "In short.")
    assert (post.author, post.tags, post.categories) == ("Ada", ("open web", "writing"), ("News & views",))
    assert [(image.url, image.alt) for image in post.images] == [("https://wp.example/a.jpg", "a door")]
    assert post.guid == "https://wp.example/?p=7"
    assert post.published == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert post.text == "At length."


def test_a_custom_field_says_how_it_is_shared() -> None:
    assert override(the_post().extra, "page").skip
    assert override(the_post().extra, "fedi").hashtags == ("doors",)
    assert override(the_post(meta={"reverberate": {"alt": "x"}}).extra, "fedi").alt == "x"


@pytest.mark.parametrize("meta", [[], {}, None, {"reverberate": ""}, {"other": 1}])
def test_most_posts_have_no_such_field(meta: Any) -> None:
    assert the_post(meta=meta).extra == {}


def test_a_field_that_is_no_json_is_told_when_it_is_read() -> None:
    with pytest.raises(Exception, match="no mapping"):
        override(the_post(meta={"reverberate": "skip me"}).extra, "fedi")


def test_what_is_missing_or_odd_does_no_harm() -> None:
    post = the_post(_embedded=None, title=None, excerpt=3, guid="g", date_gmt=None, modified_gmt=5)

    assert (post.title, post.tags, post.published, post.guid) == ("", (), None, "g")


def test_a_post_without_an_address_is_left_out_and_told() -> None:
    found, notes = posts(json.dumps([a_post(link=""), a_post(), 5]).encode(), newest=10)

    assert len(found) == 1
    assert notes == ["a post is left out (It\u2019s open): it has no link"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[{", "broken JSON"),
        (b"<html>", "broken JSON"),
        (b'{"code": "rest_no_route", "message": "No route was found."}', "No route was found"),
        (b'"x"', "no list of posts"),
    ],
)
def test_what_is_no_answer_of_wordpress_is_told(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        posts(body, newest=10)


def test_a_list_is_read_as_what_wordpress_answers() -> None:
    import base64  # noqa: PLC0415 - only here

    body = base64.b64encode(json.dumps([a_post()]).encode()).decode()
    told = read({"body": body, "url": "https://wp.example/", "content_type": "", "newest": 5, "kind": "wordpress"})

    assert [post["url"] for post in told["posts"]] == ["https://wp.example/a-post/"]


def test_the_address_works_with_any_permalinks() -> None:
    address = WordPress("blog", WordPressSettings(url="https://wp.example/blog/", newest=30)).address

    assert address.startswith("https://wp.example/blog/?rest_route=/wp/v2/posts&per_page=30&_embed=")
