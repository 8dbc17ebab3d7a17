"""The demo: a sample blog, sandbox networks and the real service, on this machine and with made-up credentials."""

from __future__ import annotations

import json
import logging
import math
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from reverberate import runtime, status
from reverberate.errors import ReverberateError
from reverberate.model import ShareState
from reverberate.sandbox import Sandbox, credentials, registration, settings
from reverberate.sandbox.blog import Blog
from reverberate.sandbox.keys import Registration
from reverberate.stopping import FAMILY_SECONDS, Stopping
from reverberate.store import posts, shares

if TYPE_CHECKING:
    import threading

    from reverberate.service import Service

log = logging.getLogger(__name__)
SEED = "demo"
ACCOUNTS = {
    "twitter": "twitter",
    "page": "facebook",
    "fedi": "mastodon",
    "sky": "bluesky",
    "plus": "googleplus",
}
CONNECTED = ("twitter", "page", "fedi")
"""With ``--connect`` these are signed in by whoever looks on."""
WAIT_SECONDS = 60
DONE = {ShareState.SENT, ShareState.SKIPPED}
SETTLED = DONE | {ShareState.REFUSED, ShareState.HELD, ShareState.CANCELLED}
TITLE = "Publish once, be heard everywhere"
SUMMARY = (
    "This post was written once, on a small blog. Its feed was read, a summary was rendered for each network from a "
    "template and fitted to what the network allows, and it was shared on every account: once each."
)
BODY = f"<p>{SUMMARY}</p><p>Change a template, publish again, and see what becomes of it.</p>"


def run_demo(*, once: bool, as_json: bool, folder: Path | None, connect: bool = False) -> int:
    """Run it; 0 when every share is sent or skipped, 1 otherwise. Without ``once`` it goes on until Ctrl-C.

    With ``connect`` some accounts are not signed in; their shares wait until somebody does so, for as long as it takes.
    """
    if once and connect:
        raise ReverberateError("--once does not wait for anybody", hint="leave it out, or --connect")
    stopping, say = Stopping(), sys.stderr if as_json else sys.stdout
    stopping.heed_signals(leave=FAMILY_SECONDS)
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reverberate-demo-")))
        home.mkdir(parents=True, exist_ok=True)
        people = {network: name for name, network in ACCOUNTS.items()}
        sandbox = stack.enter_context(Sandbox(home / "sandbox", seed=SEED, people=people))
        blog = stack.enter_context(Blog(home / "blog"))
        path = _write_config(home, sandbox.url, blog.url, connect=connect)
        service = stack.enter_context(runtime.Up(runtime.read_config(path), stopping).running())
        post_id = _publish(service, blog, stop=stopping.begun)
        if connect:
            _invite(path, say=say)
        rows = _wait(service, post_id, seconds=math.inf if connect else WAIT_SECONDS, stop=stopping.begun)
        _report(rows, as_json=as_json)
        if not once and not stopping.begun.is_set():
            _addresses(blog.url, sandbox.url, path, say=say)
            stopping.begun.wait()
        return 0 if rows and all(row["state"] in DONE for row in rows) else 1


def _write_config(home: Path, sandbox_url: str, blog_url: str, *, connect: bool) -> Path:
    """A config like any other; its secrets lie in files of their own."""
    secrets = home / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    lines = ["[site]", 'title = "The sample blog"', "", "[service]", f'listen = "127.0.0.1:{_free_port()}"']
    if connect:  # Facebook sends nobody back without TLS but to localhost
        port = _free_port()
        lines += [f"connect_port = {port}", f'connect_redirect = "http://localhost:{port}/callback"']
        lines += [f"vault_key = {{ file = {json.dumps(str(home / 'vault.key'))} }}"]
    lines.append("")
    lines += ["[sources.blog]", 'type = "feed"', f"url = {json.dumps(blog_url + '/feed.xml')}", 'every = "2s"', ""]
    for name, network in ACCOUNTS.items():
        lines += [f"[accounts.{name}]", f'network = "{network}"']
        if network != "googleplus":
            told = _registered(sandbox_url, network, name, connect=connect and name in CONNECTED)
            lines += [f"{key} = {json.dumps(value)}" for key, value in told.settings.items()]
            lines += [f"{key} = {_stored(secrets / f'{name}.{key}', value)}" for key, value in told.secrets.items()]
            lines += [f"{key} = {{ vault = true }}" for key in told.vault]
        lines.append("")
    path = home / "reverberate.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _registered(url: str, network: str, name: str, *, connect: bool) -> Registration:
    """What an account's table says, whether its secrets are there already or come by signing in."""
    if connect:
        return registration(url, SEED, network, name)
    plain = settings(url, SEED, network, name)
    return Registration(plain, {k: v for k, v in credentials(SEED, network, name).items() if k not in plain}, ())


def _stored(path: Path, value: str) -> str:
    path.write_text(value, encoding="utf-8")
    path.chmod(0o600)
    return f"{{ file = {json.dumps(str(path))} }}"


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _publish(service: Service, blog: Blog, *, stop: threading.Event) -> int:
    """Publish on the blog once its feed has been seen, and wait until the service has read of it."""
    deadline = time.monotonic() + WAIT_SECONDS
    _until(lambda: stop.is_set() or _newest(service) > 0, deadline, "the sample blog's feed is never read")
    before = _newest(service)
    blog.publish(TITLE, BODY, summary=SUMMARY, tags=["open web", "cross-posting", "blogging"])
    _until(lambda: stop.is_set() or _newest(service) > before, deadline, "the new post is never seen")
    return _newest(service)


def _newest(service: Service) -> int:
    with service.store.read() as tx:
        known = posts.newest(tx, limit=1)
    return known[0].id if known else 0


def _wait(service: Service, post_id: int, *, seconds: float, stop: threading.Event) -> list[dict[str, Any]]:
    """The shares of the post, once nothing more will happen to them, or nobody waits any more."""
    deadline = time.monotonic() + seconds
    while True:
        with service.store.read() as tx:
            found = list(reversed(shares.find(tx, post_id=post_id)))
            texts = [{"text": _text(shares.message(tx, one.id))} for one in found]
            rows = [row | text for row, text in zip(status.rows(tx, found), texts, strict=True)]
        settled = rows and all(row["state"] in SETTLED for row in rows)
        if settled or stop.is_set() or time.monotonic() > deadline:
            return rows
        time.sleep(0.05)


def _text(message: Any) -> str:
    return message.text if message else ""


def _until(condition: Any, deadline: float, complaint: str) -> None:
    while not condition():
        if time.monotonic() > deadline:
            raise ReverberateError(complaint)
        time.sleep(0.05)


def _report(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    from reverberate.cli.common import emit, table

    if as_json:
        emit(rows)
    else:
        short = [row | {"text": " ".join(row["text"].split())} for row in rows]
        table(short, ["account", "state", "permalink", "text"], empty="nothing was shared", title="Shared once each:")


def _invite(path: Path, *, say: TextIO) -> None:
    say.write("The post is out where the accounts are connected. These wait for you, in another terminal:\n\n")
    say.writelines(f"  reverberate --config {path} connect {name}\n" for name in CONNECTED)
    say.write("\nAgree on the page that opens, and the post follows. Ctrl-C ends it.\n\n")
    say.flush()


def _addresses(blog: str, sandbox: str, path: Path, *, say: TextIO) -> None:
    say.write(f"\nthe sample blog      {blog}/\nthe sandbox networks {sandbox}/\nthe config           {path}\n")
    say.write(f"publish again with   reverberate --config {path} publish FILE.md\nCtrl-C ends it.\n")
    say.flush()
