"""A blogger's installation for tests: a config with sandbox accounts, their secrets in files, and posts to publish."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverberate.sandbox import Ledger, credentials, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reverberate.sandbox import Entry, Sandbox

ACCOUNTS = {"tw": "twitter", "fb": "facebook", "ma": "mastodon", "bs": "bluesky"}
SEED = "test"


@dataclass(frozen=True)
class Blogger:
    """Where the config and the ledger lie."""

    config: Path
    ledger: Path

    def entries(self) -> list[Entry]:
        """All that the sandbox accepted."""
        return Ledger.read(self.ledger)

    def accepted(self) -> Counter[tuple[str, str]]:
        """How often each (account, title) was accepted."""
        return Counter((entry.account, entry.text.splitlines()[0]) for entry in self.entries())

    def post(self, title: str) -> Path:
        """A file to publish."""
        path = self.config.parent / f"{title.replace(' ', '-').lower()}.md"
        url = f"https://blog.example/{path.stem}"
        path.write_text(
            f"---\ntitle: {title}\nurl: {url}\nsummary: What {title} says.\n---\nText of {title}.\n", "utf-8"
        )
        return path


def move_in(
    home: Path, sandbox: Sandbox, *, accounts: Mapping[str, str] = ACCOUNTS, extra: Iterable[str] = ()
) -> Blogger:
    """Write the config."""
    secrets = home / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    lines = ["[site]", 'title = "Blog"', "", *extra, ""]
    for name, network in accounts.items():
        plain = settings(sandbox.url, SEED, network, name)
        lines += [f"[accounts.{name}]", f'network = "{network}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
        for key, value in credentials(SEED, network, name).items():
            path = secrets / f"{name}.{key}"
            path.write_text(value, encoding="utf-8")
            lines.append(f"{key} = {{ file = {json.dumps(str(path))} }}")
        lines.append("")
    config = home / "reverberate.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    return Blogger(config, home / "sandbox" / "ledger.jsonl")
