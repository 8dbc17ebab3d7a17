"""``reverberate sandbox``: the sandbox as a process of its own; prints one JSON line with its address."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from reverberate.sandbox import Sandbox
from reverberate.sandbox.blog import Blog
from reverberate.sandbox.faults import Fault, WrongFault, parsed
from reverberate.stopping import Stopping

if TYPE_CHECKING:
    from collections.abc import Sequence


def _fault(text: str) -> Fault:
    try:
        return parsed(text)
    except WrongFault as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reverberate sandbox", description="Networks on your own machine.")
    add = parser.add_argument
    add("--folder", type=Path, required=True, help="where the ledger lies")
    add("--host", default="127.0.0.1", help="the address to listen at (%(default)s)")
    add("--port", type=int, default=0, help="any free one by default")
    add("--seed", default="sandbox", help="the accounts' keys are drawn from it (%(default)s)")
    add("--fsync", action="store_true", help="accepted posts survive a power cut")
    add("--max-characters", type=int, default=500, help="of a status on its Mastodon (%(default)s)")
    add("--fault", type=_fault, action="append", default=[], help="KIND or KIND:name=value,...; may be repeated")
    add("--blog", action="store_true", help="serve a sample blog too")
    return parser


def _sandbox(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Sandbox:
    try:
        return Sandbox(
            given.folder,
            seed=given.seed,
            host=given.host,
            port=given.port,
            fsync=given.fsync,
            max_characters=given.max_characters,
            faults=given.fault,
        )
    except (WrongFault, OSError) as error:
        parser.error(str(error))


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = _parser()
    given = parser.parse_args(arguments)
    stopping = Stopping()
    stopping.heed_signals()
    with ExitStack() as stack:
        sandbox = _sandbox(parser, given)
        told = {"url": stack.enter_context(sandbox).url, "seed": given.seed}
        if given.blog:
            told["blog"] = stack.enter_context(Blog(given.folder / "blog", host=given.host)).url
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        stopping.begun.wait()


if __name__ == "__main__":
    main()
