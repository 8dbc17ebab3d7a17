"""Plug-ins are found by name, imported when first used, and a broken one is one clear line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import ReverberateError
from reverberate.networks import networks
from reverberate.networks.base import Network
from reverberate.plugins import Plugins
from reverberate.sources import sources
from reverberate.sources.base import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = "reverberate.tests"
MODULES = {
    "animals": "class Cat(dict): pass\nclass Stone: pass\nword = 'cat'\n",
    "untouched": "raise AssertionError('somebody imported this')\n",
    "broken": "raise RuntimeError('first line\\nsecond line')\n",
    "crooked": "def (:\n",
    "needy": "import a_library_that_is_not_here\n",
}
POINTS = {
    "cat": "zoo_animals:Cat",
    "stone": "zoo_animals:Stone",
    "word": "zoo_animals:word",
    "ghost": "zoo_animals:Ghost",
    "untouched": "zoo_untouched:Cat",
    "broken": "zoo_broken:Cat",
    "crooked": "zoo_crooked:Cat",
    "needy": "zoo_needy:Cat",
    "nowhere": "zoo_nowhere:Cat",
}


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins[dict[str, str]]]:
    """A package that is installed, with plug-ins good and bad, for the kind "animal"."""
    info = tmp_path / "zoo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n", encoding="utf-8")
    lines = [f"[{GROUP}]", *(f"{name} = {place}" for name, place in POINTS.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    for name, source in MODULES.items():
        (tmp_path / f"zoo_{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield Plugins(GROUP, dict, word="animal")
    for name in [name for name in sys.modules if name.startswith("zoo_")]:
        del sys.modules[name]


def trouble(plugins: Plugins[dict[str, str]], name: str) -> ReverberateError:
    with pytest.raises(ReverberateError) as raised:
        plugins.get(name)
    assert len(str(raised.value).splitlines()) == 1
    return raised.value


def test_names_are_sorted_and_nothing_is_imported_for_them(zoo: Plugins[dict[str, str]]) -> None:
    assert zoo.names() == sorted(POINTS)
    assert not [name for name in sys.modules if name.startswith("zoo_")]


def test_the_class_is_loaded_alone_and_once(zoo: Plugins[dict[str, str]]) -> None:
    """Another's module is not imported, and the same class comes again."""
    found = zoo.get("cat")

    assert found.__name__ == "Cat"
    assert zoo.get("cat") is found
    assert [name for name in sys.modules if name.startswith("zoo_")] == ["zoo_animals"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kat", "unknown animal 'kat' (did you mean 'cat'?)"),
        ("Cat", "unknown animal 'Cat' (did you mean 'cat'?)"),
        ("zzz", f"unknown animal 'zzz' (there are: {', '.join(sorted(POINTS))})"),
        ("", f"unknown animal '' (there are: {', '.join(sorted(POINTS))})"),
        ("stone", "the animal 'stone' is not a dict"),
        ("word", "the animal 'word' is not a dict"),
    ],
)
def test_what_is_none_is_told_with_what_was_meant(zoo: Plugins[dict[str, str]], name: str, words: str) -> None:
    assert str(trouble(zoo, name)) == words


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("ghost", AttributeError),
        ("broken", RuntimeError),
        ("crooked", SyntaxError),
        ("needy", ModuleNotFoundError),
        ("nowhere", ModuleNotFoundError),
    ],
)
def test_one_that_cannot_be_imported_says_so_and_leaves_the_others_alone(
    zoo: Plugins[dict[str, str]], name: str, cause: type[Exception]
) -> None:
    error = trouble(zoo, name)

    assert str(error).startswith(f"the animal {name!r} cannot be loaded: {cause.__name__}(")
    assert type(error.__cause__) is cause
    assert zoo.get("cat").__name__ == "Cat"


def test_one_that_failed_is_tried_again(zoo: Plugins[dict[str, str]], tmp_path: Path) -> None:
    """What the owner installs later is found without a restart."""
    trouble(zoo, "needy")
    (tmp_path / "a_library_that_is_not_here.py").touch()
    (tmp_path / "zoo_needy.py").write_text("class Cat(dict): pass\n", encoding="utf-8")

    assert zoo.get("needy").__name__ == "Cat"


def test_where_none_is_installed_the_answer_is_still_one_line() -> None:
    assert str(trouble(Plugins("reverberate.nothing", dict, word="fish"), "cod")).startswith("unknown fish 'cod'")


@pytest.mark.parametrize("name", networks.names())
def test_every_network_that_we_ship_loads_under_its_own_name(name: str) -> None:
    assert issubclass(networks.get(name), Network)
    assert networks.get(name).name == name


@pytest.mark.parametrize("name", sources.names())
def test_every_source_that_we_ship_loads_under_its_own_kind(name: str) -> None:
    assert issubclass(sources.get(name), Source)
    assert sources.get(name).kind == name
