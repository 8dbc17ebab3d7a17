"""A secret is masked however it is spelled: in addresses, JSON, HTML, Python's own words, base64, and those in each other."""

from __future__ import annotations

import base64
import html
import json
import string
import time
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.http import Session
from reverberate.masks import veil

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = (
    "cn960b6361bcc1/+&\"<%>'= cnbf035a12dbf9",
    "abcd efgh ijkl mnop qrst uvwx",
    "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "back\\slash-and-more",
    "pässwörter-sind-lang",
    "YWJjZGVmZ2hpamtsbW5vcA==",
    "correct.horse.battery",
)
SPELLERS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "quoted": quote,
    "quoted whole": lambda text: quote(text, safe=""),
    "quoted in small letters": lambda text: quote(text, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
    "as a form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in Unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "PHP's JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "Go's JSON": lambda text: (
        json.dumps(text)[1:-1].replace("<", "\\u003c").replace(">", "\\u003E").replace("&", "\\u0026")
    ),
    "HTML": html.escape,
    "HTML by numbers": lambda text: "".join(
        one if one.isascii() and one.isalnum() else f"&#{ord(one)};" for one in text
    ),
    "Python": repr,
}


def masked(secret: str, text: str) -> str:
    return veil(secret).over(text)


def runs(secret: str) -> list[str]:
    return [
        run
        for run in "".join(one if one.isascii() and one.isalnum() else " " for one in secret).split()
        if len(run) > 3
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_spellings_within_each_other_are_masked(secret: str) -> None:
    for first, second in product(SPELLERS, repeat=2):
        veiled = masked(secret, SPELLERS[second](SPELLERS[first](f"it is {secret}, said the server")))

        assert [run for run in runs(secret) if run in veiled] == [], (first, second)
        assert "***" in veiled, (first, second)


@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "ab", "anna:", "Bearer "])
@pytest.mark.parametrize("secret", SECRETS)
def test_base64_of_a_text_that_holds_it_is_masked(secret: str, before: str, code: Callable[[bytes], bytes]) -> None:
    veiled = masked(secret, code(f"{before}{secret} and more".encode()).decode())

    assert "***" in veiled
    left = [
        base64.urlsafe_b64decode(part.replace("+", "-").replace("/", "_") + "=" * (-len(part) % 4))
        for part in veiled.split("***")
        if len(part) % 4 != 1
    ]
    assert [run for run in runs(secret) for part in left if len(run) > 6 and run.encode() in part] == []


RUNS = st.text(string.ascii_letters + string.digits, min_size=4, max_size=20)


MIDDLE = st.text(st.characters(exclude_categories=("C",)), max_size=12)
"""No secret holds a control character, whose escape would be a run of zeros."""


@given(RUNS, MIDDLE, RUNS, st.sampled_from(sorted(SPELLERS)), st.sampled_from(sorted(SPELLERS)))
def test_any_secret_with_some_letters_in_a_row_is_masked(
    begin: str, middle: str, end: str, first: str, second: str
) -> None:
    spelled = SPELLERS[second](SPELLERS[first](f"{begin}{middle}{end}"))
    veiled = masked(f"{begin}{middle}{end}", f"~{spelled}~")
    assert begin not in veiled
    assert end not in veiled


@given(st.text(max_size=200))
def test_other_texts_stay(text: str) -> None:
    assert masked("a-secret-that-is-not-there", text) == text


def test_a_word_that_a_secret_holds_stays_elsewhere() -> None:
    assert masked("refresh-12", "the token refresh-12 was not refreshed") == "the token *** was not refreshed"


def test_what_only_begins_like_it_stays() -> None:
    assert masked("correct.horse.battery", "correct.horses") == "correct.horses"


def test_a_session_masks_what_it_was_given_and_what_it_learned() -> None:
    session = Session(secrets=["abcd efgh ijkl"])
    session.learn("x/y+z")

    assert session.mask("app=abcd+efgh+ijkl&t=x%2Fy%2Bz&amp;") == "app=***&t=***&amp;"


def test_a_text_made_to_take_long_does_not() -> None:
    secret, text = "abcd-" * 12 + "z" * 8, "abcd" * 5_000
    begun = time.perf_counter()
    veil(secret).over(text)

    assert time.perf_counter() - begun < 2
