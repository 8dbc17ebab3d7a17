"""The preview's page is one file that shows everything and trusts nothing."""

from __future__ import annotations

import re
from typing import Any

from reverberate.rendering.page import page

NASTY = "<script>alert(1)</script> \"q\" 'a' & <img src=x onerror=alert(1)> {{ 7 * 7 }}"
IMAGE = {
    "alt": NASTY,
    "width": 600,
    "height": 315,
    "bytes": 12345,
    "mime": "image/png",
    "data": "data:image/png;base64,AAAA",
}


def a_preview(account: str = "fedi", *texts: str, **more: Any) -> dict[str, Any]:
    parts = [
        {"text": text, "count": 100, "limit": 500, "unit": "graphemes", "remaining": 400, "images": []}
        for text in texts or ("Hello #world https://a.example/ @b@c.example",)
    ]
    given = {"account": account, "network": "mastodon", "title": "Mastodon", "state": "scheduled", "reason": ""}
    given |= {"due": "2026-01-05T12:00:00Z", "template": "mastodon.txt (shipped)", "fits": True, "problem": ""}
    return (
        given
        | {
            "parts": parts,
            "card": None,
            "notes": ["dropped to fit: #x"],
            "layers": [["delay", "0:00:00", "the account"]],
        }
        | more
    )


def test_nothing_that_was_written_is_believed() -> None:
    card = {"part": 0, "url": "https://a.example/", "title": NASTY, "description": NASTY, "image": IMAGE}
    one = a_preview(
        NASTY, NASTY, card=card, notes=[NASTY], problem=NASTY, template=NASTY, layers=[[NASTY, NASTY, NASTY]]
    )
    one["parts"][0]["images"] = [IMAGE]
    drawn = page([one], title=NASTY, site=NASTY)

    assert "<script" not in drawn
    assert "<img src=x" not in drawn
    assert "49" not in re.sub(r"#[0-9a-f]{3,6}", "", drawn.partition("<body>")[2])
    assert drawn.count("&lt;script&gt;") >= 10


def test_it_needs_nothing_from_elsewhere() -> None:
    drawn = page([a_preview()], title="t", site="s")

    assert "default-src 'none'" in drawn
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"", drawn) == []
    assert "url(" not in drawn
    assert "@import" not in drawn


def test_every_part_count_note_and_decision_is_shown_in_order() -> None:
    drawn = page([a_preview("one", "first", "second", "third"), a_preview("two")], title="A post", site="The blog")

    assert drawn.index("first") < drawn.index("second") < drawn.index("third")
    assert "2 of 3" in drawn
    assert drawn.count("100 of 500 graphemes, 400 left") == 4
    assert drawn.count("dropped to fit: #x") == 2
    assert "0:00:00, said by the account" in drawn
    assert "2 accounts" in drawn
    assert "<i>#world</i>" in drawn
    assert "<i>https://a.example/</i>" in drawn


def test_what_cannot_be_shared_stands_out() -> None:
    held = a_preview(
        problem="template x.txt: line 3: too long", state="held", reason="template x.txt: line 3: too long"
    )
    skipped = a_preview("plus", state="skipped", reason="Google+ was closed in 2019")
    drawn = page([held, skipped], title="t", site="")

    assert '<p class="state bad">template x.txt: line 3: too long</p>' in drawn
    assert "skipped: Google+ was closed in 2019" in drawn
    assert "1 cannot be shared as it is" in drawn


def test_pictures_are_drawn_with_their_description_and_size() -> None:
    image = IMAGE | {"alt": "a red door"}
    one = a_preview(card={"part": 0, "url": "https://a.example/x", "title": "T", "description": "", "image": image})
    one["parts"][0]["images"] = [image]
    drawn = page([one], title="t", site="")

    assert drawn.count('<img src="data:image/png;base64,AAAA" alt="a red door">') == 2
    assert "600 \xd7 315, 12,345 bytes, image/png" in drawn
    assert "<small>a.example</small>" in drawn
