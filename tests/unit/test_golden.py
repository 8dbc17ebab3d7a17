"""Posts of all kinds look on each network as they did when somebody last looked at them (``make golden`` renews)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from reverberate.text.limits import LIMITS

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from draw import CASES, NETWORKS, cases, draw


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("case", cases())
def test_a_case_looks_as_it_did(case: str, network: str) -> None:
    expected = CASES / case / f"{network}.txt"

    assert draw(case, network) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", cases())
def test_every_expected_part_is_within_its_limit(case: str) -> None:
    for network in NETWORKS:
        text = (CASES / case / f"{network}.txt").read_text(encoding="utf-8")
        counts = re.findall(r"^== (\d+)/(\d+) ", text, re.MULTILINE)

        assert counts or text.startswith("! "), network
        assert all(int(count) <= int(limit) == LIMITS[network].maximum for count, limit in counts)


def test_there_are_many_cases() -> None:
    assert len(cases()) >= 25
