"""Print the development requirements of pyproject.toml, a line each, for any version of pip."""

from __future__ import annotations

import tomllib
from pathlib import Path

document = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
print("\n".join(document["dependency-groups"]["dev"]))  # noqa: T201 - printing is what it is for
