"""Where a post's picture may be, and in which order the places are tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.model import Image, Post
from reverberate.pictures import candidates, named

URL = "https://blog.example/2026/post/"


def post(html: str = "", *images: Image) -> Post:
    return Post(url=URL, html=html, images=images)


def urls(found: tuple[Image, ...]) -> list[str]:
    return [image.url.removeprefix("https://blog.example") for image in found]


def test_the_sources_picture_goes_first_then_open_graphs_then_twitters_then_the_texts() -> None:
    page = '<meta name="twitter:image" content="/t.png"><meta property="og:image" content="/o.png">'
    found = candidates(post('<img src="/text.png">', Image(url="https://blog.example/feed.png")), page=page)

    assert urls(found) == ["/feed.png", "/o.png", "/t.png", "/text.png"]


def test_a_post_without_pictures_has_no_candidate() -> None:
    assert candidates(post("<p>words</p>"), page="<title>words</title>") == ()


def test_an_address_is_tried_once_and_keeps_the_description_that_any_place_gave_it() -> None:
    page = '<meta property="og:image" content="/a.png"><meta property="og:image:alt" content="A heron">'
    found = candidates(post('<img src="/a.png" alt="Another">', Image(url="/a.png")), page=page)

    assert found == (Image(url="https://blog.example/a.png", alt="A heron"),)


def test_the_sources_own_description_wins() -> None:
    found = candidates(post('<img src="/a.png" alt="Other">', Image(url="/a.png", alt="Own")))

    assert [image.alt for image in found] == ["Own"]


def test_relative_addresses_begin_at_the_page_where_it_was_in_the_end() -> None:
    page = '<meta property="og:image" content="cover.jpg">'

    assert candidates(post(), page=page)[0].url == f"{URL}cover.jpg"
    assert (
        candidates(post(), page=page, page_url="https://www.blog.example/p/")[0].url
        == "https://www.blog.example/p/cover.jpg"
    )


def test_what_else_a_page_says_of_itself_is_no_picture() -> None:
    page = '<meta charset="utf-8"><meta property="og:title" content="/a.png"><link rel="icon" href="/a.png">'

    assert named(page, base=URL) == ()


def test_a_pages_base_counts() -> None:
    page = '<base href="https://cdn.example/x/"><meta property="og:image" content="cover.jpg">'

    assert named(page, base=URL)[0].url == "https://cdn.example/x/cover.jpg"


def test_a_broken_base_does_not_count() -> None:
    page = '<base href="javascript:no"><meta property="og:image" content="cover.jpg">'

    assert named(page, base=URL)[0].url == f"{URL}cover.jpg"


@pytest.mark.parametrize(
    "tag",
    [
        '<meta property="og:image" content="https://cdn.example/a.png">',
        "<META PROPERTY='og:image:url' CONTENT='https://cdn.example/a.png'>",
        '<meta property="og:image:secure_url" content="https://cdn.example/a.png"/>',
        '<meta name="og:image" content=https://cdn.example/a.png>',
        '<meta name="twitter:image" content=" https://cdn.example/a.png ">',
        '<meta property="twitter:image:src" content="https://cdn.example/a.png">',
    ],
)
def test_each_way_of_naming_a_picture_is_known(tag: str) -> None:
    assert named(f"<head>{tag}</head>", base=URL) == (Image(url="https://cdn.example/a.png"),)


def test_a_description_belongs_to_its_own_family_and_to_the_pictures_before_it() -> None:
    page = (
        '<meta property="og:image" content="/a.png"><meta property="og:image:secure_url" content="/b.png">'
        '<meta property="og:image:alt" content=" A  heron "><meta property="og:image" content="/c.png">'
        '<meta name="twitter:image" content="/d.png"><meta name="twitter:image:alt" content="A crane">'
    )

    assert [image.alt for image in named(page, base=URL)] == ["A heron", "A heron", "", "A crane"]


def test_what_readers_wrote_into_a_page_names_no_picture() -> None:
    tag = '<meta property="og:image" content="/theirs.png">'

    assert named(f"<head></head>{tag}", base=URL) == ()
    assert named(f"<title>x</title><body>{tag}", base=URL) == ()


def test_only_a_pages_beginning_is_looked_at() -> None:
    assert named(" " * 600_000 + '<meta property="og:image" content="/a.png">', base=URL) == ()


@pytest.mark.parametrize(
    "attributes",
    [
        'width="1" height="1"',
        'width="2" height="2"',
        "width=0",
        "height='1px'",
        'style="width:1px;height:1px"',
        'style="border: 0; HEIGHT : 1px !important"',
    ],
)
def test_a_pixel_that_counts_readers_is_no_picture(attributes: str) -> None:
    html = f'<img src="https://count.example/p.gif" {attributes}><img src="/a.png" width="200" style="max-width:1px">'

    assert urls(candidates(post(html))) == ["/a.png"]
    assert urls(candidates(post(html, Image(url="https://count.example/p.gif")))) == ["/a.png"]


@pytest.mark.parametrize("width", ["12", "200", "100%", "auto", "9" * 5000, ""])
def test_what_people_can_see_is_a_picture(width: str) -> None:
    assert urls(candidates(post(f'<img src="/a.png" width="{width}">'))) == ["/a.png"]


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,AAAA",
        "/logo.svg",
        "/logo.SVG?v=2",
        "/favicon.ico",
        "javascript:no",
        "",
        "http://[",
        "cid:x",
    ],
)
def test_what_cannot_be_fetched_or_read_is_left_out(url: str) -> None:
    assert (
        candidates(post(f'<img src="{url}">', Image(url=url)), page=f'<meta property="og:image" content="{url}">') == ()
    )


def test_a_path_that_only_looks_like_a_drawing_is_tried() -> None:
    assert urls(candidates(post('<img src="/a.svg.png"><img src="/x.svg/y"><img src="/noend">'))) == [
        "/a.svg.png",
        "/x.svg/y",
        "/noend",
    ]


def test_of_many_pictures_only_the_first_few_are_tried() -> None:
    assert len(candidates(post("".join(f'<img src="/{n}.png">' for n in range(50))))) == 6


@given(st.text(alphabet="<>/='\" metaimgogwidthsrc:styl-1\n", max_size=300), st.text(max_size=100))
def test_no_html_breaks_it(html: str, page: str) -> None:
    assert len(candidates(post(html), page=page)) <= 6
