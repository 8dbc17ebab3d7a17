"""Processes by the hundred: forked from one that has everything imported already, so that a start costs little."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

TESTS = Path(__file__).parents[1]

# Before Python 3.13 the fork server looks for what it imports ahead on PYTHONPATH only, and says nothing if it fails.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["chaos.failing", "chaos.lives", "chaos.taking_back", "chaos.two_steps"]
)  # one list for all
