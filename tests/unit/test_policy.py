"""What follows from what an attempt came to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reverberate import policy
from reverberate.errors import (
    Duplicate,
    Outcome,
    OutOfCredit,
    RateLimited,
    Refused,
    Retired,
    Transient,
    Unauthorised,
    Unsure,
)
from reverberate.model import Assurance, Receipt, Share, ShareState
from reverberate.policy import Ability, Verdict

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=15)
RECEIPT = Receipt(remote_id="1", permalink="https://example.org/1")
NATIVE = Ability(assurance=Assurance.IDENTITY, finds=True, always=True)
WINDOWED = Ability(assurance=Assurance.IDENTITY, finds=True, always=False)
READABLE = Ability(assurance=Assurance.READABLE, finds=True, always=False)
BLIND = Ability(assurance=Assurance.BLIND, finds=False, always=False)
BOLD = Ability(assurance=Assurance.BLIND, finds=False, always=False, resend=True)


def sent(outcome: Receipt | Outcome, *, ability: Ability = READABLE, tries: int = 1, chance: float = 0.5) -> Verdict:
    return policy.after_send(outcome, tries=tries, ability=ability, now=NOW, chance=chance)


def looked(found: Receipt | Outcome | None, *, looks: int = 1, tries: int = 1, ability: Ability = READABLE) -> Verdict:
    return policy.after_look(found, looks=looks, tries=tries, ability=ability, now=NOW, chance=0.5)


def share(state: ShareState) -> Share:
    return Share(
        id=1, post_id=1, account="a", slot="", state=state, wanted=NOW, due=NOW, wake=NOW, key="k", planned=NOW
    )


def test_a_receipt_means_sent() -> None:
    assert sent(RECEIPT) == Verdict(state=ShareState.SENT, receipt=RECEIPT)


def test_a_duplicate_that_names_what_it_has_means_sent() -> None:
    verdict = sent(Duplicate("have it", receipt=RECEIPT))

    assert (verdict.state, verdict.receipt) == (ShareState.SENT, RECEIPT)


def test_a_duplicate_without_a_name_is_looked_up_before_anything_else() -> None:
    verdict = sent(Duplicate("have something like it"))

    assert (verdict.state, verdict.due) == (ShareState.UNSURE, NOW + SETTLE)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 5), (2, 300), (3, 1800), (4, 7200), (9, 86400)])
def test_transient_waits_grow_as_webhooks_do(tries: int, seconds: int) -> None:
    verdict = sent(Transient("no route"), tries=tries)

    assert (verdict.state, verdict.due) == (ShareState.SCHEDULED, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 2.5), (1.0, 7.5)])
def test_chance_spreads_a_wait_by_half_of_it_either_way(chance: float, seconds: float) -> None:
    assert sent(Transient("no route"), chance=chance).due == NOW + timedelta(seconds=seconds)


def test_the_networks_own_waiting_time_wins_when_it_is_longer() -> None:
    assert sent(Transient("busy", after=timedelta(minutes=9))).due == NOW + timedelta(minutes=9)
    assert sent(Transient("busy", after=timedelta(seconds=1))).due == NOW + timedelta(seconds=5)


def test_after_ten_tries_the_share_is_refused_with_the_last_words() -> None:
    verdict = sent(Transient("no route to host"), tries=10)

    assert (verdict.state, verdict.due) == (ShareState.REFUSED, None)
    assert "no route to host" in verdict.reason


def test_a_rate_limit_rests_the_whole_account_and_is_no_failure_however_often() -> None:
    until = NOW + timedelta(minutes=15)
    verdict = sent(RateLimited("slow down", until=until), tries=50)

    assert (verdict.state, verdict.due, verdict.rest_until) == (ShareState.SCHEDULED, until, until)


def test_a_rate_limit_without_an_end_rests_the_account_for_a_while() -> None:
    assert sent(RateLimited("slow down")).rest_until == NOW + policy.REST


def test_the_last_try_is_looked_for_once_more_and_later_before_it_is_given_up() -> None:
    """Giving up cannot be taken back, and a listing may lag."""
    last, gone = looked(None, looks=2, tries=10), looked(None, looks=3, tries=10)

    assert (last.state, last.due) == (ShareState.UNSURE, NOW + 4 * SETTLE)
    assert gone.state is ShareState.REFUSED


@pytest.mark.parametrize("outcome", [Unauthorised("token revoked"), OutOfCredit("no credits")])
def test_what_only_the_owner_can_mend_pauses_the_account_and_keeps_the_share(outcome: Outcome) -> None:
    verdict = sent(outcome)

    assert (verdict.state, verdict.pause) == (ShareState.SCHEDULED, outcome.words)


def test_refused_and_retired_end_the_share() -> None:
    assert sent(Refused("too long")) == Verdict(state=ShareState.REFUSED, reason="too long")
    assert sent(Retired("gone")) == Verdict(state=ShareState.SKIPPED, reason="gone")


def test_unsure_is_looked_up_where_that_is_possible() -> None:
    assert sent(Unsure("lost")).due == NOW + SETTLE
    assert sent(Unsure("lost"), ability=WINDOWED).due == NOW + SETTLE


def test_unsure_is_sent_again_soon_where_sending_again_is_harmless() -> None:
    verdict = sent(Unsure("lost"), ability=NATIVE)

    assert (verdict.state, verdict.due) == (ShareState.UNSURE, NOW + timedelta(seconds=5))


def test_unsure_asks_its_owner_on_a_blind_network() -> None:
    verdict = sent(Unsure("lost"), ability=BLIND)

    assert (verdict.state, verdict.due) == (ShareState.UNSURE, None)


def test_unsure_on_a_blind_network_is_sent_again_only_where_the_owner_prefers_two_to_none() -> None:
    assert sent(Unsure("lost"), ability=BOLD).state is ShareState.SCHEDULED


def test_even_harmless_repeats_end_and_ask() -> None:
    blind_native = Ability(assurance=Assurance.IDENTITY, finds=False, always=True)

    assert sent(Unsure("500"), ability=blind_native, tries=10).due is None


def test_a_share_that_was_found_is_sent() -> None:
    assert looked(RECEIPT).receipt == RECEIPT


def test_one_look_that_finds_nothing_proves_nothing() -> None:
    verdict = looked(None, looks=1)

    assert (verdict.state, verdict.due) == (ShareState.UNSURE, NOW + SETTLE)


def test_two_looks_that_find_nothing_let_it_be_sent_again() -> None:
    assert looked(None, looks=2).state is ShareState.SCHEDULED


@pytest.mark.parametrize("outcome", [Transient("down"), RateLimited("slow", until=NOW + timedelta(hours=1))])
def test_a_look_that_fails_is_tried_again_and_never_taken_for_an_answer(outcome: Outcome) -> None:
    verdict = looked(outcome, looks=9)

    assert verdict.state is ShareState.UNSURE
    assert verdict.due is not None
    assert verdict.due > NOW


def test_a_look_that_is_not_allowed_asks_the_owner() -> None:
    verdict = looked(Refused("your plan cannot read"))

    assert (verdict.state, verdict.due) == (ShareState.UNSURE, None)


def test_a_look_without_permission_pauses_the_account() -> None:
    assert looked(Unauthorised("revoked")).pause == "revoked"


@pytest.mark.parametrize(
    ("state", "ability", "step"),
    [
        (ShareState.SCHEDULED, BLIND, "send"),
        (ShareState.SCHEDULED, READABLE, "send"),
        (ShareState.UNSURE, NATIVE, "send"),
        (ShareState.UNSURE, WINDOWED, "look"),
        (ShareState.UNSURE, READABLE, "look"),
        (ShareState.UNSURE, BLIND, "ask"),
    ],
)
def test_the_next_step_never_repeats_blindly(state: ShareState, ability: Ability, step: str) -> None:
    assert policy.next_step(share(state), ability) == step


@pytest.mark.parametrize("outcome", [Transient("down"), Refused("no"), RateLimited("slow"), Unauthorised("who?")])
def test_an_attempt_that_brought_nothing_does_not_settle_whether_an_earlier_one_arrived(outcome: Outcome) -> None:
    """Sending again is harmless there, so it is tried; but what may be there is never called refused or waiting."""
    verdict = policy.after_send(outcome, tries=2, ability=NATIVE, now=NOW, chance=0.5, doubt=True)

    assert verdict.state is ShareState.UNSURE
    assert verdict.due is not None


def test_where_sending_again_is_harmless_it_is_looked_up_when_the_tries_are_used_up() -> None:
    doubtful = replace(share(ShareState.UNSURE), tries=len(NATIVE.waits))

    assert policy.next_step(doubtful, NATIVE) == "send"
    assert policy.next_step(replace(doubtful, tries=doubtful.tries + 1), NATIVE) == "look"


def test_an_owner_who_prefers_a_second_copy_gets_it_after_a_crash_too() -> None:
    assert policy.next_step(share(ShareState.UNSURE), BOLD) == "send"
