"""A real WordPress: what readers see there, what it keeps of our mark, and what it makes of a second try."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Unauthorised
from reverberate.model import Article, Card, Message, Picture, Step
from reverberate.networks.wordpress import WordPress, WordPressSettings
from reverberate.secrets import Secret
from reverberate.testing import LINK, a_delivery
from support.drawings import plain, saved

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.model import Delivery
    from support.real import Site

SERIALS = itertools.count(1)
PHOTO = saved(plain(), "PNG")
PICTURE = Picture(digest="d" * 64, mime="image/png", width=64, height=48, size=len(PHOTO), alt='A "red" dot & more')
ARTICLE = Article(
    html="<p>Words <b>in bold</b> &amp; more</p>", tags=("open web", "Q&A"), categories=("Notes", "Café & Co")
)


@pytest.fixture
def made(blog: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WordPress]:
    """Our account there, by its settings."""

    def make(**settings: Any) -> WordPress:
        monkeypatch.setenv("WP_PASSWORD", blog.password)
        given = {"site": blog.url, "user": blog.user, "app_password": Secret("env", "WP_PASSWORD")} | settings
        return WordPress("mirror", WordPressSettings(**given))

    return make


def delivery(*, title: str = "A post “in” quotes & <b>", article: Article | None = ARTICLE) -> Delivery:
    """A delivery of its own key, with a picture, tags and categories."""
    card = Card(url=LINK, title=title, description="in short", picture=PICTURE)
    message = Message(parts=("In short.\n\nAnd a bit.",), link=LINK, card=card, article=article)
    return replace(a_delivery(serial=next(SERIALS)), message=message, load=lambda _digest: PHOTO)


def there(blog: Site, path: str, **params: str) -> Any:
    """What the site says to its administrator."""
    auth, url = (blog.user, blog.password), f"{blog.url}/wp-json/wp/v2{path}"
    answer = requests.get(url, params={"context": "edit", **params}, auth=auth, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def test_it_knows_us_and_what_we_may(made: Callable[..., WordPress]) -> None:
    standing = made().verify()

    assert standing.who.startswith("admin at http://127.0.0.1")
    assert standing.troubles == ()


def test_a_site_with_plain_permalinks_is_reached_too(made: Callable[..., WordPress], blog: Site) -> None:
    network, what = made(api_base=f"{blog.url}/index.php?rest_route=/wp/v2"), delivery()

    receipt = network.send(what)

    assert network.find(what) == receipt


def test_a_wrong_password_pauses_the_account(made: Callable[..., WordPress], monkeypatch: pytest.MonkeyPatch) -> None:
    network = made()
    monkeypatch.setenv("WP_PASSWORD", "wrong")
    with pytest.raises(Unauthorised, match="401"):
        network.send(delivery())


def test_a_post_is_there_whole_and_is_found_by_its_mark(made: Callable[..., WordPress], blog: Site) -> None:
    network, what = made(), delivery()
    assert network.find(what) is None

    receipt = network.send(what)

    assert network.find(what) == receipt
    assert network.find(delivery()) is None
    post = there(blog, f"/posts/{receipt.remote_id}")
    assert post["title"]["raw"] == what.message.card.title  # type: ignore[union-attr]  # it has one
    assert post["excerpt"]["raw"] == "in short"
    assert post["status"] == "publish"
    page = requests.get(receipt.permalink, timeout=30).text
    assert ARTICLE.html in page
    assert f'<a href="{LINK}">' in page
    assert {"open web", "Q&amp;A"} == {there(blog, f"/tags/{number}")["name"] for number in post["tags"]}
    assert {"Notes", "Café &amp; Co"} == {there(blog, f"/categories/{n}")["name"] for n in post["categories"]}
    media = there(blog, f"/media/{post['featured_media']}")
    assert media["alt_text"] == PICTURE.alt


def test_terms_that_are_there_are_used_again(made: Callable[..., WordPress], blog: Site) -> None:
    network = made(categories=("notes",))
    first, second = (there(blog, f"/posts/{network.send(delivery()).remote_id}") for _ in range(2))

    assert first["tags"] == second["tags"]
    assert first["categories"] == second["categories"]
    assert len(first["categories"]) == 2


def test_a_draft_in_the_bin_counts_as_posted(made: Callable[..., WordPress], blog: Site) -> None:
    network, what = made(status="draft", content="excerpt"), delivery(article=None)
    receipt = network.send(what)
    assert there(blog, f"/posts/{receipt.remote_id}")["status"] == "draft"

    network.delete(what, receipt)
    network.delete(what, receipt)

    found = network.find(what)
    assert found is not None
    assert found.remote_id == receipt.remote_id


def test_an_edit_keeps_the_post_and_its_mark(made: Callable[..., WordPress], blog: Site) -> None:
    network, what = made(), delivery()
    receipt = network.send(what)
    message = replace(what.message, article=replace(ARTICLE, html="<p>Other words</p>"))

    edited = network.edit(replace(what, message=message), receipt)

    assert edited == receipt == network.find(what)
    post = there(blog, f"/posts/{receipt.remote_id}")
    assert "Other words" in post["content"]["raw"]
    assert post["status"] == "publish"


def test_a_link_post_is_one_link(made: Callable[..., WordPress], blog: Site) -> None:
    receipt = made(content="link").send(delivery())

    post = there(blog, f"/posts/{receipt.remote_id}")
    assert post["format"] == "link"
    assert post["content"]["raw"].startswith(f'<p><a href="{LINK}">A post “in” quotes &amp; &lt;b&gt;</a></p>')


def test_comments_are_counted(made: Callable[..., WordPress], blog: Site) -> None:
    network = made()
    receipt = network.send(delivery())
    assert network.reactions(receipt).replies == 0
    said = {"post": receipt.remote_id, "content": "Well said"}
    auth = (blog.user, blog.password)
    assert requests.post(f"{blog.url}/wp-json/wp/v2/comments", json=said, auth=auth, timeout=30).ok

    assert network.reactions(receipt).replies == 1


def test_a_site_that_is_elsewhere_pauses_the_account(made: Callable[..., WordPress], blog: Site) -> None:
    with pytest.raises(Unauthorised, match="the site's address"):
        made(api_base=f"{blog.url}/elsewhere/wp-json/wp/v2").send(delivery())


def test_a_picture_that_is_gone_keeps_no_post_from_appearing(made: Callable[..., WordPress], blog: Site) -> None:
    step = Step(answer={"id": 10**9}, at=datetime.now(UTC))
    what = replace(delivery(), steps={f"picture {PICTURE.digest[:16]}": step})

    receipt = made().send(what)

    assert there(blog, f"/posts/{receipt.remote_id}")["featured_media"] == 0
