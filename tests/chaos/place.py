"""An installation for a storm: sandbox networks that fail, a blind one, many accounts, a Redis, a database."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from chaos.blind import BlindLedger
from chaos.lives import Home
from reverberate.sandbox import Ledger, credentials, settings
from support.processes import environment
from support.servers import RedisServer, redis_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SEED = "storm"
IDENTITY, READABLE, BLIND = ("bluesky", "mastodon"), ("twitter", "facebook"), ("blind",)
LAG = 0.8
"""Seconds by which the sandbox's listings are late; less than the accounts' ``settle``."""
LOST = {"drop": 0.035, "truncate": 0.01, "cut-answer": 0.01, "fail": 0.01}
"""Taken, and the answer does not arrive; the chance for each attempt to publish."""
NOT_TAKEN = {"error": 0.01, "cut-request": 0.01}
SLOW = {"drip": (0.5, 0.4)}
"""Taken, and the answer takes so many seconds: time to die in."""


def faults() -> list[str]:
    """As the sandbox's command line has them."""
    rare = [f"{kind}:on=publish,probability={chance}" for kind, chance in (LOST | NOT_TAKEN).items()]
    slow = [f"{kind}:on=publish,probability={chance},seconds={much}" for kind, (chance, much) in SLOW.items()]
    return [*rare, *slow, f"lag:seconds={LAG}"]


def accounts(each: int) -> dict[str, str]:
    """So many accounts of each of the three classes, by name; half of a class on each of its two networks."""
    named: dict[str, str] = {}
    for kind in (IDENTITY, READABLE, BLIND):
        for number in range(each):
            network = kind[number % len(kind)]
            named[f"{network}{number:02}"] = network
    return named


@dataclass(frozen=True, kw_only=True)
class Place:
    """A running surrounding; the service itself does not run yet."""

    home: Home
    accounts: Mapping[str, str]
    sandbox: str
    blind: BlindLedger
    redis: RedisServer

    @property
    def database(self) -> str:
        """Its address."""
        return self.home.env.get("DATABASE_URL") or f"sqlite:///{self.home.folder}/data/reverberate.db"

    def accepted(self) -> list[tuple[str, str, str, str]]:
        """(account, text, the network's id, when) of each post that a network ever took."""
        entries = Ledger.read(self.home.folder / "sandbox" / "ledger.jsonl")
        seen = [(one.account, one.text, one.remote_id, one.at) for one in entries]
        return seen + [(one.account, one.text, one.remote_id, one.at.isoformat()) for one in self.blind.taken]

    def happened(self) -> dict[str, int]:
        """How often each fault happened in the sandbox."""
        with urlopen(f"{self.sandbox}/faults", timeout=10) as answer:  # noqa: S310 - our own, on this machine
            report: dict[str, Any] = json.load(answer)
        return dict(report["happened"]) | {"early": report["early"]}


@contextmanager
def place(folder: Path, *, each: int, database: str = "", lease: float = 4.0, humble: bool = False) -> Iterator[Place]:
    """Everything around the service, with ``each`` accounts of each class."""
    named = accounts(each)
    with ExitStack() as stack:
        url = stack.enter_context(_sandbox(folder / "sandbox"))
        blind = stack.enter_context(BlindLedger(seed=SEED, lost=sum(LOST.values()), slow=0.4))
        redis = RedisServer(folder, redis_program())
        redis.start()
        stack.callback(redis.kill)
        env = {"REDIS_URL": redis.url} | ({"DATABASE_URL": database} if database else {})
        home = Home(folder=folder, env=env, lease=lease, humble=humble)
        _configure(home, named, url, blind.url)
        yield Place(home=home, accounts=named, sandbox=url, blind=blind, redis=redis)


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "reverberate.sandbox", "--folder", str(folder), "--seed", SEED]
    command += [part for fault in faults() for part in ("--fault", fault)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _configure(home: Home, named: Mapping[str, str], sandbox: str, blind: str) -> None:
    secrets = home.folder / "secrets"
    secrets.mkdir()
    lines = ["[site]", 'title = "Blog"', ""]
    for number, (name, network) in enumerate(named.items()):
        lines += [f"[accounts.{name}]", f'network = "{network}"', 'settle = "2s"', f"retry = {['1s'] * 50}"]
        plain = {"api_base": blind} if network == "blind" else settings(sandbox, SEED, network, name)
        lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
        for key, value in credentials(SEED, network, name).items():
            (secrets / f"{name}.{key}").write_text(value, encoding="utf-8")
            lines.append(f"{key} = {{ file = {json.dumps(str(secrets / f'{name}.{key}'))} }}")
        lines += [f'schedule = {{ delay = "{number % 3}s" }}', ""]
    home.config.write_text("\n".join(lines), encoding="utf-8")
