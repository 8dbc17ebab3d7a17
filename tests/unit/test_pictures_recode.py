"""Pictures made into what networks take, whatever they were before."""

from __future__ import annotations

import json
import random
import struct
import zlib
from base64 import b64decode, b64encode
from dataclasses import asdict, replace
from functools import cache

import pytest
from PIL import Image, ImageCms, features

from reverberate.pictures import CARD_RULES, RULES, Format, PictureError, PictureRule
from reverberate.pictures.bare import is_bare
from reverberate.pictures.recode import job, recode
from support import drawings
from support.drawings import BLUE, GREEN, PLACE, RED, WHITE, camera_file, corners, opened, photograph, saved

ANY = RULES["memory"]
JPEG_ONLY = replace(ANY, formats=(Format.JPEG,), transparency=False)
STILL = replace(ANY, formats=(Format.JPEG, Format.PNG), transparency=False)
EVERY = [pytest.param(rule, id=name) for name, rule in RULES.items()] + [
    pytest.param(rule, id=f"{name}-card") for name, rule in CARD_RULES.items()
]


FILES = (
    camera_file(photograph(60, 40)),
    camera_file(photograph(60, 40), progressive=True),
    saved(corners(), "PNG", icc_profile=drawings.swapped_profile()),
    saved(corners().convert("P"), "PNG"),
    drawings.moving_gif(),
    saved(photograph(60, 40), "WEBP", exif=Image.Exif()),
    saved(corners(), "BMP"),
    saved(photograph(60, 40), "AVIF"),
    saved(corners(), "MPO", save_all=True, append_images=[drawings.plain()]),
)


def near(pixel: object, colour: tuple[int, ...], *, by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= by for one, other in zip(pixel, colour, strict=True))


