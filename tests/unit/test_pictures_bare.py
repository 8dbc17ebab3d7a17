"""Which files hold a picture and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reverberate.pictures.bare import is_bare
from support.drawings import camera_file, chunk, corners, photograph, saved

JPEG, PNG = saved(corners(), "JPEG"), saved(corners(), "PNG")


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 2}, {"quality": 100}], ids=str
)
def test_a_jpeg_of_picture_data_alone_is_bare(options: dict[str, Any]) -> None:
    assert is_bare(saved(photograph(200, 150), "JPEG", **options))


def test_jpegs_in_grey_and_for_printers_are_bare() -> None:
    assert is_bare(saved(corners().convert("L"), "JPEG"))
    assert is_bare(saved(corners().convert("CMYK"), "JPEG"))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_a_png_of_picture_data_alone_is_bare(mode: str) -> None:
    assert is_bare(saved(corners().convert(mode), "PNG", dpi=(72, 72)))


def test_a_cameras_notes_are_seen() -> None:
    assert not is_bare(camera_file(corners()))
    assert not is_bare(camera_file(corners(), progressive=True))


@pytest.mark.parametrize(
    "options", [{"comment": b"x"}, {"icc_profile": b"x"}, {"xmp": b"x"}, {"exif": b"Exif\0\0"}], ids=str
)
def test_each_kind_of_metadata_of_a_jpeg_is_seen(options: dict[str, Any]) -> None:
    assert not is_bare(saved(corners(), "JPEG", **options))


def test_a_thumbnail_in_a_jfif_header_is_seen() -> None:
    assert not is_bare(JPEG[:2] + b"\xff\xe0\x00\x13JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc" + JPEG[20:])


def test_metadata_between_two_scans_is_seen() -> None:
    data = saved(photograph(100, 80), "JPEG", progressive=True)
    second = data.rindex(b"\xff\xda")
    assert data.count(b"\xff\xda") > 1

    assert not is_bare(data[:second] + b"\xff\xfe\x00\x04hi" + data[second:])


def test_text_in_a_png_is_seen() -> None:
    text = PngInfo()
    text.add_text("Author", "Ada")
    exif = Image.Exif()
    exif[0x010F] = "x"

    assert not is_bare(saved(corners(), "PNG", pnginfo=text))
    assert not is_bare(saved(corners(), "PNG", exif=exif))
    assert not is_bare(PNG[:33] + chunk(b"gAMA", b"\0\0\0\1") + PNG[33:])


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["jpeg", "png"])
def test_bytes_behind_the_end_are_seen(data: bytes) -> None:
    assert not is_bare(data + b"and more")


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["jpeg", "png"])
def test_half_a_file_is_not_bare(data: bytes) -> None:
    assert not any(is_bare(data[:end]) for end in range(len(data)))


@pytest.mark.parametrize("form", ["WEBP", "GIF", "BMP", "AVIF"])
def test_of_other_formats_nothing_is_known(form: str) -> None:
    assert not is_bare(saved(corners(), form))


@given(st.sampled_from([JPEG[:2], PNG[:8], JPEG[:40], PNG[:33], b""]), st.binary(max_size=200))
def test_no_bytes_break_it_or_keep_it_busy(beginning: bytes, rest: bytes) -> None:
    assert is_bare(beginning + rest) in {True, False}
