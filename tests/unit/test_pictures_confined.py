"""Pictures and cards are made in a child with limits, and the worker never loads the library for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from reverberate import confined, pictures
from reverberate.pictures import RULES, PictureError, drawn, prepare
from support import drawings
from support.drawings import camera_file, corners, opened, photograph, saved

RULE = replace(RULES["memory"], max_alt=20)


def test_a_picture_comes_back_as_recode_makes_it() -> None:
    made = prepare(camera_file(photograph(2000, 1000)), replace(RULE, max_width=500), alt=" A  heron ")

    assert opened(made.data).size == (made.width, made.height) == (500, 250)
    assert made.mime == "image/jpeg"
    assert made.alt == "A heron"
    assert made.notes == ("made smaller: 500 by 250 pixels",)


def test_the_background_goes_along() -> None:
    data = saved(drawings.plain(colour=(0, 0, 0, 0)), "PNG")
    made = prepare(data, replace(RULE, transparency=False), background="#00ff00")

    assert opened(made.data).convert("RGB").getpixel((5, 5)) == (0, 255, 0)


def test_a_background_that_is_no_colour_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        prepare(b"", RULE, background="green")


def test_a_long_description_is_shortened_at_a_word() -> None:
    made = prepare(saved(corners(), "PNG"), RULE, alt="A heron stands in shallow water")

    assert made.alt == "A heron stands in…"
    assert made.notes == ("its description was shortened to 18 of 31 characters",)


def test_where_there_is_no_place_for_a_description_it_is_told() -> None:
    made = prepare(saved(corners(), "PNG"), replace(RULE, max_alt=0), alt="A heron")

    assert made.alt == ""
    assert made.notes == ("the network has no place for its description",)
    assert prepare(saved(corners(), "PNG"), replace(RULE, max_alt=0)).notes == ()


def test_a_description_without_limit_stays() -> None:
    assert prepare(saved(corners(), "PNG"), replace(RULE, max_alt=None), alt="x" * 9000).alt == "x" * 9000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>gone</html>", "it is no picture that can be read: it is a text or a web page"),
        (drawings.claiming_png(50_000, 50_000), "it has more than the 40 megapixels that are taken"),
        (saved(photograph(100, 80), "JPEG")[:2000], "it is damaged: "),
    ],
)
def test_what_is_wrong_comes_back_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(PictureError) as caught:
        prepare(data, RULE)

    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_long_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(confined, "run")

    with pytest.raises(PictureError, match="it is longer than 20 MB"):
        prepare(bytes(20_000_001), RULE)


def test_a_picture_that_asks_for_too_much_memory_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MEGABYTES", 16)

    with pytest.raises(PictureError, match="it asks for too much: it needed more than 16 MB"):
        prepare(saved(drawings.plain(5000, 5000), "PNG"), RULE)


def test_a_picture_that_asks_for_too_much_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(saved(corners(), "PNG"), RULE)
    monkeypatch.setattr(pictures, "SECONDS", 0.02)

    with pytest.raises(PictureError, match=r"it asks for too much: it took longer than 0\.02 s"):
        prepare(saved(drawings.plain(6000, 5000, (1, 2, 3, 4)), "PNG"), RULE)


def test_a_decoder_that_fails_in_a_new_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise confined.JobError("IndexError", "list index out of range")

    monkeypatch.setattr(confined, "run", broken)

    with pytest.raises(PictureError, match="it cannot be read: IndexError: list index out of range"):
        prepare(b"x", RULE)


def test_a_card_comes_back_and_fits_as_it_is() -> None:
    card = drawn("A title", "A blog")

    assert opened(card).size == (1200, 630)
    assert prepare(card, RULES["bluesky"]).data == card


def test_a_card_for_a_network_that_takes_only_jpeg() -> None:
    made = prepare(drawn("A title", "A blog"), RULES["instagram"])

    assert (made.mime, made.width, made.height) == ("image/jpeg", 1200, 630)


def test_a_card_that_cannot_be_drawn_says_why() -> None:
    with pytest.raises(PictureError, match="no font here can draw the title"):
        drawn("")


def test_the_worker_does_not_load_the_library() -> None:
    code = "import reverberate.pictures, sys; sys.exit(any(name.split('.')[0] == 'PIL' for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
