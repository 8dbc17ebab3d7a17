"""Messages get the post's picture where that can be had; where not, they go without and say why."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image as Pillow

from reverberate.config import Account, Config, Service, Site, SourceConfig
from reverberate.illustrate import Illustrator
from reverberate.model import Card, Image, Message, Picture, Post
from reverberate.networks import networks
from support.plugins import BoxSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


def png(size: tuple[int, int] = (640, 480)) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", size, "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def blog() -> Iterator[tuple[str, dict[str, tuple[str, bytes]], list[str]]]:
    """A blog's address, its pages, and what was asked of it."""
    pages: dict[str, tuple[str, bytes]] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            kind, body = pages.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", pages, asked
    server.shutdown()
    server.server_close()


def illustrate(
    url: str, post: Post, *, network: str = "bluesky", picture: str = "card", share_card: bool = False
) -> tuple[Message, dict[str, bytes]]:
    source = SourceConfig(name="blog", type="box", settings=BoxSettings(url=url), every=None)  # type: ignore[arg-type]  # not asked
    site = Site(title="The blog", share_card=share_card)
    config = Config(path=Path("r.toml"), site=site, service=Service(), accounts={}, sources={"blog": source})
    kept: dict[str, bytes] = {}

    def keep(one: Picture, data: bytes) -> None:
        kept[one.digest] = data

    account = Account(name="a", network=network, settings=None, picture=picture)  # type: ignore[arg-type]  # not asked
    kind = networks.get(network)
    card = Card(url=post.url, title=post.title) if kind.card else None
    message = Message(parts=("text",), link=post.url, card=card)
    return Illustrator(config).illustrated(message, post, account, kind, keep), kept


def a_post(url: str, *images: str, **more: Any) -> Post:
    return Post(
        url=f"{url}/post", title="A post", images=tuple(Image(url=url + path, alt="teal") for path in images), **more
    )


def test_a_card_gets_the_posts_picture(blog: Any) -> None:
    url, pages, _ = blog
    pages["/a.png"] = ("image/png", png())
    message, kept = illustrate(url, a_post(url, "/a.png"))

    assert message.card is not None
    assert message.card.picture is not None
    assert (message.card.picture.width, message.card.picture.height) == (640, 480)
    assert kept[message.card.picture.digest]
    assert message.pictures == ()


def test_a_picture_is_attached_with_its_description(blog: Any) -> None:
    url, pages, _ = blog
    pages["/a.png"] = ("image/png", png())
    message, kept = illustrate(url, a_post(url, "/a.png"), network="mastodon", picture="attach")

    (picture,) = message.pictures
    assert picture.alt == "teal"
    assert len(kept[picture.digest]) == picture.size


@pytest.mark.parametrize("network", ["bluesky", "facebook", "linkedin"])
def test_pictures_that_take_the_cards_place_leave_the_link_to_the_text(blog: Any, network: str) -> None:
    url, pages, _ = blog
    pages["/a.png"] = ("image/png", png())
    post = a_post(url, "/a.png")

    assert illustrate(url, post, network=network, picture="attach")[0].parts == (f"text\n\n{post.url}",)
    assert illustrate(url, a_post(url, "/gone.png"), network=network, picture="attach")[0].parts == ("text",)
    assert illustrate(url, post, network=network)[0].parts == ("text",)
    assert illustrate(url, post, network="tumblr", picture="attach")[0].parts == ("text",), "it shows both"


@pytest.mark.parametrize(
    ("network", "picture"), [("mastodon", "card"), ("bluesky", "none"), ("facebook", "card"), ("googleplus", "attach")]
)
def test_nothing_is_fetched_where_nothing_is_shown(blog: Any, network: str, picture: str) -> None:
    url, _, asked = blog
    message, kept = illustrate(url, a_post(url, "/a.png"), network=network, picture=picture)

    assert (kept, asked, message.pictures, message.notes) == ({}, [], (), ())


def test_a_picture_that_cannot_be_used_is_left_out_and_the_next_one_is_tried(blog: Any) -> None:
    url, pages, _ = blog
    pages |= {"/html.png": ("image/png", b"<html>"), "/b.png": ("image/png", png())}
    message, kept = illustrate(url, a_post(url, "/gone.png", "/html.png", "/b.png"))

    assert len(kept) == 1
    assert len(message.notes) == 2
    assert all("picture left out" in note for note in message.notes)


def test_a_post_without_a_picture_gets_that_of_its_page(blog: Any) -> None:
    url, pages, _ = blog
    pages["/post"] = ("text/html", b'<html><head><meta property="og:image" content="/og.png"></head></html>')
    pages["/og.png"] = ("image/png", png((800, 400)))
    message, _ = illustrate(url, a_post(url))

    assert message.card is not None
    assert message.card.picture is not None
    assert message.card.picture.width == 800


def test_without_any_picture_the_message_goes_as_it_is_or_with_a_drawn_card(blog: Any) -> None:
    url, pages, _ = blog
    pages["/post"] = ("text/html", b"<html></html>")
    plain, kept = illustrate(url, a_post(url))
    assert plain.card is not None
    assert (plain.card.picture, kept) == (None, {})

    drawn, kept = illustrate(url, a_post(url), share_card=True)
    assert drawn.card is not None
    assert drawn.card.picture is not None
    assert (drawn.card.picture.width, drawn.card.picture.height) == (1200, 630)
    assert "a share card was drawn" in drawn.notes
    assert len(kept) == 1


def test_a_page_that_is_not_there_is_a_note(blog: Any) -> None:
    url, _, _ = blog
    message, _ = illustrate(url, a_post(url))

    assert message.notes[0].startswith("the post's page was not looked at for pictures")


def test_a_picture_in_a_strangers_private_network_is_not_fetched(blog: Any) -> None:
    url, pages, asked = blog
    pages["/a.png"] = ("image/png", png())
    elsewhere = replace(a_post("https://blog.example"), images=(Image(url=f"{url}/a.png"),))
    message, kept = illustrate("https://blog.example/feed.xml", elsewhere)

    assert (kept, asked) == ({}, [])
    assert "picture left out" in message.notes[0]


@pytest.mark.parametrize(("picture", "shown"), [("card", 1), ("attach", 1), ("none", 0)])
def test_a_network_that_takes_no_post_without_a_picture_always_gets_it(blog: Any, picture: str, shown: int) -> None:
    url, pages, _ = blog
    pages["/a.png"] = ("image/png", png())
    message, kept = illustrate(url, a_post(url, "/a.png"), network="instagram", picture=picture)

    assert [one.mime for one in message.pictures] == ["image/jpeg"] * shown
    assert len(kept) == shown