def at(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place, told in shares of width and height."""
    pixel = picture.convert("RGB").getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


@cache
def blogs_file(kind: str, size: tuple[int, int]) -> bytes:
    return camera_file(photograph(*size, noise=15)) if kind == "jpeg" else saved(corners(*size), "PNG")


@pytest.mark.parametrize("rule", EVERY)
@pytest.mark.parametrize("size", [(1500, 900), (700, 1900), (2200, 300)], ids=str)
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_the_result_keeps_to_the_networks_rule(rule: PictureRule, size: tuple[int, int], kind: str) -> None:
    rule = replace(rule, max_bytes=min(rule.max_bytes, 150_000))
    made = recode(blogs_file(kind, size), rule)
    shown = opened(made.data)

    assert len(made.data) <= rule.max_bytes
    assert Format(made.mime.removeprefix("image/")) in rule.formats
    assert made.mime == Image.MIME[shown.format or ""]
    assert shown.size == (made.width, made.height)
    assert made.width <= rule.max_width
    assert made.height <= rule.max_height
    assert rule.widest is None or made.width <= rule.widest * made.height
    assert rule.tallest is None or made.width >= rule.tallest * made.height
    assert is_bare(made.data)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_whichever_way_the_camera_was_held_the_picture_is_upright(orientation: int) -> None:
    held = {
        1: lambda p: p,
        2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
        4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
        6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
        7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
        8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
    }[orientation](corners(320, 160))
    made = recode(camera_file(held, orientation=orientation, quality=95), replace(ANY, max_width=160))
    shown = opened(made.data)

    assert (made.width, made.height) == (160, 80)
    assert near(at(shown, 0.2, 0.2), RED)
    assert near(at(shown, 0.8, 0.2), GREEN)
    assert near(at(shown, 0.2, 0.8), BLUE)
    assert near(at(shown, 0.8, 0.8), WHITE)


def test_where_a_picture_was_taken_is_not_told() -> None:
    data = camera_file(photograph(200, 150))
    assert PLACE in data

    made = recode(data, ANY)

    assert PLACE not in made.data
    assert not opened(made.data).getexif()
    assert "comment" not in opened(made.data).info


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "AVIF"])
def test_metadata_of_other_formats_goes_too(form: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    options = {"comment": PLACE} if form == "GIF" else {"exif": exif}
    data = saved(corners(), form, **options)
    assert PLACE in data

    assert PLACE not in recode(data, ANY).data


def test_a_broken_exif_is_told_and_does_no_harm() -> None:
    data = saved(corners(), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\x00\x00")
    made = recode(data, ANY)

    assert (made.width, made.height) == (64, 48)
    assert is_bare(made.data)


def test_an_unreadable_exif_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Image.Image, "getexif", broken)

    assert recode(saved(corners(), "BMP"), ANY).notes == ("its EXIF data could not be read",)


def test_a_clean_file_that_fits_stays_as_it_is() -> None:
    for data in (saved(photograph(300, 200), "JPEG", quality=95), saved(corners(), "PNG")):
        made = recode(data, ANY)
        assert made.data == data
        assert made.notes == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_twice_is_as_once(form: str) -> None:
    once = recode(saved(photograph(300, 200), form), STILL)

    assert recode(once.data, STILL).data == once.data


def test_a_file_with_a_small_flaw_is_written_anew() -> None:
    data = saved(photograph(300, 200), "PNG")
    hurt = bytearray(data)
    hurt[len(data) // 2] ^= 0x01
    made = recode(bytes(hurt), ANY)

    assert made.data != hurt
    assert is_bare(made.data)


def test_a_clean_file_is_read_to_its_end_before_it_is_passed_on() -> None:
    whole = saved(photograph(300, 200), "PNG")
    at = whole.index(b"IDAT") - 4
    length = int.from_bytes(whole[at : at + 4], "big")
    short = whole[:at] + drawings.chunk(b"IDAT", whole[at + 8 : at + 8 + length // 2]) + drawings.chunk(b"IEND", b"")
    assert is_bare(short)

    with pytest.raises(PictureError, match="it is damaged"):
        recode(short, ANY)


def test_transparency_stays_where_the_network_shows_it() -> None:
    made = recode(saved(drawings.plain(colour=(*BLUE, 0)), "WEBP", lossless=True), ANY)

    assert made.mime == "image/png"
    assert opened(made.data).getpixel((5, 5))[3] == 0  # type: ignore[index]  # RGBA pixels are tuples


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_filled_where_the_network_does_not(mode: str) -> None:
    picture = drawings.plain(colour=(0, 0, 0, 0)).convert(mode)
    made = recode(saved(picture, "PNG"), STILL, background="#14c814")

    assert near(at(opened(made.data), 0.5, 0.5), GREEN)
    assert opened(made.data).mode == "RGB"
    assert made.notes == ("what is transparent was filled with #14c814",)


def test_transparency_by_a_single_colour_is_seen() -> None:
    data = saved(drawings.plain(colour=WHITE), "PNG", transparency=WHITE)

    assert near(at(opened(recode(data, STILL, background="#0000ff").data), 0.5, 0.5), (0, 0, 255))


def test_a_picture_without_a_see_through_pixel_is_opaque() -> None:
    made = recode(saved(corners().convert("RGBA"), "PNG"), replace(ANY, max_width=32))

    assert opened(made.data).mode == "RGB"
    assert at(opened(made.data), 0.2, 0.2) == RED


def test_transparency_too_heavy_for_png_becomes_webp() -> None:
    picture = photograph(600, 400)
    picture.putalpha(Image.linear_gradient("L").resize((600, 400)))
    made = recode(saved(picture, "PNG"), replace(ANY, max_bytes=90_000))

    assert made.mime == "image/webp"
    assert opened(made.data).mode == "RGBA"
    assert len(made.data) <= 90_000


def test_transparency_stays_even_if_the_picture_must_shrink_for_it() -> None:
    picture = photograph(600, 400)
    picture.putalpha(Image.linear_gradient("L").resize((600, 400)))
    rule = replace(ANY, formats=(Format.PNG,), max_bytes=90_000)
    made = recode(saved(picture, "PNG"), rule)

    assert opened(made.data).mode == "RGBA"
    assert len(made.data) <= 90_000
    assert made.width < 600


def test_bars_beside_a_transparent_picture_are_transparent() -> None:
    made = recode(saved(drawings.plain(400, 100, (*RED, 128)), "PNG"), replace(ANY, widest=2.0))

    assert (made.width, made.height) == (400, 200)
    assert opened(made.data).getpixel((5, 5)) == (0, 0, 0, 0)


def test_bars_beside_an_opaque_picture_have_the_background() -> None:
    made = recode(saved(drawings.plain(400, 1000), "PNG"), RULES["instagram"], background="#0000ff")
    shown = opened(made.data)

    assert (made.width, made.height) == (800, 1000)
    assert near(at(shown, 0.05, 0.5), (0, 0, 255))
    assert near(at(shown, 0.5, 0.5), RED)


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    made = recode(drawings.moving_gif(), ANY)

    assert near(at(opened(made.data), 0.5, 0.5), RED)
    assert made.notes == ("of a moving picture only the first frame was taken",)


def test_a_drawing_stays_sharp() -> None:
    made = recode(saved(corners(900, 600), "PNG", compress_level=0), ANY)

    assert made.mime == "image/png"
    assert at(opened(made.data), 0.2, 0.2) == RED


def test_a_photograph_in_a_drawings_format_becomes_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A scanner"
    made = recode(saved(photograph(1500, 1100), "PNG", exif=exif), replace(ANY, max_bytes=400_000))

    assert made.mime == "image/jpeg"
    assert len(made.data) <= 400_000


def test_a_network_without_jpeg_gets_a_png() -> None:
    assert recode(camera_file(corners()), replace(ANY, formats=(Format.PNG,))).mime == "image/png"


def test_a_network_with_nothing_but_webp_gets_that() -> None:
    made = recode(camera_file(photograph()), replace(ANY, formats=(Format.WEBP,), max_bytes=100_000))

    assert made.mime == "image/webp"
    assert len(made.data) <= 100_000


@pytest.mark.parametrize("most", [20_000, 60_000, 150_000, 240_000, 300_000])
def test_the_best_quality_that_fits_is_found(most: int) -> None:
    data = camera_file(photograph(1000, 750), quality=97)
    made = recode(data, replace(JPEG_ONLY, max_bytes=most))
    poorer = recode(data, replace(JPEG_ONLY, max_bytes=len(made.data) - 1))

    assert most * 0.6 < len(made.data) <= most
    assert len(poorer.data) < len(made.data)


def test_a_large_photograph_fits_into_a_million_bytes() -> None:
    data = camera_file(photograph(4000, 3000), quality=88)
    made = recode(data, CARD_RULES["bluesky"])
    whole = recode(data, replace(JPEG_ONLY, max_bytes=1_000_000))

    assert len(data) > 3_000_000
    assert (made.width, made.height) == (1200, 900)
    assert len(made.data) < 1_000_000
    assert 500_000 < len(whole.data) < 1_000_000


def test_what_was_made_smaller_says_so() -> None:
    assert recode(saved(corners(5000, 40), "PNG"), ANY).notes == ("made smaller: 4,096 by 32 pixels",)


def test_no_room_at_all_is_told() -> None:
    with pytest.raises(PictureError, match="it cannot be made to fit into 90 bytes"):
        recode(camera_file(corners()), replace(JPEG_ONLY, max_bytes=90))


def test_colours_are_turned_into_srgb() -> None:
    data = saved(drawings.plain(colour=(250, 10, 10)), "PNG", icc_profile=drawings.swapped_profile())
    made = recode(data, ANY)

    assert near(at(opened(made.data), 0.5, 0.5), (10, 10, 250), by=40)
    assert "icc_profile" not in opened(made.data).info


def test_colours_of_a_transparent_picture_are_turned_too() -> None:
    picture = drawings.plain(colour=(250, 10, 10, 100))
    made = recode(saved(picture, "PNG", icc_profile=drawings.swapped_profile()), ANY)
    pixel = opened(made.data).getpixel((5, 5))

    assert near(pixel, (10, 10, 250, 100), by=40)


def test_colours_that_are_srgb_already_stay() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = recode(saved(corners(), "PNG", icc_profile=profile), ANY)

    assert at(opened(made.data), 0.2, 0.2) == RED
    assert "icc_profile" not in opened(made.data).info


@pytest.mark.parametrize("profile", [b"no profile at all", drawings.swapped_profile()[:300]])
def test_a_broken_colour_profile_is_told(profile: bytes) -> None:
    made = recode(saved(corners(), "PNG", icc_profile=profile), ANY)

    assert made.notes == ("its colour profile could not be used",)
    assert at(opened(made.data), 0.2, 0.2) == RED


def test_a_printers_colours_become_a_screens() -> None:
    made = recode(saved(corners().convert("CMYK"), "JPEG", quality=95), ANY)

    assert opened(made.data).mode == "RGB"
    assert near(at(opened(made.data), 0.2, 0.2), RED, by=40)


def test_sixteen_bits_of_grey_become_eight() -> None:
    deep = Image.new("I;16", (40, 30), 0x8000)
    made = recode(saved(deep, "PNG"), ANY)

    assert near(at(opened(made.data), 0.5, 0.5), (128, 128, 128), by=2)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_few_colours_are_enough(mode: str) -> None:
    data = saved(corners(400, 300).convert(mode), "PNG")

    assert recode(data, ANY).data == data
    assert recode(data, replace(ANY, max_width=100)).width == 100


def test_a_grey_jpeg_stays_grey_and_is_made_smaller() -> None:
    made = recode(saved(corners(400, 300).convert("L"), "JPEG"), replace(ANY, max_width=100))

    assert (made.width, made.height) == (100, 75)


def test_two_pictures_in_one_file_as_telephones_make_them() -> None:
    data = saved(corners(), "MPO", save_all=True, append_images=[drawings.plain()])
    made = recode(data, ANY)

    assert made.mime == "image/jpeg"
    assert made.notes == ()
    assert is_bare(made.data)


def test_a_tiny_picture_is_not_enlarged_but_refused() -> None:
    with pytest.raises(PictureError, match=r"it is too small: 64 by 48 pixels, where 250 by 250 are needed"):
        recode(saved(corners(), "PNG"), RULES["google_business"])
    with pytest.raises(PictureError, match="it is too small"):
        recode(camera_file(corners()), RULES["google_business"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is no picture that can be read: it is empty"),
        (b"\n<!doctype html><title>404</title>", "it is no picture that can be read: it is a text or a web page"),
        (b'{"error": "gone"}', "it is a text or a web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "it is an SVG drawing"),
        (b"RIFF\x00\x00\x00\x00WAVE", "its format is unknown"),
        (saved(corners(), "TIFF"), "its format is unknown"),
        (saved(corners(), "ICO"), "its format is unknown"),
    ],
)
def test_what_is_no_picture_says_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        recode(data, ANY)


@pytest.mark.parametrize("size", [(50_000, 50_000), (9000, 9000), (12_000, 9000), (40_000_001, 1)], ids=str)
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="more than the 40 megapixels that are taken"):
        recode(drawings.claiming_png(*size), ANY)


def test_a_file_that_claims_more_than_it_holds_is_damaged() -> None:
    with pytest.raises(PictureError, match="it is damaged"):
        recode(drawings.claiming_png(6000, 6000), ANY)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_half_a_file_is_no_picture(form: str, share: float) -> None:
    data = saved(photograph(300, 200), form)

    with pytest.raises(PictureError, match=r"it is (damaged|no picture)"):
        recode(data[: int(len(data) * share)], ANY)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_wrong_with_a_file_it_is_used_or_refused(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret: the same every time
    for data in FILES:
        hurt = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            hurt[chance.randrange(min(len(hurt), chance.choice([60, 200, len(hurt)])))] = chance.randrange(256)
        try:
            made = recode(bytes(hurt), STILL)
        except PictureError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either of two is right, and which depends on chance
        else:
            assert is_bare(made.data)


def test_text_in_a_png_cannot_swell() -> None:
    swollen = drawings.chunk(b"zTXt", b"k\x00\x00" + zlib.compress(b"\0" * 80_000_000))
    data = saved(corners(), "PNG")
    data = data[:33] + swollen + data[33:]

    with pytest.raises(PictureError, match="it is damaged"):
        recode(data, ANY)


def test_a_header_of_nonsense_is_damaged() -> None:
    header = struct.pack(">IIBBBBB", 10, 10, 77, 99, 0, 0, 0)

    with pytest.raises(PictureError, match=r"it is (damaged|no picture)"):
        recode(b"\x89PNG\r\n\x1a\n" + drawings.chunk(b"IHDR", header) + drawings.chunk(b"IEND", b""), ANY)


def test_the_childs_entry_gives_what_can_travel() -> None:
    data = saved(corners(), "PNG")
    rule = asdict(ANY) | {"formats": ["jpeg", "png"]}
    told = json.loads(json.dumps(job({"data": b64encode(data).decode(), "rule": rule, "background": "#ffffff"})))

    assert b64decode(told.pop("data")) == data
    assert told == {"mime": "image/png", "width": 64, "height": 48, "notes": []}


def test_what_the_tests_rely_on_is_there() -> None:
    assert all(features.check(name) for name in ("jpg", "webp", "avif", "littlecms2", "freetype2"))
