"""Content warnings: the account's, or the post's own, where the network has them; they count towards the limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reverberate.accounts import Accounts
from reverberate.config import Account, Config, Service, Site
from reverberate.model import Post
from reverberate.networks import networks
from reverberate.networks.mastodon import MastodonSettings
from reverberate.networks.wordpress import WordPressSettings
from reverberate.rendering import Renderer
from reverberate.secrets import Secret
from reverberate.store.codec import dump_message, load_message
from reverberate.text.count import count

POST = Post(url="https://blog.example/a", title="A title", summary="Words and words. " * 60)
SECRET = Secret("env", "PATH")


def accounts(**settings: Any) -> Accounts:
    fedi = MastodonSettings(instance="https://m.example", access_token=SECRET, **settings)
    blog = WordPressSettings(site="https://b.example", user="alice", app_password=SECRET)
    made = {
        "fedi": Account(name="fedi", network="mastodon", settings=fedi),
        "blog": Account(name="blog", network="wordpress", settings=blog),
    }
    config = Config(path=Path("reverberate.toml"), site=Site(), service=Service(), accounts=made, sources={})
    return Accounts(config, Renderer((), zone=ZoneInfo("UTC")), networks=networks)


def said(words: str) -> Post:
    return replace(POST, extra={"reverberate": {"warning": words}})


@pytest.mark.parametrize(
    ("setting", "post", "meant"),
    [("", POST, ""), ("All", POST, "All"), ("All", said("This one"), "This one"), ("", said("This one"), "This one")],
)
def test_the_posts_own_goes_before_the_accounts(setting: str, post: Post, meant: str) -> None:
    draft, _ = accounts(content_warning=setting).preview("fedi", post)
    assert draft.message.warning == meant


def test_it_takes_room_from_the_text() -> None:
    warning = "w" * 200
    draft, limit = accounts(content_warning=warning).preview("fedi", POST)

    assert 400 < count(draft.message.parts[0], limit, warning=warning) <= limit.maximum


def test_networks_without_warnings_get_none() -> None:
    assert accounts().preview("blog", said("This one"))[0].message.warning == ""


def test_why_names_who_said_it() -> None:
    assert ("warning", "This one", "the post") in accounts(content_warning="All").layers("fedi", said("This one"))
    assert ("warning", "All", "the account") in accounts(content_warning="All").layers("fedi", POST)


def test_only_networks_of_articles_get_the_whole_post() -> None:
    post = replace(POST, html="<p>All <script>x</script>of it</p>", tags=("a tag",), categories=("Notes",))
    article = accounts().preview("blog", post)[0].message.article

    assert article is not None
    assert (article.html, article.tags, article.categories) == ("<p>All of it</p>", ("a tag",), ("Notes",))
    assert accounts().preview("fedi", post)[0].message.article is None


def test_a_post_without_html_is_an_article_of_its_text() -> None:
    article = accounts().preview("blog", replace(POST, text="One & two\n\nThree"))[0].message.article

    assert article is not None
    assert article.html == "<p>One &amp; two</p><p>Three</p>"


def test_a_whole_post_and_its_warning_go_through_the_store_as_they_are() -> None:
    post = replace(POST, html="<p>All of it</p>", tags=("a tag",), extra={"reverberate": {"warning": "This one"}})
    for name in ("blog", "fedi"):
        message = accounts().preview(name, post)[0].message
        assert load_message(dump_message(message)) == message
