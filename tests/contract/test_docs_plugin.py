"""The plug-in and its test in docs/plugins.md are run as they stand there."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
PLUGIN, TEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

_module = types.ModuleType("documented_plugin")
sys.modules[_module.__name__] = _module  # pydantic looks the annotations up there
exec(compile(PLUGIN, "docs/plugins.md", "exec"), _module.__dict__)  # noqa: S102 - running the documentation is the point
exec(compile(TEST, "docs/plugins.md", "exec"), _module.__dict__)  # noqa: S102 - as above

TestChalkboard = _module.TestChalkboard


def test_a_plug_in_is_short() -> None:
    assert len([line for line in PLUGIN.splitlines() if line]) <= 20
    assert len([line for line in TEST.splitlines() if line]) <= 10
