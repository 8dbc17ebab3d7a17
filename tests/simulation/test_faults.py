"""Take one safety line away, and some world falls: the simulation would notice its loss."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import delivery, policy
from reverberate.errors import Transient, Unsure
from reverberate.model import ShareState, Step
from reverberate.networks import parts
from simulation.network import KINDS
from simulation.store import Model
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest import MonkeyPatch  # noqa: PT013 - a name in annotations

WORLDS = 1500
"""In so many worlds the loss of any line shows; most show in the first twenty."""


def nothing(*_: object) -> None:
    """Instead of what keeps a promise."""


def looked_up_at_once(patch: MonkeyPatch) -> None:
    for kind in KINDS:
        patch.setattr(kind, "settle", timedelta(0))


def any_worker_settles(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "_may_write", lambda *_: True)


def anybody_claims(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "_free", lambda *_, **__: True)


def old_knowledge_is_used(patch: MonkeyPatch) -> None:
    free = Model._free

    def whatever_fence(model: Model, wish: Any, row: Any, **more: Any) -> bool:
        fence, row.fence = row.fence, wish.fence
        try:
            return free(model, wish, row, **more)
        finally:
            row.fence = fence

    patch.setattr(Model, "_free", whatever_fence)


def crashes_are_forgotten(patch: MonkeyPatch) -> None:
    """As if no intent had been written: what was on its way is simply due again."""
    sweep = Model.sweep

    def blind(model: Model, **more: Any) -> list[int]:
        lost = sweep(model, **more)
        for share_id in lost:
            model.rows[share_id].state = ShareState.SCHEDULED
        return lost

    patch.setattr(Model, "sweep", blind)


def no_intent(patch: MonkeyPatch) -> None:
    take = Model._take

    def silent(model: Model, *args: Any, **more: Any) -> Any:
        taken = take(model, *args, **more)
        model.intents.clear()
        return taken

    patch.setattr(Model, "_take", silent)


def nobody_sweeps(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "sweep", lambda *_, **__: [])


def sleepers_send(patch: MonkeyPatch) -> None:
    patch.setattr(delivery.Courier, "_still_ours", nothing)


def a_beat_revives_what_is_lost(patch: MonkeyPatch) -> None:
    renew = Model.renew

    def all_of_them(model: Model, ids: Any, **more: Any) -> set[int]:
        renew(model, ids, **more)
        return set(ids)

    patch.setattr(Model, "renew", all_of_them)


def a_beat_keeps_what_nobody_works_on(patch: MonkeyPatch) -> None:
    def everything(model: Model, ids: Any, *, owner: str, lease: Any) -> set[int]:
        held = [row for row in model.rows.values() if row.lease is not None and row.owner == owner]
        for row in held:
            row.lease = lease
        return {row.id for row in held}

    patch.setattr(Model, "renew", everything)
    patch.setattr(delivery.Courier, "_renew", beat_always)


def beat_always(courier: Any) -> None:
    began = delivery.boot_clock()
    with courier._store.write() as tx:
        held = tx.renew([], owner=courier.owner, lease=courier._now() + delivery.LEASE)
    for share_id in held & set(courier._claims):
        courier._claims[share_id] = began + delivery.LEASE.total_seconds()


def a_lost_answer_is_repeated(patch: MonkeyPatch) -> None:
    def again(outcome: Any, **more: Any) -> Any:
        return policy._again(Transient(outcome.words), wait=None, **more)

    patch.setattr(policy, "_question", again)


def a_lost_answer_is_a_refusal(patch: MonkeyPatch) -> None:
    def refused(outcome: Any, **_: Any) -> Any:
        return policy.Verdict(state=ShareState.REFUSED, reason=outcome.words)

    patch.setattr(policy, "_question", refused)


def doubt_is_dropped(patch: MonkeyPatch) -> None:
    after_send = policy.after_send
    patch.setattr(policy, "after_send", lambda found, **more: after_send(found, **(more | {"doubt": False})))


def nothing_found_means_sent(patch: MonkeyPatch) -> None:
    after_look = policy.after_look

    def trusting(found: Any, **more: Any) -> Any:
        return policy.Verdict(state=ShareState.SENT) if found is None else after_look(found, **more)

    patch.setattr(policy, "after_look", trusting)


def steps_are_forgotten(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "record", lambda *_, **__: True)


def a_lost_claim_goes_on(patch: MonkeyPatch) -> None:
    def kept(model: Model, share_id: int, fence: int, name: str, answer: Any, *, now: Any) -> bool:
        model.steps.setdefault(share_id, {}).setdefault(name, Step(answer=dict(answer), at=now))
        return True

    patch.setattr(Model, "record", kept)
    sleepers_send(patch)


def a_part_that_is_there_counts_for_all(patch: MonkeyPatch) -> None:
    patch.setattr(parts, "_there", lambda visit, *what: visit(*what))


def rendered_anew_each_time(patch: MonkeyPatch) -> None:
    take = Model._take

    def fresh(model: Model, wish: Any, **more: Any) -> Any:
        model.messages.pop(wish.share_id, None)
        return take(model, wish, **more)

    work = Model.work
    patch.setattr(Model, "_take", fresh)
    patch.setattr(Model, "work", lambda model, ids: [delivery_anew(one) for one in work(model, ids)])


def delivery_anew(work: Any) -> Any:
    return type(work)(share=work.share, post=work.post, message=None, steps=work.steps)


def people_reach_into_workers_hands(patch: MonkeyPatch) -> None:
    change = Model.change

    def rough(model: Model, share_id: int, *, doors: Any, **more: Any) -> bool:
        model.rows[share_id].lease = None
        return change(model, share_id, doors=[*doors, ShareState.SENDING], **more)

    patch.setattr(Model, "change", rough)


def handed_over_only_once(patch: MonkeyPatch) -> None:
    take_due = Model.take_due

    def once(model: Model, **more: Any) -> list[int]:
        taken = take_due(model, **more)
        for share_id in taken:
            model.rows[share_id].wake = None
        return taken

    patch.setattr(Model, "take_due", once)


def a_chore_is_taken_by_anybody(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "_may_take", lambda *_, **__: True)


def nobody_sweeps_chores(patch: MonkeyPatch) -> None:
    patch.setattr(Model, "sweep_chores", nothing_of)


def nothing_of(*_: object, **__: object) -> None:
    """Instead of what keeps a promise."""


def what_is_wanted_meanwhile_is_forgotten(patch: MonkeyPatch) -> None:
    end = Model.end_chore

    def at_once(model: Model, chore: Any, outcome: str, **more: Any) -> None:
        model.chores[chore.id - 1].asked = chore.asked
        end(model, chore, outcome, **more)

    patch.setattr(Model, "end_chore", at_once)


def a_lost_answer_of_a_chore_is_a_refusal(patch: MonkeyPatch) -> None:
    def refused(found: Any, **more: Any) -> Any:
        if isinstance(found, Unsure):
            return policy.Verdict(state=ShareState.REFUSED, reason=found.words)
        return policy._after_send(found, **more)

    patch.setattr(policy, "after_chore", refused)


@pytest.mark.parametrize(
    ("loss", "shows"),
    [
        (looked_up_at_once, "I1"),
        (any_worker_settles, "I"),
        (anybody_claims, "I1"),
        (old_knowledge_is_used, "I1"),
        (crashes_are_forgotten, "I1"),
        (no_intent, "intent"),
        (nobody_sweeps, "I2"),
        (sleepers_send, "I"),
        (a_beat_revives_what_is_lost, "I"),
        (a_beat_keeps_what_nobody_works_on, "I2"),
        (a_lost_answer_is_repeated, "I1"),
        (a_lost_answer_is_a_refusal, "I4"),
        (doubt_is_dropped, "I4"),
        (nothing_found_means_sent, "I3"),
        (steps_are_forgotten, "I1"),
        (a_lost_claim_goes_on, "I"),
        (a_part_that_is_there_counts_for_all, "I3"),
        (rendered_anew_each_time, "I7"),
        (people_reach_into_workers_hands, "I"),
        (handed_over_only_once, "I2"),
        (a_chore_is_taken_by_anybody, "I"),
        (nobody_sweeps_chores, "I"),
        (what_is_wanted_meanwhile_is_forgotten, "I13"),
        (a_lost_answer_of_a_chore_is_a_refusal, "I14"),
    ],
)
def test_without_this_line_some_world_falls(
    monkeypatch: MonkeyPatch, loss: Callable[[MonkeyPatch], None], shows: str
) -> None:
    loss(monkeypatch)

    assert any(shows in wrong for seed in range(WORLDS) for wrong in World(seed).run())
