"""Links, mentions and tags where Bluesky's own client finds them, in UTF-8 bytes."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text.facets import Facet, detect
from support.specs import folder, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {"segments": 40, "tags": 39, "cashtags": 18}


@cache
def known() -> dict[str, list[dict[str, Any]]]:
    """The client's cases."""
    found = json.loads(folder("bluesky", "rich_text_detection_cases.json").read_text(encoding="utf-8"))
    return {kind: found[kind] for kind in KINDS}


def entries(*kinds: str) -> list[Any]:
    return [pytest.param(case, id=f"{kind}: {case['text']!a:.60}") for kind in kinds for case in known()[kind]]


def segments(text: str) -> list[list[str]]:
    """The text cut at its facets, as the client's cases write it."""
    data, place, found = text.encode(), 0, []
    for facet in detect(text):
        if facet.start > place:
            found.append([data[place : facet.start].decode()])
        value = f"did:fake:{facet.value}" if facet.kind == "mention" else facet.value
        found.append([data[facet.start : facet.end].decode(), value])
        place = facet.end
    return [*found, [data[place:].decode()]] if data[place:] or not found else found


@pytest.mark.specs
def test_the_file_holds_97_cases(record_property: Callable[[str, object], None]) -> None:
    record_property("cases", sum(map(len, known().values())))

    assert {kind: len(cases) for kind, cases in known().items()} == KINDS
    assert sum(KINDS.values()) == 97


@pytest.mark.specs
@pytest.mark.parametrize("case", parameters(partial(entries, "segments")))
def test_mentions_and_links_are_cut_out_as_the_client_does(case: dict[str, Any]) -> None:
    assert segments(case["text"]) == case["segments"]


@pytest.mark.specs
@pytest.mark.parametrize("case", parameters(partial(entries, "tags", "cashtags")))
def test_tags_have_the_clients_names_and_byte_ranges(case: dict[str, Any]) -> None:
    tags = [facet for facet in detect(case["text"]) if facet.kind == "tag"]

    assert [facet.value for facet in tags] == case["tags"]
    assert [{"byteStart": facet.start, "byteEnd": facet.end} for facet in tags] == case["index"]


def test_a_range_is_counted_in_bytes() -> None:
    text = "日本 👩‍👩‍👧 https://a.example.org/é #ü @alice.example.com"

    found = {facet.kind: text.encode()[facet.start : facet.end].decode() for facet in detect(text)}

    assert found == {"link": "https://a.example.org/é", "tag": "#ü", "mention": "@alice.example.com"}
    assert detect("é a.dev")[0] == Facet(start=3, end=8, kind="link", value="https://a.dev")


@pytest.mark.parametrize(
    "text", ["notes.unknowntld", "@alice", "@alice.unknowntld", "#", "#123", "#" + "a" * 65, "$TOOLONG", ""]
)
def test_what_is_none(text: str) -> None:
    assert detect(text) == ()


def test_a_facet_inside_another_is_none() -> None:
    assert [facet.value for facet in detect("#x($A b $B")] == ["x($A", "$B"]


@given(st.text(alphabet="ab.@#$( )é漢👍/:\n1com"))
def test_facets_are_in_order_apart_and_within_the_text(text: str) -> None:
    facets = detect(text)
    edges = [edge for facet in facets for edge in (facet.start, facet.end)]

    assert edges == sorted(edges)
    assert all(facet.start < facet.end <= len(text.encode()) for facet in facets)
    for facet in facets:
        assert text.encode()[facet.start : facet.end].decode()
