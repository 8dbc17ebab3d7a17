"""Counting and finding links as X does: twitter-text's own conformance cases, and what came after them."""

from __future__ import annotations

import json
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unicodedata import is_normalized

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text import tlds
from reverberate.text.count import count, fits
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS
from reverberate.text.links import x_links
from support.specs import folder, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

X = LIMITS["twitter"]
WEIGHTED = {
    "WeightedTweetsCounterTest": 20,
    "WeightedTweetsWithDiscountedEmojiCounterTest": 22,
    "UnicodeDirectionalMarkerCounterTest": 2,
}
LINKS = {"urls": 91, "tco_urls_with_params": 5}
PLACED = {"urls_with_indices": 10, "urls_with_directional_markers": 2}
TLDS = {"country": 315, "generic": 1259}
NUMBERS = {"validate.yml": WEIGHTED, "extract.yml": LINKS | PLACED, "tlds.yml": TLDS}
BEFORE_EMOJI_COUNTED_AS_ONE = {
    "Count a mix of single byte single word, and double word unicode characters",
    "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
}
"""Two cases of configuration v2, which weighs each character of an emoji by itself."""


@cache
def groups(name: str) -> dict[str, list[dict[str, Any]]]:
    """One file of conformance cases."""
    text = folder("twitter-text", name).read_text(encoding="utf-8")
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["tests"]  # type: ignore[no-any-return]  # noqa: S506 - safe loaders, both


def entries(name: str, *wanted: str) -> list[Any]:
    """Every entry of some groups, named by its description."""
    found = groups(name)
    return [pytest.param(entry, id=f"{group}: {entry['description']}") for group in wanted for entry in found[group]]


def cases(name: str, *wanted: str) -> Any:
    return pytest.mark.parametrize("case", parameters(partial(entries, name, *wanted)))


def linked(text: str) -> list[str]:
    return [text[start:end] for start, end in x_links(text)]


@pytest.mark.specs
def test_the_files_hold_44_weighted_108_link_and_1574_domain_cases(
    record_property: Callable[[str, object], None],
) -> None:
    found = {name: sum(len(groups(name)[group]) for group in numbers) for name, numbers in NUMBERS.items()}
    record_property("cases", found)

    assert found == {"validate.yml": 44, "extract.yml": 108, "tlds.yml": 1574}
    for name, numbers in NUMBERS.items():
        assert {group: len(groups(name)[group]) for group in numbers} == numbers


@pytest.mark.specs
@cases("validate.yml", *WEIGHTED)
def test_a_text_weighs_what_x_says(case: dict[str, Any]) -> None:
    text, expected = case["text"], case["expected"]
    one_by_one = expected["weightedLength"] != count(text, X) and case["description"] in BEFORE_EMOJI_COUNTED_AS_ONE
    weight = sum(count(character, X) for character in text) if one_by_one else count(text, X)

    assert weight == expected["weightedLength"]
    assert weight * 1000 // X.maximum == expected["permillage"]
    assert (fits(text, X) and escape(text, "twitter") == text) == expected["valid"]


@pytest.mark.specs
@cases("extract.yml", *LINKS)
def test_links_are_found_where_x_finds_them(case: dict[str, Any]) -> None:
    assert linked(case["text"]) == case["expected"]


@pytest.mark.specs
@cases("extract.yml", *PLACED)
def test_links_stand_at_the_very_places(case: dict[str, Any]) -> None:
    text = case["text"]
    found = [{"url": text[start:end], "indices": [start, end]} for start, end in x_links(text)]

    assert found == case["expected"]


@pytest.mark.specs
@pytest.mark.parametrize("group", TLDS)
def test_every_top_level_domain_makes_a_link(group: str) -> None:
    found = groups("tlds.yml")[group]

    assert [linked(case["text"]) for case in found] == [case["expected"] for case in found]


@pytest.mark.specs
def test_no_top_level_domain_of_x_is_missing() -> None:
    names = yaml.safe_load(folder("twitter-text", "tld_lib.yml").read_text(encoding="utf-8"))

    assert {name.lower() for group in TLDS for name in names[group]} <= tlds.KNOWN


@pytest.mark.specs
def test_the_limit_is_that_of_the_configuration() -> None:
    config = json.loads(folder("twitter-text", "config-v3.json").read_text(encoding="utf-8"))
    ranges = [range(part["start"], part["end"] + 1) for part in config["ranges"]]
    assert all(part["weight"] == config["scale"] for part in config["ranges"])
    assert config["defaultWeight"] == 2 * config["scale"]

    assert (X.maximum, X.link) == (config["maxWeightedTweetLength"], config["transformedURLLength"])
    for point in [*range(0xD800), *range(0xE000, 0x30000, 7)]:
        if is_normalized("NFC", chr(point)):
            weight = 1 if any(point in part for part in ranges) else 2
            assert count(chr(point), X) == weight, hex(point)


