"""Grapheme clusters, held against Unicode's own test file."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text import graphemes
from support.specs import folder, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

JOINED_BY_THE_LIBRARY = {
    "/ 094D / 0915 /": "a virama that follows nothing",
    "/ 094D + 0308 / 0915 /": "the same, with a mark between",
    "/ 0061 + 094D / 0924 /": "a virama after a Latin letter",
    "/ 003F + 094D / 0924 /": "a virama after a question mark",
}
"""What the module ``regex`` takes for one cluster and Unicode 17 for two. No text in any language has such; where one
does, it counts one too few."""


@cache
def lines() -> list[str]:
    """The lines of the file that are tests, without their comments, with ``/`` for a break and ``+`` for none."""
    text = folder("unicode", "GraphemeBreakTest.txt").read_text(encoding="utf-8")
    found = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [line.replace("\u00f7", "/").replace("\u00d7", "+") for line in found if line]


def entries(wanted: Callable[[str], bool]) -> list[str]:
    return [line for line in lines() if wanted(line)]


def clusters(line: str) -> list[str]:
    return ["".join(chr(int(code, 16)) for code in part.split("+")) for part in line.strip("/ ").split("/")]


@pytest.mark.specs
def test_the_file_holds_766_cases(record_property: Callable[[str, object], None]) -> None:
    record_property("cases", len(lines()))

    assert len(lines()) == 766
    assert set(lines()) >= JOINED_BY_THE_LIBRARY.keys()


@pytest.mark.specs
def test_a_text_is_split_where_unicode_says() -> None:
    expected = [clusters(line) for line in entries(lambda line: line not in JOINED_BY_THE_LIBRARY)]
    texts = ["".join(parts) for parts in expected]

    assert len(texts) == 762
    assert [graphemes.split(text) for text in texts] == expected
    assert [graphemes.count(text) for text in texts] == [len(parts) for parts in expected]


@pytest.mark.specs
@pytest.mark.parametrize("line", parameters(partial(entries, lambda line: line in JOINED_BY_THE_LIBRARY)))
def test_a_known_fault_of_the_library_is_still_there(line: str) -> None:
    expected = clusters(line)

    assert graphemes.count("".join(expected)) == len(expected) - 1, "it is mended: remove it from the list"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("\r\n", 1),
        ("👩‍👩‍👧‍👦👍🏽🇩🇪", 3),
        ("नमस्ते", 3),
        ("한국어", 3),
        ("\u1100\u1161\u11a8", 1),
    ],
)
def test_people_see_so_many_characters(text: str, number: int) -> None:
    assert graphemes.count(text) == number


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("ab漢あ가\r\n\u200d\u0301🇩👍🏽\u0915\u094d")))
def test_the_short_cut_for_simple_text_changes_nothing(text: str) -> None:
    assert graphemes.split(text) == regex.findall(r"\X", text)
    assert "".join(graphemes.split(text)) == text
    assert graphemes.count(text) == len(graphemes.split(text)) == len(graphemes.ends(text))
    assert graphemes.ends(text)[-1:] == ([len(text)] if text else [])
