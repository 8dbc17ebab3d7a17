"""The longest text that fits, and nothing cut that must stay whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverberate.text import graphemes
from reverberate.text.count import fits
from reverberate.text.fit import ELLIPSIS, Drop, Fit, Rigid, fit, shortened, tidy
from reverberate.text.limits import LIMITS, Limit, Unit

LINK = "https://blog.org/2026/a-post"
WORDS = st.text(alphabet="abcdefgh äöé🎉漢ก", min_size=0, max_size=400)


def limit(maximum: int) -> Limit:
    return Limit(unit=Unit.GRAPHEMES, maximum=maximum)


def test_what_fits_stays_as_it_is() -> None:
    fitted = fit([Rigid(text="Title: "), Fit(text="a summary"), Rigid(text=f"\n{LINK}")], limit(100))

    assert (fitted.text, fitted.fits, fitted.notes) == (f"Title: a summary\n{LINK}", True, ())


def test_a_text_is_cut_at_a_word_and_uses_all_the_room() -> None:
    pieces = [Fit(text="one two three four five"), Rigid(text=f"\n{LINK}")]
    room = len(f"one two three…\n{LINK}")

    assert fit(pieces, limit(room)).text == f"one two three…\n{LINK}"
    assert fit(pieces, limit(room - 1)).text == f"one two…\n{LINK}"
    assert fit(pieces, limit(room)).notes == ("shortened to fit: one two three four five",)


def test_a_cut_at_the_end_of_a_sentence_needs_no_ellipsis() -> None:
    assert fit([Fit(text="It ends. It goes on and on")], limit(9)).text == "It ends."


def test_punctuation_before_the_ellipsis_goes() -> None:
    assert fit([Fit(text="red, green, blue and all the rest")], limit(12)).text == "red, green…"


def test_an_ellipsis_never_becomes_a_part_of_an_address() -> None:
    text = "read https://blog.example/a and more of it"

    assert fit([Fit(text=text)], limit(29)).text == "read https://blog.example/a …"
    assert fit([Fit(text="it is at example.org and elsewhere")], limit(24)).text == "it is at example.org …"


def test_the_lower_priority_gives_way_first() -> None:
    pieces = [Fit(text="A title of some words", priority=2), Rigid(text="\n"), Fit(text="a summary that is long")]

    assert fit(pieces, limit(32)).text == "A title of some words\na summary…"
    assert fit(pieces, limit(10)).text == "A title…"


def test_items_leave_from_the_end_after_the_text_and_what_room_they_leave_is_used() -> None:
    pieces = [Fit(text="word " * 9), Rigid(text="\n"), Drop(items=("#one", "#two", "#three"))]

    assert fit(pieces, limit(30)).text == "word word…\n#one #two #three"
    assert fit(pieces, limit(16)).text == "#one #two #three"
    assert fit(pieces, limit(15)).text == "word…\n#one #two"


def test_a_least_length_is_kept_before_anything_else_gives_way() -> None:
    pieces = [Fit(text="word " * 9, least=9), Rigid(text="\n"), Drop(items=("#one", "#two", "#three"))]

    assert fit(pieces, limit(20)).text == "word word…\n#one #two"


def test_nothing_orphaned_remains_where_a_piece_left() -> None:
    pieces = [
        Rigid(text="Title: "),
        Fit(text="a summary"),
        Rigid(text="\n\n"),
        Drop(items=("#a",)),
        Rigid(text="\n\n" + LINK),
    ]

    assert fit(pieces, limit(len(f"Title\n\n{LINK}"))).text == f"Title\n\n{LINK}"


def test_a_rigid_part_that_does_not_fit_is_told() -> None:
    assert not fit([Rigid(text="too long"), Fit(text="x")], limit(5)).fits


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("春眠不覚暁処処聞啼鳥夜来風雨声花落知多少", 6, "春眠不覚暁…"),
        ("สวัสดีชาวโลกและยินดีต้อนรับสู่บล็อก", 8, "สวัสดีชาว…"),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 3, "👨‍👩‍👧‍👦👨‍👩‍👧‍👦…"),
        ("مرحبا بالعالم من مدونتي الصغيرة", 15, "مرحبا بالعالم…"),
        ("x" * 60, 11, "x" * 10 + ELLIPSIS),
    ],
)
def test_text_without_spaces_is_cut_at_a_grapheme(text: str, room: int, cut: str) -> None:
    assert fit([Fit(text=text)], limit(room)).text == cut


@pytest.mark.parametrize("token", [LINK, "#AVeryLongHashtagThatIsOneWord", "@someone@a.very.long.instance.example"])
def test_a_link_a_hashtag_and_a_mention_are_never_cut(token: str) -> None:
    text = f"see {token} and more of it"
    for room in range(1, len(text)):
        fitted = fit([Fit(text=text)], limit(room)).text

        assert token in fitted or not re.search(r"[@#/]", fitted)


def test_shortened_cuts_as_fit_does() -> None:
    assert shortened("one two three", 8) == "one two…"
    assert shortened("one", 8) == "one"
    assert shortened("one two", 2) == ""


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\n\n\n\nb", "a\n\nb"),
        ("a  b", "a b"),
        ("a \nb ", "a\nb"),
        ("a\n\x00\nb", "a\nb"),
        ("a: \x00", "a"),
        ("  ", ""),
    ],
)
def test_tidying(text: str, clean: str) -> None:
    assert tidy(text) == clean


@settings(deadline=None)
@given(
    title=WORDS,
    summary=WORDS,
    tags=st.lists(st.sampled_from(["#One", "#Two", "#Drei"]), max_size=3),
    room=st.integers(40, 300),
)
def test_whatever_the_text_the_result_fits_and_the_link_is_whole(
    title: str, summary: str, tags: list[str], room: int
) -> None:
    pieces = [
        Fit(text=title, priority=2),
        Rigid(text="\n\n"),
        Fit(text=summary),
        Rigid(text="\n\n"),
        Drop(items=tuple(tags)),
        Rigid(text=f"\n{LINK}"),
    ]
    fitted = fit(pieces, limit(room))

    assert fitted.fits
    assert graphemes.count(fitted.text) <= room
    assert fitted.text.endswith(LINK)
    assert "\x00" not in fitted.text
    assert "\n\n\n" not in fitted.text
    again = fit([Fit(text=fitted.text.removesuffix(LINK).rstrip(), priority=2), Rigid(text=f"\n{LINK}")], limit(room))
    assert graphemes.count(again.text) <= room


@settings(deadline=None)
@given(
    words=st.lists(st.text(alphabet="abcdef", min_size=1, max_size=9), min_size=1, max_size=60),
    network=st.sampled_from(sorted(LIMITS)),
)
def test_one_more_word_would_not_fit(words: list[str], network: str) -> None:
    whole = " ".join(words * 40)
    bound = LIMITS[network]
    fitted = fit([Fit(text=whole), Rigid(text=f"\n{LINK}")], bound)
    kept = fitted.text.removesuffix(f"\n{LINK}")
    if kept == whole:
        return
    count = len(kept.removesuffix(ELLIPSIS).split())
    longer = " ".join((words * 40)[: count + 1])

    assert fits(fitted.text, bound)
    assert not fits(f"{longer}{ELLIPSIS}\n{LINK}", bound)
