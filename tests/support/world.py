"""A small world for tests: a config with toy accounts, a store, and accounts that need no template."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reverberate.accounts import Accounts
from reverberate.config import Account, Config, Service, Site
from reverberate.errors import TemplateError
from reverberate.model import Message, Post, Share, ShareState
from reverberate.rendering import Draft, Voice
from reverberate.secrets import Secret
from reverberate.store import Store, posts, shares
from reverberate.store.shares import NewShare
from support.plugins import NETWORKS, ToySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class PlainRenderer:
    """Renders the title and the link; fails on a post that is titled so."""

    def draft(self, post: Post, voice: Voice) -> Draft:
        """Title and link, or the words that are given."""
        if post.title == "broken template":
            raise TemplateError("toy.txt: line 1: 'titel' is undefined")
        text = voice.override.text or f"{post.title}\n{post.url}"
        return Draft(message=Message(parts=(text,), link=post.url), template="toy.txt")

    def matches(self, expression: str, *, post: Post, account: str) -> bool:
        """The words yes and no, and nothing else."""
        del post, account
        if expression not in {"yes", "no"}:
            raise TemplateError(f"rule {expression!r}: cannot be read")
        return expression == "yes"


def make_config(names: Sequence[str], **more: object) -> Config:
    """A config with a toy account of each name."""
    settings = ToySettings(token=Secret("env", "PATH"))
    accounts = {name: Account(name=name, network="toy", settings=settings, **more) for name in names}  # type: ignore[arg-type]  # the tests' own shorthand
    return Config(path=Path("reverberate.toml"), site=Site(), service=Service(), accounts=accounts, sources={})


def make_accounts(config: Config) -> Accounts:
    """The config's accounts."""
    return Accounts(config, PlainRenderer(), networks=NETWORKS)  # type: ignore[arg-type]  # a renderer by its methods


def plan(store: Store, *, accounts: Sequence[str], number: int = 1, title: str = "A post") -> list[int]:
    """Plan shares of so many posts on each account, due now; their numbers."""
    now = datetime.now(UTC)
    with store.write() as tx:
        before = {share.id for share in shares.find(tx, limit=100_000)}
        for index in range(number):
            url = f"https://blog.example/{len(before)}/{index}"
            post_id = posts.add(tx, Post(url=url, title=title), source="s", now=now)
            new = [NewShare(post_id=post_id, account=name, due=now, key=f"{name}-{post_id}") for name in accounts]
            shares.plan(tx, new, now=now)
        return sorted(share.id for share in shares.find(tx, limit=100_000) if share.id not in before)


def get(store: Store, share_id: int) -> Share:
    """One share, which is there."""
    with store.read() as tx:
        share = shares.get(tx, share_id)
    assert share is not None
    return share


def states(store: Store) -> dict[str, int]:
    """How many shares there are in each state that has any."""
    with store.read() as tx:
        counted: dict[str, int] = {}
        for (_, state), number in shares.counts(tx).items():
            counted[state] = counted.get(state, 0) + number
    return counted


def at_once(ask: Callable[[], T], *, times: int = 20) -> list[T]:
    """What so many threads are answered that ask at the same time; an error of any is raised."""
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: ask(), range(times)))


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until it holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


SENT = ShareState.SENT
