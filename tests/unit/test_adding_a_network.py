"""Adding a network touches its own places only, and a network's module is short."""

from __future__ import annotations

import ast
import importlib.util
import re
import statistics
import tomllib
from functools import cache
from pathlib import Path

import pytest

import reverberate

ROOT = Path(__file__).parents[2]
PACKAGE = Path(reverberate.__file__).parent
POINTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "entry-points"
]["reverberate.networks"]
MODULES = {name: PACKAGE.parent / f"{where.partition(':')[0].replace('.', '/')}.py" for name, where in POINTS.items()}
LONGEST, MEDIAN = 300, 120
TABLES = {
    "text/limits.py",
    "text/escape.py",
    "text/links.py",
    "pictures/rules.py",
    "networks/versions.py",
    "networks/kin.py",
}
"""Data that several networks share, a row each with its source; a plug-in brings its own instead."""
SHOWS = {"demo.py", "cli/setup.py", "pictures/find.py"}
"""What shows some networks to a newcomer, and what reads the tags of pages that are called after one."""
OTHER_WORDS = {"memory", "threads", "webhook", "wordpress"}
"""Networks whose names are words for other things too."""


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _words(path: Path) -> set[str]:
    """The texts that a module's code is written in, each as a whole."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("name", sorted(POINTS))
def test_a_network_is_its_module_entry_point_test_and_page(name: str) -> None:
    places = [
        MODULES[name],
        ROOT / "tests" / "contract" / f"test_{name}.py",
        ROOT / "docs" / "networks" / f"{name}.md",
    ]

    assert [str(path.relative_to(ROOT)) for path in places if not path.exists()] == []


def test_a_template_is_named_after_its_network_or_is_the_default() -> None:
    names = {path.stem for path in (ROOT / "templates" / "posts").glob("*.txt")}

    strange = {name for name in names - {"default"} if name.partition("-")[0] not in POINTS}

    assert strange == set(), "a template of no network"


def test_no_other_code_knows_a_network_by_name() -> None:
    """A network that comes or goes changes no decision elsewhere: what is special of it stands in its own module."""
    others = [path for path in PACKAGE.rglob("*.py") if path not in MODULES.values()]
    knowing = {
        str(path.relative_to(PACKAGE)): sorted(named)
        for path in others
        if (named := _words(path) & (set(POINTS) - OTHER_WORDS))
    }
    known = {where: names for where, names in knowing.items() if where not in TABLES | SHOWS}

    assert {where: names for where, names in known.items() if not where.startswith("sandbox/")} == {}


def _lines_of(path: Path) -> int:
    """A network's lines, with those of modules beside it that it alone imports: nothing is gained by moving them out."""
    beside = [other for other in (PACKAGE / "networks").glob("*.py") if other not in MODULES.values()]
    own = [one for one in beside if _importers(one) == {path} and f"networks/{one.name}" not in TABLES]
    return lines(path) + sum(map(lines, own))


def _importers(module: Path) -> set[Path]:
    """Everything in the package that imports a module of the networks."""
    pattern = re.compile(rf"reverberate\.networks(?:\.| import (?:.*, )?){module.stem}\b")
    return {path for path, text in _texts().items() if pattern.search(text)}


@cache
def _texts() -> dict[Path, str]:
    """What is said of the networks in each module, its imports among it."""
    return {
        path: "\n".join(
            line for line in path.read_text(encoding="utf-8").splitlines() if "reverberate.networks" in line
        )
        for path in PACKAGE.rglob("*.py")
    }


def test_half_of_the_networks_are_short_and_none_is_long() -> None:
    """Of all that have an entry point."""
    counted = {name: _lines_of(path) for name, path in MODULES.items()}

    assert statistics.median(counted.values()) <= MEDIAN, counted
    assert {name: number for name, number in counted.items() if number > LONGEST} == {}


def test_what_one_network_alone_imports_counts_as_its_own() -> None:
    tids = PACKAGE / "networks" / "tids.py"

    assert _lines_of(MODULES["bluesky"]) == lines(MODULES["bluesky"]) + lines(tids)
    assert len(_importers(PACKAGE / "networks" / "graph.py")) > 1


def test_the_example_is_short() -> None:
    example = ROOT / "examples" / "reverberate-example"
    network = (example / "reverberate_example.py").read_text(encoding="utf-8")
    own = network[network.index("class Chalkboard(") :]
    contract = (example / "tests" / "test_chalkboard.py").read_text(encoding="utf-8")

    assert len([line for line in own.splitlines() if line.strip()]) < 20
    assert len([line for line in contract.splitlines() if line.strip()]) <= 10


def test_the_readmes_table_is_what_the_networks_say() -> None:
    spec = importlib.util.spec_from_file_location("networks_table", ROOT / "tools" / "networks_table.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert tool.renewed(readme) == readme, "run: make readme"
    assert all(f"networks/{name}.md" in readme for name in POINTS if name != "memory")
