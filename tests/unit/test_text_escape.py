"""What would be markup on a network is escaped, and what is none stays as it is."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text.escape import ESCAPES, Escape, escape, written

LITTLE = r"\|{}@[]()<>#*_~"
"""What LinkedIn's little text reserves."""


@pytest.mark.parametrize("character", LITTLE)
def test_linkedin_gets_a_backslash_before_whatever_it_reserves(character: str) -> None:
    assert escape(f"a {character} b", "linkedin") == f"a \\{character} b"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("#tag and #größe", "#tag and #größe"),
        ("C# and C#sharp", r"C\# and C\#sharp"),
        ("##tag", r"\##tag"),
        ("#open_web", r"#open\_web"),
        ("(#tag)", r"\(#tag\)"),
        ("#", r"\#"),
        ("@alice", r"\@alice"),
        ("https://a.dev/x_(y)", r"https://a.dev/x\_\(y\)"),
        ("100% & more", "100% & more"),
        (r"\(", r"\\\("),
    ],
)
def test_linkedin_keeps_hashtags_alive(text: str, sent: str) -> None:
    assert escape(text, "linkedin") == sent


@given(st.text())
def test_linkedin_shows_what_was_written(text: str) -> None:
    sent = escape(text, "linkedin")
    bare = re.sub(r"\\(.)", "", sent, flags=re.DOTALL)

    assert re.sub(r"\\(.)", r"\1", sent, flags=re.DOTALL) == text
    assert not set(bare) & set(LITTLE) - {"#"}


def test_x_gets_no_byte_order_mark_and_no_noncharacter() -> None:
    assert escape("\ufeffa\uffffb\ufffe & *c* \U0001fffe", "twitter") == "ab & *c* \U0001fffe"


@pytest.mark.parametrize("network", ["telegram", "slack"])
def test_telegram_and_slack_get_three_entities(network: str) -> None:
    assert escape("<b> & \"c\" 'd' https://a.dev/?b=1&c=2", network) == (
        "&lt;b&gt; &amp; \"c\" 'd' https://a.dev/?b=1&amp;c=2"
    )


@given(st.text(alphabet="<>&;ampltg ab"))
def test_entities_are_read_back_as_they_were(text: str) -> None:
    sent = written(text, Escape.ENTITIES)

    assert html.unescape(sent) == text
    assert not set(sent) & set("<>")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("*a* _b_ ~~c~~ `d` ||e||", r"\*a\* \_b\_ \~\~c\~\~ \`d\` \|\|e\|\|"),
        ("snake_case", r"snake\_case"),
        ("[text](https://a.dev)", r"\[text\](https://a.dev)"),
        ("<@123> <t:1>", r"\<@123> \<t:1>"),
        ("# a\n## b\n### c\n#### d\n#tag", "\\# a\n\\## b\n\\### c\n#### d\n#tag"),
        ("-# small\n- item\n  + item\n-5", "\\-# small\n\\- item\n  \\+ item\n-5"),
        ("> quote\n>>> more\na > b", "\\> quote\n\\>>> more\na > b"),
        ("https://a.dev/x_y_z*?a=~b~", "https://a.dev/x_y_z*?a=~b~"),
        ("_https://a.dev/x_y", r"\_https://a.dev/x_y"),
        ("<https://a.dev/x_y>", r"\<https://a.dev/x_y>"),
        (r"a\b", r"a\\b"),
        ("plain, (text) & more!", "plain, (text) & more!"),
    ],
)
def test_discord_shows_marks_instead_of_obeying_them(text: str, sent: str) -> None:
    assert escape(text, "discord") == sent


@given(st.text(alphabet="*_~`|<>[]\\# -+a\n\t"))
def test_discord_gets_no_bare_mark_and_loses_nothing(text: str) -> None:
    sent = escape(text, "discord")

    assert re.sub(r"\\(.)", r"\1", sent) == text
    assert not set(re.sub(r"\\.", "", sent)) & set("*_~`|<[\\")


@given(st.text(), st.sampled_from(["mastodon", "bluesky", "matrix", "somebody-elses"]))
def test_elsewhere_a_text_is_taken_as_it_is(text: str, network: str) -> None:
    assert network not in ESCAPES
    assert escape(text, network) is text
