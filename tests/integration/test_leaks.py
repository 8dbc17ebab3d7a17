"""Canaries for every secret of every network, in a full run with every kind of fault: none is found anywhere."""

from __future__ import annotations

import io
import json
import logging
import re
import sqlite3
import subprocess
import sys
import tarfile
import traceback
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate import logs, runtime
from reverberate.connector import Connector
from reverberate.errors import Outcome, ReverberateError
from reverberate.front import Front
from reverberate.model import Receipt, Scope
from reverberate.networks import networks
from reverberate.networks.base import Connects
from reverberate.networks.flows import OAuth2Flow, PasteFlow
from reverberate.sandbox import Dialect, Fault, Kind, Purpose, Sandbox
from reverberate.signins import SignIns
from reverberate.store import Store
from reverberate.vault import key_place
from support.clients import LINK, PICTURE, PNG
from support.clients import delivery as usual
from support.leaking import NETWORKS, OTHER_WAYS, SEED, Home, move_in
from support.leaks import SAYINGS, Echo, canary, leaks
from support.processes import environment, running
from support.servers import RedisServer, redis_program
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.model import Delivery
    from reverberate.networks.base import Network

pytestmark = pytest.mark.redis

SESSION = {"accessJwt": canary("accessJwt"), "refreshJwt": canary("refreshJwt")}
FAULTS = (
    Fault(kind=Kind.ERROR, on=Purpose.PUBLISH, status=401, network="mastodon", count=1),
    Fault(kind=Kind.EXPIRE, network="facebook", count=1),
    Fault(kind=Kind.EXPIRE, network="bluesky", count=1),
    Fault(kind=Kind.RATE_LIMIT, on=Purpose.PUBLISH, dialect=Dialect.SECONDS, seconds=1, network="twitter", count=1),
    Fault(kind=Kind.DROP, on=Purpose.PUBLISH, network="telegram", count=1),
    Fault(kind=Kind.CUT_ANSWER, on=Purpose.PUBLISH, network="tumblr", count=1),
    Fault(kind=Kind.TRUNCATE, on=Purpose.PUBLISH, network="wordpress", count=1),
    Fault(kind=Kind.FAIL, on=Purpose.PUBLISH, status=500, network="linkedin", count=1),
    Fault(kind=Kind.REDIRECT, on=Purpose.PUBLISH, network="reddit", count=1),
    Fault(kind=Kind.ERROR, on=Purpose.PUBLISH, status=500, network="discord", count=1),
)
COMMANDS = (
    ("shares",),
    ("accounts",),
    ("networks",),
    ("check",),
    ("doctor", "--online"),
    ("share", "show", "2"),
    ("why", "1", "bad-mastodon"),
    ("preview", "1", "--html", "preview.html"),
    ("vault", "status"),
    ("notices", "test", "hook"),
    ("connect", "bad-bluesky"),
    ("schema",),
    ("backup", "kept.tar.gz"),
)
ONE_PROCESS = """
import json, sys
from reverberate.cli import main
config = sys.argv[2]
for given in json.loads(sys.argv[1]):
    print("$", *given, flush=True)
    sys.argv[1:] = ["--config", config, "--verbose", *given]
    try:
        main()
    except SystemExit as end:
        print("ends with", end.code, flush=True)
"""
"""The commands one after the other, for starting a process takes longer than most of them."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("leaks")
    with Sandbox(folder / "sandbox", seed=SEED) as sandbox, Echo(SESSION) as echo:
        for fault in FAULTS:
            sandbox.faults.add(fault)
        yield move_in(folder, sandbox, echo, SESSION)


@pytest.fixture(scope="module")
def places(home: Home) -> dict[str, bytes]:
    """Everything that a run leaves or shows, by where that is."""
    redis = RedisServer(home.folder, redis_program())
    redis.start()
    try:
        found = service(home, redis)
        return found | asked_directly(home)
    finally:
        redis.kill()


def service(home: Home, redis: RedisServer) -> dict[str, bytes]:
    """The real programs: posts are published, shares go out or fail, everybody looks at everything."""
    env, log, seen = {"REDIS_URL": redis.url}, home.folder / "up.log", home.folder / "monitor.log"
    with runtime.open_service(runtime.read_config(home.config)) as made:
        token = home.secrets["an API token"] = Front(made).create_token("anna", Scope.ADMIN)["token"]
    found: dict[str, bytes] = {}
    with redis.monitor(seen), running(home.config, "--verbose", "up", env=env, log=log):
        door = f"http://{home.listen}"
        until(lambda: answers(f"{door}/healthz"), 20)
        head = {"Authorization": f"Bearer {token}"}
        for title in ("One", "Two"):
            post = {"url": f"https://blog.example/{title}", "title": title, "summary": "What it says."}
            made = requests.post(f"{door}/api/posts", json={"post": post}, headers=head, timeout=20)
            assert made.status_code in {200, 201}, made.text
        until(lambda: all(tried(door, head).values()), 30)
        found["commands"] = said(home, env)
        found |= {f"GET {path}": told for path, told in pages(door, head)}
        found["Redis"] = redis.dump()
    found["backup"] = unpacked(home)
    found |= {"log": log.read_bytes(), "Redis, as it was asked": seen.read_bytes(), **database(home)}
    found["preview.html"] = (home.folder / "preview.html").read_bytes()
    return found


def answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=5).ok
    return False


def tried(door: str, head: dict[str, str]) -> dict[str, bool]:
    """Whether a share of each account was tried."""
    shares = requests.get(f"{door}/api/shares?limit=200", headers=head, timeout=20).json()["items"]
    accounts: dict[str, bool] = {}
    for share in shares:
        accounts[share["account"]] = (
            accounts.get(share["account"], False) or share["tries"] > 0 or bool(share["reason"])
        )
    return accounts or {"none": False}


def said(home: Home, env: dict[str, str]) -> bytes:
    """What the commands say, down to the smallest."""
    command = [sys.executable, "-c", ONE_PROCESS, json.dumps(COMMANDS), str(home.config)]
    done = subprocess.run(
        command,
        input=f"{home.secrets['bad-bluesky.app_password']}\n".encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=True,
        env=environment(env | {"COLUMNS": "5000"}),  # a secret that is cut by the end of a line is one all the same
        cwd=home.folder,
    )
    return done.stdout


def pages(door: str, head: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """What each door that can be asked answers, with head; the stream's first part."""
    described = requests.get(f"{door}/api/openapi.json", headers=head, timeout=20)
    yield "/api/openapi.json", described.content
    for path in ("/metrics", "/status.json", "/healthz", "/readyz"):
        yield path, requests.get(f"{door}{path}", headers=head, timeout=20).content
    known = {"{post}": "1", "{share}": "2", "{account}": "bad-mastodon", "{source}": "none"}
    for path, methods in described.json()["paths"].items():
        if "get" not in methods:
            continue
        place = re.sub(r"\{\w+\}", lambda found: known.get(found[0], "1"), path)
        with requests.get(f"{door}{place}", headers=head, timeout=20, stream=True) as answer:
            told = "".join(f"{name}: {value}\n" for name, value in answer.headers.items()).encode()
            yield place, told + (next(answer.iter_content(100_000)) if "stream" in path else answer.content)


