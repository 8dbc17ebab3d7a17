"""A lost answer, through the whole service: the readable settle it, the blind ask, and nobody has two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate.config import load
from reverberate.delivery import Courier
from reverberate.model import Post, ShareState
from reverberate.networks import networks
from reverberate.runtime import make_service
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.sandbox.keys import number, token
from reverberate.sources import sources
from reverberate.store import shares
from reverberate.tasks import Poller
from support.world import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from reverberate.model import Share
    from reverberate.store import Store

S = ShareState
ACCOUNTS = {
    "channel": "telegram",
    "hook": "discord",
    "bot": "discord",
    "links": "reddit",
    "blog": "tumblr",
    "receiver": "webhook",
}
POST = Post(url="https://blog.example/a-post", title="A post", summary="In short.", tags=("one", "two"))


def table(url: str, name: str, network: str, patch: pytest.MonkeyPatch) -> str:
    """An account's table of the config."""
    plain, secret = settings(url, "s", network, name), credentials("s", network, name)
    if name == "bot":
        plain, secret = plain | {"channel": number("s", network, name)}, {"bot_token": token("s", network, name)}
    for key, value in secret.items():
        patch.setenv(f"{name}_{key}".upper(), value)
    lines = [
        f"[accounts.{name}]",
        f'network = "{network}"',
        'settle = "0s"',
        'picture = "none"',
        'retry = ["0s", "0s"]',
    ]
    lines += [f'{key} = "{value}"' for key, value in plain.items()]
    return "\n".join([*lines, *(f'{key} = {{ env = "{name.upper()}_{key.upper()}" }}' for key in secret)])


def test_what_was_lost_is_there_once_or_asks(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tmp_path / "sandbox", seed="s") as sandbox:
        for network in set(ACCOUNTS.values()):
            often = 2 if network == "discord" else 1
            sandbox.faults.add(Fault(kind=Kind.DROP, network=network, on=Purpose.PUBLISH, count=often))
        path = tmp_path / "reverberate.toml"
        tables = [table(sandbox.url, name, network, monkeypatch) for name, network in ACCOUNTS.items()]
        path.write_text("\n\n".join(tables), encoding="utf-8")
        service = make_service(load(path, networks=networks, sources=sources), store)
        service.publish(POST)
        found = delivered(store, Courier(store, service.accounts))

        assert {name: share.state for name, share in found.items()} == {
            name: S.UNSURE if name in {"channel", "hook"} else S.SENT for name in ACCOUNTS
        }
        assert all("please check" in found[name].reason for name in ("channel", "hook"))
        assert sorted(entry.account for entry in sandbox.ledger.accepted()) == sorted(ACCOUNTS)


def delivered(store: Store, courier: Courier) -> dict[str, Share]:
    """The shares by their accounts, once nobody but a person has to act on them."""

    def rows() -> list[Share]:
        with store.read() as tx:
            return shares.find(tx)

    def settled() -> bool:
        far = datetime.now(UTC) + timedelta(days=365)
        return all(one.state is S.SENT or (one.state is S.UNSURE and (one.wake or far) >= far) for one in rows())

    poller = Poller(store, courier, grace=timedelta(0))
    try:
        until(settled, 60)
    finally:
        poller.stop()
        courier.close()
    return {share.account: share for share in rows()}
