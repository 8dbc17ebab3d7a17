"""The judgement over a world at rest: the networks' ledgers are the truth, and the store must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverberate import policy
from reverberate.model import SEEN, ShareState
from simulation.network import Blind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.rows import Row
    from simulation.world import World

S = ShareState
AT_REST = {S.SENT, S.UNSURE, S.REFUSED, S.SKIPPED, S.CANCELLED}
PROMPT = 5.0


def judge(world: World) -> list[str]:
    """Everything that is wrong, in words."""
    wrongs = [wrong for server in world.servers.values() for wrong in server.wrongs]
    wrongs += [f"share {share_id}: a byte left before the intent was written" for share_id in world.undeclared]
    for row in world.model.rows.values():
        wrongs += [
            f"{wrong} (share {row.id} on {row.account}: {row.state}, {row.reason})" for wrong in _wrongs(world, row)
        ]
    return [*wrongs, *_same_words(world), *_chores(world)]


def _wrongs(world: World, row: Row) -> Iterator[str]:
    held = world.servers[row.account].of(row.id)
    numbers = [one.number for one in held]
    resends = row.account in world.resending
    if len(numbers) != len(set(numbers)) and not resends:
        yield f"I1 duplicate: {[one.remote_id for one in held]}"
    if row.state not in AT_REST or row.lease is not None or row.wake is not None:
        yield "I2 lost: it never comes to rest"
    if row.state is S.SENT:
        yield from _sent(world, row, set(numbers))
    elif row.state is S.UNSURE:
        yield from _unsure(world, row)
    elif not resends and set(numbers) != _recorded(world, row):
        which = "I11 cancel wins" if row.state is S.CANCELLED else "I4 truthful"
        yield f"{which}: the network holds parts {sorted(set(numbers))}, the store says otherwise"
    yield from _on_time(world, row)


def _sent(world: World, row: Row, numbers: set[int]) -> Iterator[str]:
    if row.id not in world.model.messages:
        yield "I3: sent, and nothing was ever written for it"
        return
    parts = len(world.model.messages[row.id].parts)
    if any((one.share_id, one.kind, one.outcome) == (row.id, "delete", "refused") for one in world.model.chores):
        return  # what it came to before it was given up, nobody knows, and the journal says so
    if numbers != set(range(parts)):
        yield f"I3, I4: sent, and only parts {sorted(numbers)} of {parts} are there"
    ids = {one.remote_id for one in world.servers[row.account].of(row.id)} | {SEEN}
    if row.receipt is None or row.receipt.remote_id not in ids:
        yield "I4 truthful: the receipt is of something else"


def _unsure(world: World, row: Row) -> Iterator[str]:
    server = world.servers[row.account]
    asked = server.kind is Blind and row.account not in world.resending
    if not asked and server.reads and row.crashes < policy.CRASHES:
        yield "I3, I4: unsure where the network would tell"


def _recorded(world: World, row: Row) -> set[int]:
    """The parts of which the store itself says that they are there."""
    return {int(name.removeprefix("part ")) - 1 for name in world.model.steps.get(row.id, {})}


def _on_time(world: World, row: Row) -> Iterator[str]:
    planned = world.planned[row.id]
    for one in world.servers[row.account].of(row.id):
        if one.at < planned - world.clocks_differ:
            yield f"I5 early: {planned - one.at:.1f} s"
        if world.calm and one.number == 0 and one.at > planned + PROMPT:
            yield f"I6 late: {one.at - planned:.1f} s with nothing wrong"
    if world.calm and row.state is not S.SENT:
        yield "I6 late: nothing was wrong"


def _same_words(world: World) -> Iterator[str]:
    for (share_id, number), said in world.requests.items():
        generations = {generation for _, _, generation in said}
        if len(said) > len(generations):
            yield f"I7 same bytes: part {number} of share {share_id} was said in several ways: {sorted(said)}"


def _chores(world: World) -> Iterator[str]:
    """What people wanted about what is out has come to an end, and to the end that the store tells."""
    for one in world.model.chores:
        if one.ended is None:
            yield f"I12 a chore is lost: {one.kind} of share {one.share_id}, {one.reason}"
        if one.outcome == "refused" and one.reason.startswith("the answer was lost"):
            yield f"I14 given up at the first doubt: {one.kind} of share {one.share_id}"
    for row in world.model.rows.values():
        mine = [one for one in world.model.chores if one.share_id == row.id and one.outcome != "dropped"]
        if row.state is S.SENT and mine and (mine[-1].kind, mine[-1].outcome) == ("edit", "done"):
            said = [one.text for one in world.servers[row.account].of(row.id)]
            if mine[-1].text not in said or world.model.messages[row.id].parts != (mine[-1].text,):
                yield f"I13 the last words: share {row.id} was to say {mine[-1].text!r} and says {said}"
