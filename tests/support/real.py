"""Real servers, fetched by tools/servers.sh and run on free loopback ports. Each is ended with all that it started."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from support.processes import environment
from support.servers import free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOSTS = Path(__file__).parents[1] / "real" / "hosts"
"""The few lines that start a server which comes as a library."""


def cache() -> Path:
    """Where tools/servers.sh puts them."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("REVERBERATE_SERVERS") or Path(base, "reverberate", "servers"))


def fetched(name: str) -> Path:
    """The folder of a server; a visible skip where it was not fetched, and a failure in CI."""
    folder = cache() / name
    if not (folder / ".version").exists():
        missing(f"{name} (tools/servers.sh {name})")
    return folder


def answers(url: str) -> bool:
    """Whether something answers there, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback address of ours
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def served(
    command: Sequence[str | Path],
    *,
    url: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 90,
) -> Iterator[None]:
    """A server that runs while the block does, in a session of its own; it is ready once ``url`` answers.

    What it prints is in ``folder``, named after the program; the end of it is told if the server does not start.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd, start_new_session=True
        )
    try:
        deadline = time.monotonic() + seconds
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} does not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and its children, politely first: they are a process group of their own."""
    for how, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, how)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


@dataclass(frozen=True)
class Site:
    """A server that runs, and who we are there."""

    url: str
    user: str
    password: str


@contextmanager
def snac(folder: Path) -> Iterator[Site]:
    """snac: Mastodon's API by another hand, with one user."""
    program = Path(shutil.which("snac") or fetched("snac") / "root/usr/bin/snac")
    port, data = free_port(), folder / "snac"
    _told(program, "init", data, said=f"127.0.0.1\n{port}\n127.0.0.1:{port}\n\n\n")
    settings = json.loads((data / "server.json").read_text())
    (data / "server.json").write_text(json.dumps(settings | {"protocol": "http"}))
    (password,) = re.findall(r"password is (\S+)", _told(program, "adduser", data, "alice", said="alice\nAlice\n"))
    url = f"http://127.0.0.1:{port}"
    with served([program, "httpd", data], url=f"{url}/api/v1/instance", folder=folder):
        yield Site(url, "alice", password)


def _told(*command: str | Path, said: str) -> str:
    """What a program prints that asks at its terminal."""
    done = subprocess.run(command, input=said, text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


@contextmanager
def bluesky(folder: Path) -> Iterator[Site]:
    """A Bluesky PDS and the directory that it needs, with one user and an app password."""
    plc, pds = (fetched(name) / "node_modules" for name in ("plc", "pds"))
    node = shutil.which("node") or missing("Node.js") or ""
    command = [node, "-r", HOSTS / "loopback.js"]
    directory, port = free_port(), free_port()
    url = f"http://localhost:{port}"
    settings = {
        "PDS_PORT": str(port),
        "PDS_HOSTNAME": "localhost",
        "PDS_DEV_MODE": "true",
        "PDS_DATA_DIRECTORY": str(folder),
        "PDS_BLOBSTORE_DISK_LOCATION": str(folder / "blobs"),
        "PDS_DID_PLC_URL": f"http://localhost:{directory}",
        "PDS_INVITE_REQUIRED": "false",
        "PDS_SERVICE_HANDLE_DOMAINS": ".test",
        "PDS_JWT_SECRET": "a-secret-of-the-tests",
        "PDS_ADMIN_PASSWORD": "a-password-of-the-tests",
        "PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX": f"{4242424242:064x}",
        "PDS_BSKY_APP_VIEW_URL": "http://127.0.0.1:9",
        "PDS_BSKY_APP_VIEW_DID": "did:web:localhost",
        "PDS_DISABLE_SSRF_PROTECTION": "true",
        "LOG_ENABLED": "false",
    }
    with (
        served(
            [*command, HOSTS / "plc.js", str(directory)],
            url=f"http://127.0.0.1:{directory}/_health",
            folder=folder,
            env=environment({"NODE_PATH": str(plc)}),
        ),
        served(
            [*command, HOSTS / "pds.js"],
            url=f"{url}/xrpc/_health",
            folder=folder,
            env=environment({"NODE_PATH": str(pds), **settings}),
        ),
    ):
        yield _bluesky_user(url)


def _bluesky_user(url: str) -> Site:
    account = {"handle": "alice.test", "email": "alice@example.test", "password": "the-own-password"}
    told = requests.post(f"{url}/xrpc/com.atproto.server.createAccount", json=account, timeout=30)
    bearer = {"Authorization": f"Bearer {told.json()['accessJwt']}"}
    made = f"{url}/xrpc/com.atproto.server.createAppPassword"
    password = requests.post(made, json={"name": "reverberate"}, headers=bearer, timeout=30).json()["password"]
    return Site(url, "alice.test", password)


@contextmanager
def wordpress(folder: Path) -> Iterator[Site]:
    """WordPress on SQLite, with an administrator and an application password."""
    builds, php = fetched("wordpress"), shutil.which("php") or missing("PHP") or ""
    port, root = free_port(), folder / "wordpress"
    _unpacked(builds, root)
    url = f"http://127.0.0.1:{port}"
    env = environment({"WP_URL": url, "PHP_CLI_SERVER_WORKERS": "4"})
    install = [php, HOSTS / "wordpress-install.php", root]
    made = subprocess.run(install, env=env, text=True, capture_output=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    password = made.stdout.strip().splitlines()[-1]
    command = [php, "-S", f"127.0.0.1:{port}", "-t", root, HOSTS / "wordpress-router.php"]
    with served(command, url=f"{url}/wp-json/", folder=folder, env=env):
        yield Site(url, "admin", password)


def _unpacked(builds: Path, root: Path) -> None:
    """The site's files: WordPress, the drop-in that gives it SQLite, and what the tests set."""
    with zipfile.ZipFile(builds / "wp-6.5.zip") as archive:
        archive.extractall(root)
    plugins = root / "wp-content" / "plugins"
    with zipfile.ZipFile(builds / "sqlite-database-integration.zip") as archive:
        archive.extractall(plugins)
    plugin = (plugins / "sqlite-database-integration-main").rename(plugins / "sqlite-database-integration")
    shutil.copy(plugin / "db.copy", root / "wp-content" / "db.php")
    shutil.copy(HOSTS / "wordpress-config.php", root / "wp-config.php")
