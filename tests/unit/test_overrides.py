"""What a post says about its own sharing is heeded, or told to be wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reverberate.errors import ReverberateError
from reverberate.overrides import Override, override


def said(account: str = "fedi", **table: object) -> Override:
    return override({"reverberate": table}, account)


@pytest.mark.parametrize("extra", [{}, {"reverberate": {}}, {"other": 1}])
def test_most_posts_say_nothing(extra: dict[str, object]) -> None:
    assert override(extra, "fedi") == Override()


def test_every_key_is_heeded() -> None:
    found = said(text="Words", skip=["page"], hashtags="open web, blogging", delay="1h30m", alt="A map")

    assert (found.text, found.skip, found.alt) == ("Words", False, "A map")
    assert found.hashtags == ("open web", "blogging")
    assert found.delay == timedelta(minutes=90)
    assert said("page", skip=["page"]).skip


def test_what_is_said_for_an_account_goes_before_what_is_said_for_all() -> None:
    table = {"text": "All", "skip": True, "alt": "A map", "accounts": {"fedi": {"text": "Own", "skip": False}}}

    assert (said(**table).text, said(**table).skip, said(**table).alt) == ("Own", False, "A map")
    assert (said("page", **table).text, said("page", **table).skip) == ("All", True)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"texxt": "x"}, "unknown key 'texxt'"),
        ({"delay": "soon"}, "reverberate.delay"),
        ({"delay": 5}, "reverberate.delay"),
        ({"hashtags": [1]}, "reverberate.hashtags"),
        ({"text": ""}, "reverberate.text"),
        ({"alt": 3}, "reverberate.alt"),
        ({"accounts": []}, "reverberate.accounts is no mapping"),
        ({"accounts": {"fedi": {"accounts": {}}}}, "reverberate.accounts.fedi has an unknown key"),
        ({"accounts": {"fedi": {"delay": "x"}}}, "reverberate.accounts.fedi.delay"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(table: dict[str, object], words: str) -> None:
    with pytest.raises(ReverberateError, match=words):
        said(**table)


def test_a_text_in_the_place_of_the_mapping_is_told() -> None:
    with pytest.raises(ReverberateError, match="reverberate is no mapping"):
        override({"reverberate": "skip"}, "fedi")


def test_an_accounts_own_name_is_a_shorter_way() -> None:
    extra = {"reverberate": {"fedi": "Own words", "page": {"skip": True}, "text": "All"}}

    assert override(extra, "fedi", accounts=["fedi", "page"]).text == "Own words"
    assert override(extra, "page", accounts=["fedi", "page"]).skip
    assert override(extra, "sky", accounts=["fedi", "page", "sky"]).text == "All"
    with pytest.raises(ReverberateError, match="unknown key 'page'"):
        override(extra, "fedi", accounts=["fedi"])
