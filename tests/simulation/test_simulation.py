"""Thousands of worlds, each from one number, in none of which a promise is broken."""

from __future__ import annotations

import os

import pytest

from simulation.world import World

WORLDS = int(os.environ.get("REVERBERATE_WORLDS", "2000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(0, WORLDS, CHUNK))
def test_in_no_world_anything_is_posted_twice_lost_or_told_falsely(first: int) -> None:
    """Invariants I1 to I8 and I11 to I14, by the networks' own ledgers."""
    for seed in range(first, min(first + CHUNK, WORLDS)):
        wrong = World(seed).run()
        replay = f"replay it: PYTHONPATH=tests python -m simulation.world {seed}"

        assert not wrong, "\n".join([*wrong, replay])


def test_a_seed_tells_the_same_story_each_time() -> None:
    """What a seed has shown once can be looked at again."""
    for seed in (3, 14, 159):
        once, again = World(seed, aloud=True), World(seed, aloud=True)
        once.run()
        again.run()

        assert once.story
        assert once.story == again.story


def test_the_worlds_are_full_of_trouble() -> None:
    """Otherwise their peace would prove nothing: each kind of trouble, and each end, is met in two hundred of them."""
    told = ""
    for seed in range(200):
        world = World(seed, aloud=True)
        world.run()
        told += "\n".join(world.story or ())

    for words in MET:
        assert words in told, words


MET = (
    *("DIES at claim: after commit", "DIES at send: request written", "DIES at settle: before commit"),
    *("DIES at step: after commit", "stops at beat", "stops at deliver: loaded", "swept", "left for later"),
    *("answer lost", "accepted late", "request lost", "silence", "server error", "plug-in fails", "slow down"),
    *("wants to look", "no longer ours (receipt)", "-> sent", "-> unsure", "-> scheduled", "-> refused", "not now"),
    *("the token was revoked", "found on the network", "gave up after", "cancels", "retries", "resolves"),
    *("DIES at chore: take: after commit", "stops at chore: done: after commit", "rewords", "deletes", "person wants"),
    *("not running for a while", "no longer ours (unsure)", "sent found on the network", "duplicate"),
)
