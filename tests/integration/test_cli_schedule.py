"""Scheduling by the command line, as a blogger uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.inside import ask, run

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
[site]
timezone = "Europe/Berlin"

[accounts.one]
network = "memory"
schedule = { slots = ["Sun 02:30", "Mon-Fri 09:00"] }

[accounts.two]
network = "memory"
approval = true
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "reverberate.toml"
    path.write_text(CONFIG, encoding="utf-8")
    matter = "---\ntitle: A post\nurl: https://blog.example/a-post\nsummary: What it says.\n---\nText.\n"
    (tmp_path / "post.md").write_text(matter, encoding="utf-8")
    return path


def test_the_coming_slots_are_printed_with_their_offsets(config: Path) -> None:
    rows = ask(config, "schedule", "--next", "3", "--from", "2026-03-27 12:00", "one")

    assert [(row["at"], row["slot"]) for row in rows] == [
        ("2026-03-29T03:00:00+02:00", "Sun 02:30"),
        ("2026-03-30T09:00:00+02:00", "Mon 09:00"),
        ("2026-03-31T09:00:00+02:00", "Tue 09:00"),
    ]
    assert rows[0]["note"] == "the clock skips 02:30 on this day"
    assert len(ask(config, "schedule", "one")) == 10
    assert "no account 'three'" in run(config, "schedule", "three").stderr


def test_a_share_may_be_given_its_time_edited_and_released(config: Path) -> None:
    done = ask(config, "publish", "post.md", "--at", "2099-12-24 09:00")
    assert [(one["due"], one["state"]) for one in done["shares"]] == [
        ("2099-12-24T08:00:00Z", "scheduled"),
        ("2099-12-24T08:00:00Z", "held"),
    ]
    held = str(done["shares"][1]["id"])

    assert run(config, "share", "edit", held, "--text", "My words https://blog.example/a-post").returncode == 0
    too_long = run(config, "share", "edit", held, "--text", "x" * 90_000)
    assert (too_long.returncode, "these words take 90,000 of" in too_long.stderr) == (1, True), too_long.stderr
    wordless = run(config, "share", "edit", held)
    assert (wordless.returncode, "it is rendered when its time comes" in wordless.stderr) == (1, True)
    assert run(config, "share", "approve", held).returncode == 0
    assert run(config, "share", "reschedule", held, "2099-12-25T09:00-05:00").returncode == 0
    assert run(config, "share", "reschedule", held, "Christmas").returncode == 2

    plan = ask(config, "plan")
    assert [(row["account"], row["at"]) for row in plan["shares"]] == [
        ("one", "2099-12-24T09:00:00+01:00"),
        ("two", "2099-12-25T15:00:00+01:00"),
    ]
    assert plan["shares"][1]["parts"] == ["My words https://blog.example/a-post"]
    assert plan["moves"] == []


def test_people_read_times_on_the_sites_clock_and_programs_in_utc(config: Path) -> None:
    ask(config, "publish", "post.md", "--at", "2099-12-24 09:00")

    assert {row["due"] for row in ask(config, "shares")} == {"2099-12-24T08:00:00Z"}
    for told in (("shares",), ("status",), ("share", "show", "1"), ("why", "1", "one")):
        said = run(config, *told).stdout
        assert "2099-12-24 09:00" in said, told
        assert "08:00" not in said, told


def test_a_time_that_is_over_or_none_is_refused(config: Path) -> None:
    over = run(config, "publish", "post.md", "--at", "2020-01-01 09:00")

    assert (over.returncode, "is over" in over.stderr) == (1, True)
    assert run(config, "publish", "post.md", "--at", "soon").returncode == 2
    assert ask(config, "posts") == []


def test_a_plan_shows_a_post_before_it_is_published_and_what_a_new_config_would_move(config: Path) -> None:
    shown = ask(config, "plan", "post.md")["shares"]
    assert [(row["account"], row["state"], row["title"]) for row in shown] == [
        ("one", "scheduled", "A post"),
        ("two", "held", "A post"),
    ]
    assert all("https://blog.example/a-post" in row["parts"][0] for row in shown)

    ask(config, "publish", "post.md")
    config.write_text(CONFIG.replace("Mon-Fri 09:00", "Mon-Sun 23:59"), encoding="utf-8")
    done = json.loads(run(config, "plan", "--json").stdout)
    moves = [move for move in done["moves"] if move["account"] == "one"]
    assert len(moves) == 1
    assert "would move from" in run(config, "plan").stdout
    assert "moved from" in run(config, "plan", "--apply").stdout
    assert ask(config, "plan")["moves"] == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('schedule = { slots = ["Noday 09:00"] }', "a day is one of Mon"),
        ("schedule = { slots = [9] }", "slots are a list of texts"),
        ('schedule = { spacing = "20m" }', "unknown key"),
        ("schedule = { max_per_day = 0 }", "greater than or equal to 1"),
        ('evergreen = { after = ["1d"] }', "a week or more"),
        ('evergreen = { after = ["30d"], template = "nothing.txt" }', "there is no template 'nothing.txt'"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_told_with_its_line(config: Path, line: str, words: str) -> None:
    config.write_text(CONFIG + line + "\n", encoding="utf-8")
    done = run(config, "check")

    assert done.returncode == 1
    assert words in done.stderr
    assert "accounts.two" in done.stderr
