"""Signing in, from both sides: a config whose accounts are to be connected, the command, and what its owner's browser does."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

from reverberate.accounts import Accounts
from reverberate.connecting import pasted
from reverberate.connector import Connector
from reverberate.sandbox import registration
from reverberate.signins import SignIns
from reverberate.store import Store
from reverberate.vault import key_place
from support.processes import PROGRAM, environment
from support.world import PlainRenderer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reverberate.config import Config
    from reverberate.connecting import Begun
    from reverberate.connector import Connected

BACK = "http://127.0.0.1:9/callback"
"""Nobody listens there: what came back is read from the address that the browser is sent to."""


class World:
    """A config, its store, its vault, and a clock that a test can let pass."""

    def __init__(self, config: Config, networks: Any) -> None:
        self.ahead, self.config = timedelta(0), config
        self.store, self.place = Store(config.database_url()), key_place(config.service.vault_key)
        self.sign_ins = SignIns(config, self.store, self.place.read, networks=networks, now=self.now)
        self.connector = Connector(config, self.sign_ins, networks=networks, now=self.now)
        self.accounts = Accounts(config, PlainRenderer(), networks=networks, sign_ins=self.sign_ins)  # type: ignore[arg-type]  # a renderer by its methods

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC) + self.ahead

    def connect(self, account: str, *, name: str = "", redirect: str = BACK) -> Connected:
        """Sign in at the sandbox, as ``name``, or as the account is called."""
        begun = self.connector.begin(account, redirect=redirect)
        return self.connector.complete(begun, pasted(agreed(begun.address, name=name or account)))

    def begun(self, account: str, *, redirect: str = BACK, **how: str) -> tuple[Begun, dict[str, str]]:
        """A sign-in at the sandbox, up to what came back."""
        begun = self.connector.begin(account, redirect=redirect)
        return begun, pasted(agreed(begun.address, **how))


def table(name: str, network: str, plain: Mapping[str, str], *, secrets: Mapping[str, str], vault: Any) -> str:
    """An account's table of the config; ``secrets`` says in which variable each lies."""
    lines = [f"[accounts.{name}]", f'network = "{network}"', 'settle = "0s"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    lines += [f'{key} = {{ env = "{variable}" }}' for key, variable in secrets.items()]
    return "\n".join([*lines, *(f"{key} = {{ vault = true }}" for key in vault), "", ""])


def rehearsing(url: str, seed: str, network: str, name: str, **how: bool) -> tuple[str, dict[str, str]]:
    """An account's table for a sandbox, and the variables that its secrets lie in."""
    told = registration(url, seed, network, name, **how)
    variables = {key: f"{name}_{key}".upper() for key in told.secrets}
    made = table(name, network, told.settings, secrets=variables, vault=told.vault)
    return made, {variables[key]: secret for key, secret in told.secrets.items()}


def agreed(address: str, *, name: str = "alice", answer: str = "allow") -> str:
    """What the owner does on the sandbox's page; the address that the browser is sent to."""
    page = requests.get(address, timeout=10, allow_redirects=False)
    if page.is_redirect:
        return page.headers["Location"]
    assert page.status_code == 200, page.text
    form = {unescape(k): unescape(v) for k, v in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text)}
    form |= {"sandbox_account": name, "sandbox_answer": answer}
    told = requests.post(page.url, data=form, timeout=10, allow_redirects=False)
    assert told.is_redirect, told.text
    return urljoin(page.url, told.headers["Location"])


@dataclass
class Asking:
    """``reverberate connect`` as it waits for its owner.

    Attributes:
        address: what it says to open.
        told: all that it said until then.
        process: itself.
    """

    address: str
    told: str
    process: subprocess.Popen[str]

    def ended(self, said: str = "") -> tuple[int, str, str]:
        """Its status and its words, once it has ended; ``said`` is pasted."""
        out, err = self.process.communicate(f"{said}\n" if said else None, timeout=60)
        return self.process.returncode, out, self.told + err


@contextmanager
def asking(config: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Asking]:
    """The command, begun; whatever happens, it does not outlive the block."""
    process = subprocess.Popen(
        [*PROGRAM, "--config", str(config), "connect", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        cwd=config.parent,
    )
    try:
        told, address, waits = "", "", "--paste" in arguments
        assert process.stderr
        while not address or not (waits or "waiting at" in told):
            line = process.stderr.readline()
            assert line, told
            told += line
            address = address or "".join(re.findall(r"^  (http\S+)$", line, re.MULTILINE))
        yield Asking(address, told, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def consented(address: str, *, back: str) -> str:
    """What the owner does at oidc-provider's own pages; the address below ``back`` that the browser is sent to in the end."""
    browser = requests.Session()
    page = browser.get(address, timeout=10)
    for _ in range(4):
        actions, form = (
            re.findall(r'action="([^"]+)"', page.text),
            dict(re.findall(r'name="(\w+)" value="(\w*)"', page.text)),
        )
        assert actions, f"{page.url} asks nothing: {page.status_code} {page.text[:2000]}"
        form |= {"login": "alice", "password": "x"} if form.get("prompt") == "login" else {}
        page = browser.post(urljoin(page.url, actions[0]), data=form, allow_redirects=False, timeout=10)
        while page.is_redirect:
            target = urljoin(page.url, page.headers["Location"])
            if target.startswith(back):
                return target
            page = browser.get(target, allow_redirects=False, timeout=10)
    raise AssertionError(f"no way back from {page.url}")