@pytest.mark.parametrize(
    "emoji",
    [
        pytest.param("\U0001fae8", id="15.0 shaking face"),
        pytest.param("\U0001fa77", id="15.0 pink heart"),
        pytest.param("\U0001faf7\U0001f3fd", id="15.0 leftwards pushing hand, skin tone"),
        pytest.param("\U0001f426\u200d\u2b1b", id="15.0 black bird"),
        pytest.param("\U0001f642\u200d\u2195\ufe0f", id="15.1 head shaking vertically"),
        pytest.param("\U0001f426\u200d\U0001f525", id="15.1 phoenix"),
        pytest.param("\U0001f34b\u200d\U0001f7e9", id="15.1 lime"),
        pytest.param("\u26d3\ufe0f\u200d\U0001f4a5", id="15.1 broken chain"),
        pytest.param("\U0001f9d1\u200d\U0001f9d1\u200d\U0001f9d2\u200d\U0001f9d2", id="15.1 family"),
        pytest.param("\U0001f3c3\U0001f3ff\u200d\u2640\ufe0f\u200d\u27a1\ufe0f", id="15.1 woman running right"),
        pytest.param("\U0001fae9", id="16.0 face with bags under eyes"),
        pytest.param("\U0001fac6", id="16.0 fingerprint"),
        pytest.param("\U0001f1e8\U0001f1f6", id="16.0 flag of Sark"),
        pytest.param("\U0001faea", id="17.0 distorted face"),
        pytest.param("\U0001fac8", id="17.0 hairy creature"),
        pytest.param("\U0001fa8e", id="17.0 treasure chest"),
        pytest.param("\U0001f9d1\U0001f3fb\u200d\U0001fa70\u200d", id="17.0 ballet dancer, cut short"),
        pytest.param("\U0001f9d1\U0001f3fb\u200d\U0001fa70", id="17.0 ballet dancer, skin tone"),
    ],
)
def test_an_emoji_of_the_last_years_weighs_two(emoji: str) -> None:
    whole = emoji.removesuffix("\u200d")

    assert count(whole, X) == 2
    assert count(f"a{whole}{whole}b", X) == 6
    assert count(emoji, X) == 2 + len(emoji) - len(whole), "what joins nothing weighs one"


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("©", 1),
        ("©\ufe0f", 2),
        ("™", 2),
        ("1\ufe0f\u20e3", 2),
        ("12", 2),
        ("🎉\ufe0f", 4),  # it is an emoji without the selector, which then weighs two of its own
        ("🎉🏽", 4),  # takes no skin tone
        ("🇩🇪🇫🇷", 4),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("e\u0301", 1),
        ("漢字", 4),
        ("“…”—", 5),
    ],
)
def test_what_weighs_how_much(text: str, weight: int) -> None:
    assert count(text, X) == weight


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see README.md, a.py and notes.txt", ["README.md", "a.py"]),
        ("example.com:8080", ["example.com"]),
        ("example.com:8080/a?b=c", ["example.com:8080/a?b=c"]),
        ("example.com?from=other.org", ["example.com"]),
        ("日本語.example.com", ["example.com"]),
        ("日本語です。example.com/a", ["example.com/a"]),
        ("/example.com -example.com _example.com", []),
        ("éa.com", ["a.com"]),
        ("é.com", ["é.com"]),
        ("http://-/https://a.com", ["https://a.com"]),
        ("日本http://a.com", ["http://a.com"]),
        ("a..b.com", []),
        ("a.com.b日本.みんな", ["a.com"]),
        ("ab.日本.みんな ab.日本.みんな/x", []),
        ("日-.本.com x.日_.com/y", []),
        ("https://t.co/" + "a" * 41, []),
        ("https://t.co/" + "a" * 40, ["https://t.co/" + "a" * 40]),
        ("https://a.com/" + "a" * 4082, ["https://a.com/" + "a" * 4082]),
        ("https://a.com/" + "a" * 4083, []),
        ("http://" + "é" * 60 + ".com", []),
        ("http://xn--é.com", []),
        ("a\nb.com\nc", ["b.com"]),
        ("no. dots. inside.", []),
    ],
)
def test_a_bare_domain_is_a_link_and_what_is_near_one_is_none(text: str, links: list[str]) -> None:
    assert linked(text) == links


@given(st.text(alphabet="ab.日é-_/:?#@ \n('\"", max_size=60))
def test_links_are_in_order_apart_and_never_hold_a_space(text: str) -> None:
    spans = x_links(text)

    assert all(one.end < other.start for one, other in pairwise(spans))
    assert not any(set(text[start:end]) & {" ", "\n"} for start, end in spans)
