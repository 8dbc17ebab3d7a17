"""What networks take: the table against the vendors' own words, and sizes that always keep to it."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import entry_points

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.pictures import CARD_RULES, RULES, Format, PictureRule
from reverberate.pictures.sizes import planned
from reverberate.text.limits import LIMITS
from support.specs import spec

EVERY = [pytest.param(rule, id=name) for name, rule in RULES.items()] + [
    pytest.param(rule, id=f"{name}-card") for name, rule in CARD_RULES.items()
]
sides = st.integers(min_value=1, max_value=20_000)


@pytest.mark.parametrize("rule", EVERY)
def test_a_rule_names_its_source_and_a_format_that_we_write(rule: PictureRule) -> None:
    assert rule.source
    assert {Format.JPEG, Format.PNG} & set(rule.formats)
    assert not rule.transparency or Format.PNG in rule.formats


@pytest.mark.parametrize("rule", EVERY)
@given(width=sides, height=sides)
def test_a_planned_size_keeps_to_the_rule(rule: PictureRule, width: int, height: int) -> None:
    plan = planned(width, height, rule)
    across, down = plan.canvas

    assert across <= rule.max_width
    assert down <= rule.max_height
    assert rule.max_pixels is None or across * down <= rule.max_pixels
    assert rule.max_sum is None or across + down <= rule.max_sum
    assert rule.widest is None or across <= rule.widest * down
    assert rule.tallest is None or across >= rule.tallest * down


@pytest.mark.parametrize("rule", EVERY)
@given(width=sides, height=sides)
def test_nothing_is_enlarged_and_nothing_is_cut(rule: PictureRule, width: int, height: int) -> None:
    plan = planned(width, height, rule)

    assert plan.picture[0] <= width
    assert plan.picture[1] <= height
    assert plan.canvas[0] >= plan.picture[0]
    assert plan.canvas[1] >= plan.picture[1]


@given(width=st.integers(50, 20_000), height=st.integers(50, 20_000))
def test_proportions_stay(width: int, height: int) -> None:
    across, down = planned(width, height, RULES["bluesky"]).picture

    assert abs(across - width * down / height) <= max(1, width / height)


def test_a_picture_that_fits_stays_as_large_as_it_is() -> None:
    for rule in RULES.values():
        assert planned(1080, 1080, rule).canvas == (1080, 1080)


def test_the_largest_size_is_used_to_the_pixel() -> None:
    assert planned(7300, 5470, RULES["twitter"]).picture == (4096, 3069)
    assert planned(4000, 3000, RULES["bluesky"]).picture == (2000, 1500)


def test_too_wide_and_too_tall_pictures_get_bars() -> None:
    wide, tall = planned(3000, 500, RULES["instagram"]), planned(500, 3000, RULES["instagram"])

    assert wide.picture == (1440, 240)
    assert wide.canvas == (1440, 754)
    assert tall.picture == (300, 1800)
    assert tall.canvas == (1440, 1800)


def test_shrinking_makes_it_smaller_still() -> None:
    assert planned(1000, 500, RULES["twitter"], shrink=0.5).canvas == (500, 250)


def test_a_rule_survives_json() -> None:
    for rule in RULES.values():
        told = asdict(rule) | {"formats": [str(form) for form in rule.formats]}
        assert PictureRule.revived(told) == rule


def test_every_network_of_ours_that_shows_pictures_has_a_rule() -> None:
    networks = {entry.name for entry in entry_points(group="reverberate.networks")} - {"googleplus"}

    assert networks & set(LIMITS) <= set(RULES)


def test_bluesky_takes_what_its_lexicons_say() -> None:
    images = spec("bluesky/lexicons/app/bsky/embed/images.json")["defs"]["image"]["properties"]["image"]
    thumb = spec("bluesky/lexicons/app/bsky/embed/external.json")["defs"]["external"]["properties"]["thumb"]

    assert RULES["bluesky"].max_bytes == images["maxSize"]
    assert CARD_RULES["bluesky"].max_bytes == thumb["maxSize"]


def test_descriptions_are_as_long_as_the_vendors_say() -> None:
    pin = spec("pinterest/openapi.json")["components"]["schemas"]["PinCreate"]["properties"]
    alt = spec("x/openapi.json")["components"]["schemas"]["CreateMediaMetadataMetadataAltText"]["properties"]

    assert RULES["pinterest"].max_alt == pin["alt_text"]["maxLength"]
    assert RULES["twitter"].max_alt == alt["text"]["maxLength"]


def test_telegram_takes_what_its_api_says() -> None:
    fields = {field["name"]: field for field in spec("telegram/api.json")["methods"]["sendPhoto"]["fields"]}
    words = fields["photo"]["description"]

    assert "at most 10 MB" in words
    assert RULES["telegram"].max_bytes == 10_000_000
    assert f"exceed {RULES['telegram'].max_sum} in total" in words
    assert f"ratio must be at most {RULES['telegram'].widest:g}" in words