def unpacked(home: Home) -> bytes:
    """All that a backup holds."""
    with tarfile.open(home.folder / "kept.tar.gz") as archive:
        members = [archive.extractfile(member) for member in archive if member.isfile()]
        return b"\n".join(member.read() for member in members if member)


def database(home: Home) -> dict[str, bytes]:
    """Its files, and each table's rows."""
    files = sorted((home.folder / "data").glob("*.db*"))
    found = {"the database's files": b"".join(path.read_bytes() for path in files)}
    with closing(sqlite3.connect(next(path for path in files if path.suffix == ".db"))) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - the names are the database's own
            found[f"table {table}"] = "\n".join(map(repr, rows)).encode()
    return found


def asked_directly(home: Home, *, only: str = "bad-") -> dict[str, bytes]:
    """Every client, for everything it can do, as often as the echo has answers: what is raised, shown and logged."""
    loaded, told = runtime.read_config(home.config), io.StringIO()
    store = Store(loaded.database_url())
    try:
        with logged() as log:
            accounts = runtime.make_service(loaded, store).accounts
            told.write(repr(loaded))
            for name, account in loaded.accounts.items():
                network = accounts.network(name)
                print(repr(account), repr(account.settings), str(account.settings), repr(network), file=told)
                print(repr(network.session), repr(vars(network.session).get("auth")), file=told)
                if name.startswith(only):
                    for _ in range(len(SAYINGS) // 2):
                        told.writelines(texts(call) for call in calls(network))
                network.session.close()
            told.writelines(texts(call) for call in signed_in(home, store))
        return {"errors and reprs": told.getvalue().encode(), "log of the clients": log.getvalue().encode()}
    finally:
        store.close()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All that is logged, as the programs log it, down to the smallest."""
    root, stream = logging.getLogger(), io.StringIO()
    factory, level, handler = logging.getLogRecordFactory(), root.level, logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    logging.setLogRecordFactory(logs.Masked)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.setLogRecordFactory(factory)


def delivery(network: Network) -> Delivery:
    plain = usual("pinterest")
    words = replace(plain.message, parts=(f"A hill {LINK}",), pictures=(PICTURE,))
    return replace(
        plain, message=words, load=lambda _digest: PNG, address=lambda digest: f"https://blog.example/{digest}"
    )


def calls(network: Any) -> list[Callable[[], object]]:
    """All that a client can be asked for."""
    what, there = delivery(network), Receipt(remote_id="at://did:plc:a/app.bsky.feed.post/1")
    if network.name == "telegram":
        there = Receipt(remote_id="1/2")
    wanted: list[tuple[str, tuple[object, ...]]] = [("send", (what,)), ("find", (what,)), ("verify", ())]
    wanted += [("edit", (what, there)), ("delete", (what, there)), ("reactions", (there,)), ("live_limit", ())]
    return [
        lambda name=name, given=given: getattr(network, name)(*given)
        for name, given in wanted
        if hasattr(network, name)
    ]


def signed_in(home: Home, store: Store) -> Iterator[Callable[[], object]]:
    """Signing in, where that leads to the echo, and refreshing."""
    loaded = runtime.read_config(home.config)
    sign_ins = SignIns(loaded, store, key_place(loaded.service.vault_key).read, networks=networks)
    connector = Connector(loaded, sign_ins, networks=networks)
    yield sign_ins.tend
    for name, account in loaded.accounts.items():
        network = networks.get(account.network)
        if not name.startswith("bad-") or not issubclass(network, Connects):
            continue
        flow = network.flow(account.settings)
        base = str(getattr(account.settings, "api_base", "")).rstrip("/")
        if isinstance(flow, PasteFlow):
            values = {one.setting: home.secrets[f"{name}.{one.setting}"] for one in flow.asks}
            yield lambda name=name, values=values: connector.paste(name, values)
        elif base and (flow.token_url if isinstance(flow, OAuth2Flow) else flow.access_url).startswith(base):
            yield lambda name=name: completed(connector, name)


def completed(connector: Connector, name: str) -> object:
    begun = connector.begin(name, redirect="http://127.0.0.1:1/")
    logging.getLogger("reverberate").info("%r leads to %s", begun, begun.address)
    given = {"code": "c", "state": begun.state, "oauth_token": begun.state, "oauth_verifier": "v"}
    return connector.complete(begun, given)


def texts(call: Callable[[], object]) -> str:
    """What comes of a call, in every way in which that may be shown."""
    try:
        return f"{call()!r}\n"
    except (Outcome, ReverberateError, KeyError, TypeError, ValueError, AttributeError) as error:
        logging.getLogger("reverberate").warning("a try failed", exc_info=True)
        found, lines = error, []
        chain: BaseException | None = found
        while chain is not None:
            lines += [str(chain), repr(chain), repr(chain.args), repr(vars(chain))]
            chain = chain.__cause__ or chain.__context__
        return "\n".join([*lines, *traceback.format_exception(error), ""])


def test_no_canary_is_found_anywhere(home: Home, places: dict[str, bytes]) -> None:
    """In one test, for the run takes long: it met what could leak, nothing leaked, and a leak would be found in each place."""
    assert_met(home, places)
    assert leaks(home.secrets, places) == []

    name, secret = next(iter(home.secrets.items()))
    for place, content in places.items():
        found = leaks({name: secret}, {place: content + secret.encode()})
        assert found, place
        assert all(one.startswith(f"{name} in {place} ") for one in found)


def assert_met(home: Home, places: dict[str, bytes]) -> None:
    """Every secret was used, every account tried, and every answer repeated what was asked."""
    errors, commands = places["errors and reprs"], places["commands"]
    kinds = (b"Refused(", b"Unauthorised(", b"RateLimited(", b"Transient(", b"Unsure(")

    assert [kind for kind in kinds if kind not in errors] == []
    assert [
        name for name in (*NETWORKS, *OTHER_WAYS) if f"bad-{name.removeprefix('bad-')}'".encode() not in errors
    ] == []
    assert errors.count(b"***") > 1_000, "the echo repeats what it gets"
    assert [account for account in home.vault if account.encode() not in places["table vault"]] == []
    assert [
        name for name in home.lines if name.startswith("[accounts.") and account(name) not in places["table shares"]
    ] == []
    assert [place for place in ("Redis", "backup", "GET /metrics", "preview.html", "log") if not places[place]] == []
    assert commands.count(b"\nends with ") == len(COMMANDS)
    assert b"ends with 2" not in commands, "a command was called wrongly"


def account(lines: str) -> bytes:
    """The name in an account's table of the config."""
    return lines.partition("]")[0].removeprefix("[accounts.").encode()


@pytest.mark.parametrize("spell", [spell for _, _, spell in SAYINGS])
def test_a_planted_canary_is_found_however_it_is_spelled(spell: Callable[[str], bytes]) -> None:
    secret = canary("planted")

    assert leaks({"planted": secret}, {"a log": b"well: " + spell(f"Bearer {secret}"), "a page": b"nothing"}) != []


def test_an_unmasked_error_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same clients without masks: the scan sees what they keep back."""
    monkeypatch.setattr("reverberate.http.Session.mask", lambda _session, text: text)

    assert leaks(home.secrets, {"errors": asked_directly(home, only="bad-pinterest")["errors and reprs"]}) != []
