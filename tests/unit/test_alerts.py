"""Troubles: gathered, told once, and told in words that say what, since when and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reverberate.alerts import COMMANDS, HEADLINES, KINDS, LASTING, OVER, TROUBLES, Trouble, gather, lasts, letter

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)


def refused(share: int, *, account: str = "fedi", minutes: int = 0) -> Trouble:
    at = NOW + timedelta(minutes=minutes)
    return Trouble(kind="refused", account=account, at=at, words=f"too rude ({share})", share_id=share)


def test_a_thousand_refused_shares_are_one_group_that_names_a_few() -> None:
    (group,) = gather((), [refused(number, minutes=number) for number in range(1000)])

    assert (group.count, group.shares, group.words) == (1000, (0, 1, 2, 3, 4), "too rude (0)")
    assert (group.since, group.last) == (NOW, NOW + timedelta(minutes=999))


def test_what_is_gathered_later_joins_its_group() -> None:
    groups = gather(gather((), [refused(1)]), [refused(2), refused(3, account="sky")])

    assert [(group.account, group.count, group.shares) for group in groups] == [("fedi", 2, (1, 2)), ("sky", 1, (3,))]


def test_what_began_and_ended_before_it_was_told_is_not_told() -> None:
    paused = Trouble(kind="paused", account="fedi", at=NOW)
    over = Trouble(kind="paused", account="fedi", at=NOW, over=True)

    assert gather((), [paused, over]) == ()
    assert gather(gather((), [over]), [paused]) == ()


def test_a_letter_says_what_since_when_what_to_do_and_where() -> None:
    said = letter(gather((), [refused(7), refused(8)]), link="https://me.example", now=NOW + timedelta(hours=3))

    assert said.title == "Reverberate: 2 shares refused on fedi"
    assert "since 2026-05-31 12:00 UTC (3 hours ago)" in said.text
    assert "too rude (7)" in said.text
    assert "reverberate share retry 7" in said.text
    assert said.text.endswith("See https://me.example\n")


def test_a_letter_writes_out_so_many_groups_and_counts_the_rest() -> None:
    said = letter(gather((), [refused(n, account=f"a{n}") for n in range(30)]), now=NOW)

    assert said.title.endswith("a share refused on a0, and 29 more")
    assert "and 10 more: reverberate notices" in said.text


def test_the_end_of_a_trouble_asks_for_nothing() -> None:
    said = letter(gather((), [Trouble(kind="paused", account="fedi", at=NOW, over=True)]), now=NOW)

    assert said.title == "Reverberate: fedi goes on"
    assert "what to do" not in said.text


def test_a_budget_is_another_trouble_each_month_and_each_step_of_it_another_topic() -> None:
    one = Trouble(kind="money", account="x", at=NOW, what="budget used up")

    assert lasts(one, NOW - timedelta(days=30), "") is True
    assert lasts(one, NOW - timedelta(days=31), "") is False
    assert one.topic == ("budget used up", "x")


def test_a_permission_whose_end_comes_nearer_is_told_again() -> None:
    one = Trouble(kind="expiry", account="x", at=NOW, words="in 1 day")

    assert lasts(one, NOW, "in 1 day") is True
    assert lasts(one, NOW, "in 7 days") is False


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_words(kind: str) -> None:
    event = next(name for name, (of, over) in TROUBLES.items() if of == kind and not over)
    said = letter(gather((), [Trouble(kind=kind, account="who", at=NOW, what=event)]), now=NOW)

    assert "who" in said.title
    assert COMMANDS[kind]
    assert "what to do: " in said.text


def test_the_tables_of_words_know_the_same_kinds() -> None:
    assert set(HEADLINES) == set(COMMANDS) == set(KINDS) == {kind for kind, _ in TROUBLES.values()}
    assert {kind for kind, over in TROUBLES.values() if over} == set(OVER) == LASTING - {"money"}
