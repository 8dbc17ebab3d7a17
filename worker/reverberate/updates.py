"""The blog changed a post that is known: what is stored follows, and what is out follows where its account says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverberate.store import chores, codec, journal, posts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reverberate.config import Account
    from reverberate.model import Post
    from reverberate.store import Transaction


def take(
    tx: Transaction,
    known: Sequence[tuple[int, Post]],
    *,
    source: str,
    accounts: Mapping[str, Account],
    flood: int | None,
    now: datetime,
) -> None:
    """Store what changed since, and ask for what follows.

    Only the source that brought a post may change it: two that tell it differently would take turns for ever. What
    was not sent yet is rendered from what is stored then. What is out is compared with what it would say now by the
    worker that does the chore, so that a change that no reader would see changes nothing.

    Args:
        tx: the transaction that looks at the source.
        known: the posts that came in and are known, by number.
        source: where they came from.
        accounts: those of the config.
        flood: more changed posts than this at once change no share, for a new design of the blog is no update of
            every post; None is no bound.
        now: the time.
    """
    bodies = posts.bodies(tx, [post_id for post_id, _ in known], source=source)
    changed = [(n, post) for n, post in known if n in bodies and _says(bodies[n]) != _says(codec.dump_post(post))]
    for post_id, post in changed:
        posts.change(tx, post_id, post)
    if flood is not None and len(changed) > flood:
        words = f"{len(changed)} posts changed at once; what is shared of them is left as it is"
        journal.note(tx, "updates left alone", now=now, source=source, words=words)
    elif changed:
        _ask(tx, [post_id for post_id, _ in changed], accounts, now=now)


def _says(body: Any) -> dict[str, Any]:
    """A stored post without the time of its last change, which no reader minds."""
    return {key: value for key, value in body.items() if key != "updated"}


def _ask(tx: Transaction, post_ids: Sequence[int], accounts: Mapping[str, Account], *, now: datetime) -> None:
    edits = [name for name, one in accounts.items() if one.on_update == "edit"]
    reposts = [name for name, one in accounts.items() if one.on_update == "repost"]
    every = [(n, name) for n, name, _ in chores.out(tx, post_ids, edits)] if edits else []
    if reposts:  # the newest sharing of each post counts: what it says is what readers saw last
        newest = {(name, post_id): n for n, name, post_id in chores.out(tx, post_ids, reposts)}
        every += [(n, name) for (name, _), n in newest.items()]
    chores.ask(tx, every, "edit", by="update", now=now)


def further_slot(slots: Iterable[str]) -> str:
    """The name of the next sharing of a post that was shared under these."""
    taken = set(slots)
    return next(name for number in range(1, len(taken) + 2) if (name := f"update {number}") not in taken)
