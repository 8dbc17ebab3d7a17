"""``python -m reverberate.sandbox``: the sandbox as a process of its own; prints one JSON line with its address."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from reverberate.sandbox import Sandbox


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="reverberate.sandbox")
    parser.add_argument("--folder", type=Path, required=True, help="where the ledger lies")
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument("--seed", default="sandbox", help="the accounts' keys are drawn from it")
    parser.add_argument("--fsync", action="store_true", help="accepted posts survive a power cut")
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(given.folder, seed=given.seed, port=given.port, fsync=given.fsync) as sandbox:
        sys.stdout.write(json.dumps({"url": sandbox.url, "seed": given.seed}) + "\n")
        sys.stdout.flush()
        stop.wait()


main()
