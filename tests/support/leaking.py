"""An installation whose every secret is a canary: accounts of every network on the sandbox, and on an echo of secrets."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from reverberate import runtime
from reverberate.networks import networks
from reverberate.networks.flows import Grant
from reverberate.sandbox import credentials, settings
from reverberate.secrets import Secret
from reverberate.signins import SignIns
from reverberate.store import Store
from reverberate.vault import key_place, new_key, write_keys
from support.leaks import canary
from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reverberate.sandbox import Sandbox
    from support.leaks import Echo

SEED = "leaks"
NETWORKS = [name for name in networks.names() if not networks.get(name).retired and name != "memory"]
VAULTED = {"access_token", "app_password", "token", "bot_token"}
"""What every second account has in the vault; the others have it in a file."""
OTHER_WAYS: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "bad-discord-bot": ("discord", {"channel": "1"}, {"bot_token"}),
    "bad-twitter-two": ("twitter", {"client_id": "app"}, {"client_secret", "access_token"}),
    "bad-wordpress-com": ("wordpress", {"site": "a.example"}, {"access_token", "client_secret"}),
    "bad-reddit-text": ("reddit", {"subreddit": "sandbox", "kind": "self"}, {"access_token", "client_secret"}),
}
"""Accounts of the echo that go another way, or sign in by other secrets."""
LEFT_OUT = {
    "twitter": {"client_secret"},
    "wordpress": {"access_token", "client_secret"},
    "discord": {"bot_token"},
}
"""What excludes the usual way."""


@dataclass(kw_only=True)
class Home:
    """Where everything lies.

    Attributes:
        folder: the config's.
        listen: the web door.
        secrets: every canary, by what it is for.
    """

    folder: Path
    listen: str
    secrets: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    vault: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The file."""
        return self.folder / "reverberate.toml"

    def account(self, name: str, network: str, plain: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Add an account."""
        in_vault = VAULTED if len(self.lines) % 2 else set()
        told = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
        for key, value in secrets.items():
            self.secrets[f"{name}.{key}"] = value
            if key in in_vault:
                self.vault.setdefault(name, {})[key] = value
                told.append(f"{key} = {{ vault = true }}")
            else:
                told.append(f"{key} = {{ file = {json.dumps(self.keep(f'{name}.{key}', value))} }}")
        self.lines.append("\n".join([f"[accounts.{name}]", f'network = "{network}"', *told]))

    def keep(self, name: str, secret: str) -> str:
        """A file with a secret."""
        path = self.folder / "secrets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(secret, encoding="utf-8")
        return str(path)


def move_in(folder: Path, sandbox: Sandbox, echo: Echo, session: Mapping[str, str]) -> Home:
    """Write the config, and put into the vault what lies there."""
    home = Home(folder=folder, listen=f"127.0.0.1:{free_port()}", secrets=dict(session))
    for network in NETWORKS:
        good, bad = f"good-{network}", f"bad-{network}"
        plain = settings(sandbox.url, SEED, network, good)
        home.account(good, network, plain, credentials(SEED, network, good))
        fields = _secret_fields(network) - LEFT_OUT.get(network, set())
        home.account(bad, network, _on(echo, network, bad), {one: _made(bad, one, echo) for one in sorted(fields)})
    for name, (network, plain, fields) in OTHER_WAYS.items():
        there = {"api_base": f"{echo.url}/{network}"}
        home.account(name, network, there | plain, {one: _made(name, one, echo) for one in sorted(fields)})
    _notices(home, echo)
    _write(home)
    return home


def _on(echo: Echo, network: str, account: str) -> dict[str, Any]:
    """The settings of an account on the echo."""
    plain: dict[str, Any] = {**settings(echo.url, SEED, network, account)}
    plain.pop("url", None)  # it is a secret here
    if "client_id" in networks.get(network).Settings.model_fields and network not in LEFT_OUT:
        plain["client_id"] = "app"
    return plain


def _secret_fields(network: str) -> set[str]:
    """The settings that are secrets, or may be."""
    fields = networks.get(network).Settings.model_fields
    return {name for name, field in fields.items() if Secret in {field.annotation, *get_args(field.annotation)}}


def _made(account: str, name: str, echo: Echo) -> str:
    """A canary in the shape that the setting wants."""
    secret = canary(f"{account}.{name}")
    plain = "".join(letter for letter in secret if letter.isalnum())
    match name:
        case "webhook":
            return f"{echo.url}/webhooks/1/{plain}"
        case "url":
            return f"{echo.url}/{plain}"
        case "secret":
            return f"whsec_{base64.b64encode(secret.encode()).decode()}"
        case "token":
            return f"123:{plain}"
        case _:
            return secret


def _notices(home: Home, echo: Echo) -> None:
    """Channels that are told of everything that goes wrong."""
    signing = f"whsec_{base64.b64encode(canary('notices').encode()).decode()}"
    home.secrets["notices.hook"] = signing
    home.lines.append(
        f'[notices.hook]\ntype = "webhook"\nurl = "{echo.url}/notices"\ngather = "0s"\nevery = "0s"\n'
        f"secret = {{ file = {json.dumps(home.keep('notices', signing))} }}"
    )
    mail = home.secrets["notices.mail"] = canary("mail")
    home.lines.append(
        f'[notices.mail]\ntype = "email"\nhost = "127.0.0.1"\nport = {free_port()}\nusername = "anna"\n'
        f"password = {{ file = {json.dumps(home.keep('mail', mail))} }}\n"
        'sender = "a@blog.example"\nto = ["b@blog.example"]\ngather = "0s"'
    )


def _write(home: Home) -> None:
    key, path = new_key(), home.folder / "keys" / "vault.key"
    write_keys(path, [key])
    home.secrets["the vault's key"] = base64.b64encode(key).decode()
    top = ["[service]", f'listen = "{home.listen}"', f"vault_key = {{ file = {json.dumps(str(path))} }}", "", "[site]"]
    home.config.write_text("\n".join([*top, 'title = "Blog"', "", "\n\n".join(home.lines), ""]), encoding="utf-8")
    loaded = runtime.read_config(home.config)
    store = Store(loaded.database_url())
    try:
        sign_ins = SignIns(loaded, store, key_place(loaded.service.vault_key).read, networks=networks)
        for account, values in home.vault.items():
            sign_ins.keep(account, _grant(home, account, values))
    finally:
        store.close()


def _grant(home: Home, account: str, values: Mapping[str, str]) -> Grant:
    """What lies in the vault; a token of the echo's own is over, so that it is refreshed there, in vain."""
    if account not in {"bad-mastodon", "bad-twitter-two"}:
        return Grant(values=values)
    refresh = home.secrets[f"{account}.refresh"] = canary(f"{account}.refresh")
    return Grant(values=values, refresh=refresh, expires=datetime.now(UTC))
