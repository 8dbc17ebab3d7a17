"""The vendors' specifications, which lie beside the checkout: data to test against, no part of the project."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPECS = Path(__file__).parents[2].parent / "shared" / "specs"


def folder(*names: str) -> Path:
    """A folder or file of the specifications. Where it is absent the test is skipped; under CI it fails."""
    path = SPECS.joinpath(*names)
    if path.exists():
        return path
    reason = f"the specifications are not beside the checkout: no {'/'.join(names)} in {SPECS}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def parameters(make: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    """Parameters that are read from the specifications; where they are absent, one that is skipped and says so."""
    try:
        return make()
    except pytest.skip.Exception as absent:
        return [pytest.param(None, marks=pytest.mark.skip(reason=str(absent)), id="absent")]


@cache
def spec(name: str) -> Any:
    """One specification, read from its JSON: ``spec("x/openapi.json")``. Skips and fails as ``folder`` does."""
    return json.loads(folder(*name.split("/")).read_text(encoding="utf-8"))
