"""Each network's own way of counting, and where its limit is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text.count import count, fits
from reverberate.text.escape import ESCAPES, Escape, escape
from reverberate.text.limits import LIMITS, Limit, Unit

MASTODON = LIMITS["mastodon"]
LINK = "https://blog.example.org/2026/on-the-habit-of-writing?from=feed#top"
FAMILY = "👩‍👩‍👧‍👦"  # 7 code points, 11 UTF-16 units, 25 bytes
WORDS = st.text(alphabet="ab é漢👍\u200d\u0301@.#\n")


@pytest.mark.parametrize("network", LIMITS)
def test_every_limit_has_a_source_and_something_fits(network: str) -> None:
    limit = LIMITS[network]

    assert limit.source
    assert fits("", limit)
    assert fits("x" * limit.maximum, limit)
    assert not fits("x" * (limit.maximum + 1), limit)


@pytest.mark.parametrize(
    ("unit", "number"),
    [(Unit.GRAPHEMES, 1), (Unit.CHARACTERS, 7), (Unit.UTF16, 11), (Unit.BYTES, 25), (Unit.WEIGHTED, 2)],
)
def test_an_emoji_is_a_different_number_in_each_unit(unit: Unit, number: int) -> None:
    assert count(FAMILY, Limit(unit=unit, maximum=100)) == number


@pytest.mark.parametrize(
    ("network", "unit"),
    [
        ("telegram", Unit.UTF16),
        ("discord", Unit.UTF16),
        ("instagram", Unit.UTF16),
        ("linkedin", Unit.UTF16),
        ("threads", Unit.BYTES),
        ("bluesky", Unit.GRAPHEMES),
        ("gotosocial", Unit.CHARACTERS),
        ("tumblr", Unit.CHARACTERS),
    ],
)
def test_which_network_counts_what(network: str, unit: Unit) -> None:
    assert LIMITS[network].unit is unit


def test_a_text_of_five_hundred_characters_may_be_too_long_for_threads() -> None:
    assert fits("a" * 498, LIMITS["threads"])
    assert not fits("a" * 495 + "…" * 3, LIMITS["threads"])


def test_bluesky_has_a_limit_of_bytes_too() -> None:
    assert fits(FAMILY * 120, LIMITS["bluesky"])
    assert not fits(FAMILY * 121, LIMITS["bluesky"])


def test_half_a_surrogate_pair_is_counted_not_refused() -> None:
    assert [count("\ud83d!", Limit(unit=unit, maximum=9)) for unit in Unit] == [3, 2, 2, 2, 4]


# Mastodon and its kin


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (LINK, 23),
        (f"read {LINK}!", 29),
        ("http://a.dev", 23),
        ("a.dev/without-a-scheme", 22),
        ("https://nowhere.unknowntld/x", 28),
        ("https://a.dev/日本語/é", 23),
        ("gemini://a.dev/x", 23),
        ("see(https://a.dev/x_(y))", 28),
        (f"{FAMILY} {LINK}", 25),
        ("https://a.dev\u0301", 23),  # a mark joins the link's last character
    ],
)
def test_mastodon_counts_a_link_with_a_scheme_as_23(text: str, number: int) -> None:
    assert count(text, MASTODON) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("@alice", 6),
        ("@alice@a-long-name.example.org", 6),
        ("hi @alice@example.org, hi @bob@example.com", 18),
        ("(@alice.b@example.org)", 10),
        ("alice@example.org", 17),
        ("/@alice@example.org", 19),
        ("=@alice@example.org", 19),
        ("@alice@example.org@", 19),
        ("@alice@example.org://x", 22),
        ("@alice@bücher.example", 6),
        ("@alice@", 7),
        ("https://a.dev/@alice@example.org", 23),
    ],
)
def test_mastodon_counts_a_remote_mention_by_its_local_part(text: str, number: int) -> None:
    assert count(text, MASTODON) == number


def test_mastodon_counts_the_warning_and_its_links_as_written() -> None:
    assert count(LINK, MASTODON, warning="spoiler") == 7 + 23
    assert count("", MASTODON, warning=LINK) == len(LINK)
    assert count("\u0301", MASTODON, warning="e") == 1
    assert fits("a" * 493, MASTODON, warning="spoiler")
    assert not fits("a" * 494, MASTODON, warning="spoiler")


def test_a_server_may_give_links_another_price_and_texts_more_room() -> None:
    told = replace(MASTODON, maximum=1000, link=30)

    assert count(LINK, told) == 30
    assert fits("a" * 1000, told)


def test_gotosocial_counts_characters_with_links_and_mentions_as_written() -> None:
    limit = LIMITS["gotosocial"]

    assert count(LINK, limit) == len(LINK)
    assert count(f"@alice@example.org {FAMILY}", limit) == 19 + 7
    assert count("text", limit, warning="spoiler") == 11


@pytest.mark.parametrize(
    ("network", "number"), [("telegram", 11 + 2), ("threads", 25 + 4), ("twitter", 2 + 2), ("bluesky", 1 + 1)]
)
def test_a_warning_is_counted_in_the_networks_own_unit(network: str, number: int) -> None:
    assert count("🎉", LIMITS[network], warning=FAMILY) == number


# limits beyond the length


def test_instagram_takes_thirty_hashtags() -> None:
    tags = [f"#tag{n}" for n in range(31)]

    assert fits(" ".join(tags[:30]), LIMITS["instagram"])
    assert not fits(" ".join(tags), LIMITS["instagram"])
    assert not fits("".join(tags), LIMITS["instagram"]), "one may follow another at once"
    assert fits("# " * 31, LIMITS["instagram"])
    assert fits(" ".join(tags), LIMITS["facebook"])


# what is counted as it is sent


def test_linkedin_counts_what_it_is_sent() -> None:
    limit = LIMITS["linkedin"]

    assert count("a (b) #tag", limit) == len(r"a \(b\) #tag")
    assert fits("(" * 1500, limit)
    assert not fits("(" * 1501, limit)


def test_discord_and_slack_count_their_escapes_and_telegram_does_not() -> None:
    assert count("*a*", LIMITS["discord"]) == 5
    assert count("a & b", LIMITS["slack"]) == 9
    assert count("a & b", LIMITS["telegram"]) == 5


def test_a_limit_counts_by_the_rule_by_which_its_network_is_escaped() -> None:
    counted = {network: limit.escape for network, limit in LIMITS.items() if limit.escape}

    assert counted == {network: rule for network, rule in ESCAPES.items() if network not in {"telegram", "twitter"}}
    assert ESCAPES.keys() <= LIMITS.keys()


@given(WORDS, st.sampled_from(sorted(LIMITS)))
def test_counting_is_counting_the_escaped_text_unescaped(text: str, network: str) -> None:
    limit = LIMITS[network]
    plain = replace(limit, escape=Escape.NONE)

    assert count(text, limit) == count(escape(text, network) if limit.escape else text, plain)
    assert count(text, limit) <= 2 * len(text.encode()) + 23 * text.count(".")
    assert (count(text, limit) == 0) is (text == "")
