"""A preview says what would be sent, when, in how many characters, and who decided so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reverberate import config as configs
from reverberate.errors import ReverberateError
from reverberate.model import Post
from reverberate.networks import networks
from reverberate.previews import preview
from reverberate.runtime import make_service
from reverberate.sources import sources
from reverberate.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reverberate.service import Service

CONFIG = """
[site]
timezone = "Europe/Berlin"
[accounts.x]
network = "twitter"
consumer_key = { env = "NOT_THERE" }
consumer_secret = { env = "NOT_THERE" }
access_token = { env = "NOT_THERE" }
access_token_secret = { env = "NOT_THERE" }
[accounts.sky]
network = "bluesky"
handle = "a.b"
app_password = { env = "NOT_THERE" }
template = "mine.txt"
numbering = "1/3"
when = "'b' in post.tags"
"""
POST = Post(
    url="https://blog.example/a", title="A title", summary="What it says. " * 40, text="Long. " * 100, tags=("a",)
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "mine.txt").write_text("{{ post.title }}\n{{ post.text | thread }}", encoding="utf-8")
    path = tmp_path / "reverberate.toml"
    path.write_text(CONFIG, encoding="utf-8")
    store = Store(f"sqlite:///{tmp_path / 'r.db'}")
    yield make_service(configs.load(path, networks=networks, sources=sources), store)
    store.close()


def test_it_needs_no_secret_and_counts_every_part(service: Service) -> None:
    row = preview(service, "x", POST)

    (part,) = row["parts"]
    assert (row["network"], row["state"], row["template"]) == ("twitter", "scheduled", "twitter.txt (shipped)")
    assert part["count"] + part["remaining"] == part["limit"] == 280
    assert row["fits"]
    assert row["notes"] == ["shortened to fit: What it says. What it says. What it says…"]
    assert ["template", "twitter.txt", "the network's default"] in row["layers"]
    assert datetime.fromisoformat(row["due"]) <= datetime.now(UTC)


def test_a_thread_is_shown_part_by_part_and_a_rule_that_does_not_hold_is_told(service: Service) -> None:
    row = preview(service, "sky", POST)

    assert len(row["parts"]) == 3
    assert row["parts"][2]["text"].endswith("3/3")
    assert (row["state"], row["template"]) == ("skipped", "mine.txt (yours)")
    assert "rule does not hold" in row["reason"]
    assert row["card"]["url"] == POST.url


def test_what_the_post_itself_says_is_named(service: Service) -> None:
    extra = {"reverberate": {"hashtags": ["b c"], "delay": "2h", "alt": "x", "text": "Own words", "skip": ["sky"]}}
    post = Post(url=POST.url, title="t", extra=extra)
    row = preview(service, "x", post)

    assert row["parts"][0]["text"] == f"Own words\n\n#BC\n\n{POST.url}"
    assert row["layers"][:2] == [["words", "as given", "the post"], ["delay", "2:00:00", "the post"]]
    assert preview(service, "sky", post)["state"] == "skipped"


def test_what_cannot_be_drawn_says_why(service: Service) -> None:
    row = preview(service, "x", Post(url=POST.url, extra={"reverberate": {"dellay": "2h"}}))

    assert (row["state"], row["fits"], row["parts"]) == ("held", False, [])
    assert "unknown key 'dellay'" in row["problem"]
    with pytest.raises(ReverberateError, match="no account"):
        preview(service, "nobody", POST)


def test_what_must_stay_and_does_not_fit_names_the_line(service: Service, tmp_path: Path) -> None:
    (tmp_path / "templates" / "mine.txt").write_text("{{ post.title }}\n\n{{ post.summary }}", encoding="utf-8")
    row = preview(service, "sky", POST)

    assert "template mine.txt: line 3" in row["problem"]
    assert row["parts"][0]["text"] == f"A title\n{POST.url}"
