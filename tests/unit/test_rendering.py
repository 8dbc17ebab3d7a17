"""Templates become messages; what is wrong with one is said in one line, and a wild one hurts nobody."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from reverberate.errors import TemplateError
from reverberate.model import Image, Message, Post
from reverberate.networks import networks
from reverberate.rendering import Renderer, Voice, shipped_templates
from reverberate.rendering.templates import hashtag, sentences, utm
from reverberate.text.count import fits
from reverberate.text.limits import LIMITS

POST = Post(
    url="https://blog.org/2026/a-post",
    title="On the habit of writing",
    summary="Writing is thinking with a memory. " * 12,
    author="Ada",
    tags=("machine learning", "open web", "2026", "PKM"),
    images=(Image(url="https://blog.org/a.png", alt="a pen"),),
    published=datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
    extra={"mood": "calm"},
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    return Renderer([tmp_path], zone=ZoneInfo("Europe/Berlin"), site="A blog")


def say(renderer: Renderer, network: str, post: Post = POST, template: str | None = None) -> Message:
    return renderer.draft(post, voice(network, template)).message


def voice(network: str, template: str | None = None, **more: object) -> Voice:
    kind = networks.get(network)
    given = {"account": "me", "network": network, "limit": kind.limit, "template": template}
    return Voice(**given | {"threads": kind.threads, "card": kind.card} | more)  # type: ignore[arg-type]  # shorthand


def own(tmp_path: Path, text: str, name: str = "mine.txt") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize("network", ["twitter", "mastodon", "bluesky", "facebook", "memory", "googleplus"])
def test_every_shipped_template_fits_and_keeps_title_and_link(renderer: Renderer, network: str) -> None:
    message = say(renderer, network)

    assert fits(message.parts[0], LIMITS[network])
    assert message.parts[0].startswith(POST.title)
    assert message.link == POST.url
    assert POST.url in message.parts[0] or message.card is not None
    assert "#MachineLearning #OpenWeb #PKM" in message.parts[0]


def test_what_was_shortened_is_noted(renderer: Renderer) -> None:
    assert say(renderer, "twitter").notes == ("shortened to fit: Writing is thinking with a memory. Writi…",)
    assert say(renderer, "googleplus").notes == ()


def test_a_post_without_summary_or_tags_leaves_no_gap(renderer: Renderer) -> None:
    message = say(renderer, "twitter", Post(url=POST.url, title="Only a title"))

    assert message.parts == (f"Only a title\n\n{POST.url}",)


def test_the_owners_template_comes_first(renderer: Renderer, tmp_path: Path) -> None:
    own(tmp_path, "mine: {{ post.title }}", "twitter.txt")

    assert say(renderer, "twitter").parts == ("mine: On the habit of writing",)


def test_a_network_without_a_template_gets_the_default(renderer: Renderer) -> None:
    message = renderer.draft(POST, Voice(account="me", network="elsewhere", limit=LIMITS["memory"])).message

    assert message.parts[0].endswith(POST.url)


def test_a_template_sees_the_post_and_the_account(renderer: Renderer, tmp_path: Path) -> None:
    text = (
        "{{ post.author }} {{ post.site }} {{ post.image.alt }} {{ post.extra.mood }} {{ account.name }}@{{ account.network }} "
        "{{ post.published | date('%H:%M') }} {{ post.summary | sentences(1) }} {{ post.url | utm(source='me') }} "
        "{{ post.title | truncate_at(8) }} {{ post.tags | hashtags | join(' ') }}"
    )
    message = say(renderer, "memory", template=own(tmp_path, text))

    assert message.parts[0] == (
        "Ada A blog a pen calm me@memory 00:30 Writing is thinking with a memory. https://blog.org/2026/a-post?utm_source=me "
        "On the… #MachineLearning #OpenWeb #PKM"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\n{{ post.titel }}", "template mine.txt: line 2: there is no 'titel' here"),
        ("{{ titel }}", "template mine.txt: line 1: 'titel' is undefined"),
        ("a\nb\n{% if %}", "template mine.txt: line 3: "),
        ("{{ post.title | shout }}", "template mine.txt: line 1: No filter named 'shout'"),
        ("{{ post.title.__class__ }}", "template mine.txt: line 1: "),
        ("{{ 1 / 0 }}", "template mine.txt: line 1: "),
        ("{{ post.title | drop }}", "template mine.txt: line 1: drop needs a list"),
        ("{% include 'other.txt' %}", "template mine.txt: line 1: "),
    ],
)
def test_what_is_wrong_with_a_template_is_said_in_one_line(
    renderer: Renderer, tmp_path: Path, text: str, words: str
) -> None:
    name = own(tmp_path, text)
    with pytest.raises(TemplateError) as caught:
        say(renderer, "memory", template=name)

    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
    assert renderer.check(voice("memory", name)) == [str(caught.value)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 'a'.center(900000000) }}",
        "{{ '%0999999999d' % 1 }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}aaaaaaaaaaaaaaaa{% endfor %}",
    ],
)
def test_a_wild_template_ends_in_an_error_soon_and_hurts_nobody(renderer: Renderer, tmp_path: Path, text: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateError, match=r"mine\.txt"):
        say(renderer, "memory", template=own(tmp_path, text))

    assert time.monotonic() - began < 8  # two seconds are its own; the rest is for a child to start on a busy machine
    assert say(renderer, "memory", template=own(tmp_path, "{{ post.title }}")).parts == (POST.title,)


def test_a_missing_template_is_told_with_what_was_meant(renderer: Renderer, tmp_path: Path) -> None:
    own(tmp_path, "x", "my-twitter.txt")
    with pytest.raises(TemplateError, match=r"no template 'my-twiter\.txt'.*did you mean 'my-twitter\.txt'"):
        say(renderer, "twitter", template="my-twiter.txt")


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd"])
def test_a_template_outside_the_folders_is_not_read(renderer: Renderer, name: str) -> None:
    with pytest.raises(TemplateError, match="no template"):
        say(renderer, "twitter", template=name)


def test_a_template_that_is_no_text_is_told(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "huge.txt").write_text("x" * 70_000, encoding="utf-8")

    for name, words in (("mine.txt", "cannot be read"), ("huge.txt", "longer than")):
        with pytest.raises(TemplateError, match=words):
            say(renderer, "twitter", template=name)


def test_what_cannot_fit_becomes_title_and_link(renderer: Renderer, tmp_path: Path) -> None:
    message = say(renderer, "twitter", template=own(tmp_path, "{{ post.summary }}"))

    assert message.parts == (f"{POST.title}\n{POST.url}",)
    assert "does not fit" in message.notes[0]


def test_a_title_that_is_longer_than_all_is_shortened(renderer: Renderer) -> None:
    message = say(renderer, "twitter", Post(url=POST.url, title="word " * 200))

    assert fits(message.parts[0], LIMITS["twitter"])
    assert message.parts[0].endswith(f"word…\n\n{POST.url}") or message.parts[0].endswith(f"word…\n{POST.url}")


def test_a_post_cannot_forge_a_mark(renderer: Renderer) -> None:
    forged = Post(url=POST.url, title="\ue0000\ue001 forged \x00", summary="s")
    message = say(renderer, "twitter", forged)

    assert "forged" in message.parts[0]
    assert not set(message.parts[0]) & {"\ue000", "\ue001", "\x00"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("'PKM' in post.tags", True),
        ("post.title.startswith('On')", True),
        ("account.name == 'you'", False),
        ("not post.images", False),
    ],
)
def test_a_rule_is_an_expression(renderer: Renderer, rule: str, holds: bool) -> None:
    assert renderer.matches(rule, post=POST, account="me") is holds


@pytest.mark.parametrize("rule", ["post.titel == 'x'", "if", "'a' * 10**10", "post.__class__", "1/0"])
def test_a_rule_that_cannot_be_told_names_itself(renderer: Renderer, rule: str) -> None:
    with pytest.raises(TemplateError) as caught:
        renderer.matches(rule, post=POST, account="me")

    assert str(caught.value).startswith(f"rule {rule!r}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("machine learning", "#MachineLearning"),
        ("open-source", "#OpenSource"),
        ("2026", ""),
        ("PKM", "#PKM"),
        ("C++", "#C"),
        ("!", ""),
        ("über uns", "#ÜberUns"),
    ],
)
def test_a_hashtag_is_readable(words: str, tag: str) -> None:
    assert hashtag(words) == tag


def test_sentences_and_campaigns() -> None:
    assert sentences("One. Two! Three?", 2) == "One. Two!"
    assert (
        utm("https://a.org/?b=1&utm_source=old#c", source="new", medium="m")
        == "https://a.org/?b=1&utm_source=old&utm_medium=m#c"
    )


def test_the_shipped_templates_are_found() -> None:
    assert (shipped_templates() / "posts" / "default.txt").is_file()
