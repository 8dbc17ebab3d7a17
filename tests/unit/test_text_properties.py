"""For any text, template and limit: within the limit by a count of our own, the link whole, the longest, and stable.

The counter here shares nothing with the engine's: texts are made of tokens whose price on each network is known.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reverberate.text.fit import ELLIPSIS, Drop, Fit, Rigid, cuts, fit
from reverberate.text.limits import LIMITS, Limit

LINK = "https://blog.example.org/2026/a-post?id=1"
FAMILY, FLAG, THUMB = "👨‍👩‍👧‍👦", "🇩🇪", "👍🏿"
PRICES = {  # token: (twitter, mastodon, bluesky graphemes, bluesky bytes, UTF-16 units)
    "word": (4, 4, 4, 4, 4),
    "a": (1, 1, 1, 1, 1),
    "naïve": (5, 5, 5, 6, 5),
    "e\u0301te\u0301": (3, 3, 3, 7, 5),
    "Ende.": (5, 5, 5, 5, 5),
    "漢字": (4, 2, 2, 6, 2),
    FAMILY: (2, 1, 1, 25, 11),
    FLAG: (2, 1, 1, 8, 4),
    THUMB: (2, 1, 1, 8, 4),
    "#OpenWeb": (8, 8, 8, 8, 8),
    "مرحبا": (5, 5, 5, 10, 5),
    LINK: (23, 23, 41, 41, 41),
    "@ada@social.example": (19, 4, 19, 19, 19),
}
ELLIPSIS_PRICE = (2, 1, 1, 3, 1)
COLUMN = {"twitter": 0, "mastodon": 1, "bluesky": 2, "telegram": 4}
THOROUGH = settings(max_examples=10 * settings().max_examples)
TEXTS = st.lists(st.sampled_from(sorted(PRICES)), max_size=90).map(" ".join)
PROSE = st.lists(st.sampled_from(["word", "a", "naïve", "Ende.", "مرحبا", "漢字", FAMILY]), max_size=60).map(" ".join)
NETWORKS = st.sampled_from(sorted(COLUMN))


def priced(text: str, column: int) -> int:
    """What a text costs by the table; spaces and line ends cost one each."""
    total = 0
    for piece in re.split(r"(\s)", text):
        word = piece.removesuffix(ELLIPSIS)
        total += ELLIPSIS_PRICE[column] if word != piece else 0
        total += PRICES[word][column] if word in PRICES else sum(_letter(letter, column) for letter in word)
    return total


def _letter(letter: str, column: int) -> int:
    """A word that was cut inside, or lost its full stop, or a space."""
    return PRICES["漢字"][column] // 2 if letter in "漢字" else (1, 1, 1, len(letter.encode()), 1)[column]


def within(text: str, limit: Limit, network: str) -> bool:
    fine = priced(text, COLUMN[network]) <= limit.maximum
    return fine and (limit.max_bytes is None or priced(text, 3) <= limit.max_bytes)


def bound(network: str, room: int) -> Limit:
    return replace(LIMITS[network], maximum=room, max_bytes=room * 4 if network == "bluesky" else None)


PIECES = st.tuples(
    TEXTS.map(lambda text: Fit(text=text, priority=2)),
    st.sampled_from(["\n\n", " — ", "\n"]).map(lambda text: Rigid(text=text)),
    TEXTS.map(lambda text: Fit(text=text)),
    st.lists(st.just("#OpenWeb"), max_size=4).map(lambda tags: Drop(items=tuple(tags))),
)


@THOROUGH
@given(pieces=PIECES, network=NETWORKS, room=st.integers(60, 320), order=st.permutations(range(4)))
def test_any_message_is_within_its_limit_and_its_link_is_whole(
    pieces: tuple[Rigid | Fit | Drop, ...], network: str, room: int, order: list[int]
) -> None:
    mixed: list[Rigid | Fit | Drop] = []
    for index in order:
        mixed += [pieces[index], Rigid(text="\n")]
    limit = bound(network, room)
    fitted = fit([*mixed, Rigid(text=LINK)], limit)

    assert fitted.fits
    assert fitted.text.endswith(LINK)
    told = fitted.text.replace(" — ", " - ")  # a dash of the template's own: one, as a hyphen is
    assert within(told.replace("—", "-"), limit, network), (priced(told, COLUMN[network]), room)
    assert "\x00" not in fitted.text
    assert not re.search(r"\n{3}|  |^\s|\s$|[ \t]\n", fitted.text)


@THOROUGH
@given(text=PROSE, network=NETWORKS, room=st.integers(60, 200))
def test_the_result_is_the_longest(text: str, network: str, room: int) -> None:
    """The next longer way to cut the text, and the whole of it, would not fit."""
    limit = bound(network, room)
    fitted = fit([Fit(text=text), Rigid(text=f"\n{LINK}")], limit)
    kept = fitted.text.removesuffix(LINK).rstrip("\n")
    ways = ["", *cuts(text), text.strip()]
    for longer in ways[ways.index(kept) + 1 :]:
        assert longer == kept or not within(f"{longer}\n{LINK}".strip(), limit, network), longer


@THOROUGH
@given(text=TEXTS, network=NETWORKS, room=st.integers(40, 320))
def test_fitting_twice_changes_nothing(text: str, network: str, room: int) -> None:
    limit = bound(network, room)
    once = fit([Fit(text=text)], limit).text

    assert fit([Fit(text=once)], limit).text == once


@THOROUGH
@given(text=TEXTS, network=NETWORKS, room=st.integers(40, 320))
def test_no_link_mention_or_hashtag_is_ever_cut(text: str, network: str, room: int) -> None:
    once = fit([Fit(text=text)], bound(network, room)).text.removesuffix(ELLIPSIS)

    for word in once.split():
        if word.startswith(("http", "@", "#")):
            assert word in PRICES
