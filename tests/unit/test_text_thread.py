"""Long texts become threads whose parts fit, in order, with nothing lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.text.count import fits
from reverberate.text.fit import ELLIPSIS, Fit, Rigid
from reverberate.text.limits import LIMITS, Limit, Unit
from reverberate.text.thread import Flow, Threaded, thread

LINK = "https://blog.org/a-post"
PROSE = " ".join(f"This is sentence number {n}, and it says something." for n in range(40))


def limit(maximum: int) -> Limit:
    return Limit(unit=Unit.GRAPHEMES, maximum=maximum)


def make(text: str, room: int = 120, *, most: int = 25, numbering: str = "none", title: str = "A title") -> Threaded:
    return thread([Fit(text=title)], Flow(text=text, most=most), [Rigid(text=LINK)], limit(room), numbering=numbering)


def words(text: str) -> list[str]:
    return re.findall(r"\S+", text)


def test_what_fits_into_one_part_is_one_part_without_a_number() -> None:
    assert make("Short.", numbering="1/3").parts == (f"A title\n\nShort.\n\n{LINK}",)


def test_a_thread_is_split_at_paragraphs_where_they_fill_their_part() -> None:
    paragraph = "A paragraph of eighty characters or so, which fills its part of the thread well."
    made = make(f"{paragraph}\n\n{paragraph}\n\n{paragraph}", 120)

    assert made.parts == (f"A title\n\n{paragraph}", paragraph, f"{paragraph}\n\n{LINK}")


def test_else_at_sentences() -> None:
    for part in make(PROSE).parts[:-1]:
        assert part.endswith("something.")


def test_else_at_words_and_no_word_is_lost() -> None:
    text = "word " * 200
    made = make(text, 100)

    assert words(" ".join(made.parts)) == ["A", "title", *words(text), LINK]


def test_the_parts_are_numbered_and_the_numbers_count() -> None:
    made = make(PROSE, 100, numbering="1/3")

    assert made.fits
    assert [part.rsplit("\n", 1)[1] for part in made.parts] == [
        f"{n}/{len(made.parts)}" for n in range(1, len(made.parts) + 1)
    ]
    assert len(made.parts) > 9, "numbers of two digits"
    assert (
        make(PROSE, 400, numbering="(1/3)").parts[0].endswith(f"(1/{len(make(PROSE, 400, numbering='(1/3)').parts)})")
    )


def test_a_thread_that_may_not_be_longer_ends_with_an_ellipsis_and_the_link() -> None:
    made = make(PROSE, 120, most=3)

    assert len(made.parts) == 3
    assert made.parts[-1].endswith(f"{ELLIPSIS}\n\n{LINK}") or made.parts[-1].endswith(f".\n\n{LINK}")
    assert "shortened to fit the thread" in made.notes


def test_a_thread_of_one_part_is_a_text_that_is_cut() -> None:
    made = make(PROSE, 120, most=1)

    assert len(made.parts) == 1
    assert made.fits
    assert made.parts[0].endswith(LINK)


def test_a_long_title_is_shortened_and_a_link_is_never_cut() -> None:
    long = f"see https://blog.org/{'path/' * 15} and then go on. " * 3
    made = make(long, 100, title="title " * 50)

    assert made.fits
    assert sum(part.count(f"https://blog.org/{'path/' * 15}") for part in made.parts) == 3


@pytest.mark.parametrize("text", ["漢字" * 300, "ข้อความภาษาไทย" * 40, "👨‍👩‍👧‍👦" * 90, "مرحبا بالعالم " * 60])
def test_any_script_is_split_and_every_part_fits(text: str) -> None:
    made = thread([], Flow(text=text), [], LIMITS["twitter"])

    assert made.fits
    assert re.sub(r"\s", "", "".join(made.parts)) == re.sub(r"\s", "", text)


TEXTS = st.lists(
    st.sampled_from(["word", "a", "sentence.", "Ende!", "\n\n", "漢字漢字", "🎉", "#tag", LINK, "@me@a.org", "x" * 45]),
    max_size=200,
).map(" ".join)


@given(
    text=TEXTS, room=st.integers(60, 300), most=st.integers(1, 12), numbering=st.sampled_from(["none", "1/3", "(1/3)"])
)
def test_every_part_fits_whatever_the_text(text: str, room: int, most: int, numbering: str) -> None:
    bound = limit(room)
    made = thread([Fit(text="A title")], Flow(text=text, most=most), [Rigid(text=LINK)], bound, numbering=numbering)

    assert made.fits
    assert 1 <= len(made.parts) <= most
    assert all(fits(part, bound) and part.strip() for part in made.parts)
    assert LINK in made.parts[-1]
    if not any("shortened" in note or "left out" in note for note in made.notes):
        said = re.sub(r"\n\n\(?\d+/\d+\)?$", "", " ".join(made.parts)) if numbering == "none" else None
        assert said is None or re.sub(r"\s", "", said) == re.sub(r"\s", "", f"A title{text}{LINK}")
