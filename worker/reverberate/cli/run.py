"""Commands that run until they are stopped: up, worker, dispatcher, web, sandbox, demo."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003 - typer resolves annotations at run time
from typing import Annotated

import typer

from reverberate.cli.common import Json, settings


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (up, worker, dispatcher, web, demo):
        app.command()(command)
    passed = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(context_settings=passed)(sandbox)


def _interruptible() -> None:
    """Let Ctrl-C end the process at once until it has signal handlers of its own: nothing has begun that needs an end.

    Python's own handler raises an error instead, which is lost where an import or a destructor swallows it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def up(context: typer.Context) -> None:
    """Run everything on this machine until Ctrl-C."""
    _interruptible()
    from reverberate.runtime import run_up

    run_up(settings(context).config())


def worker(context: typer.Context) -> None:
    """Run a worker: it delivers."""
    _interruptible()
    from reverberate.runtime import run_worker

    run_worker(settings(context).config())


def dispatcher(context: typer.Context) -> None:
    """Run a dispatcher: it looks at the sources and hands over what is due."""
    _interruptible()
    from reverberate.runtime import run_dispatcher

    run_dispatcher(settings(context).config())


def web(
    context: typer.Context,
    listen: Annotated[str, typer.Option(help="HOST:PORT, instead of what the config says.")] = "",
) -> None:
    """Serve health, metrics and status."""
    _interruptible()
    from reverberate.runtime import run_web

    run_web(settings(context).config(), listen=listen)


def sandbox(context: typer.Context) -> None:
    """Serve sandbox networks to rehearse with; `reverberate sandbox --help` tells more."""
    _interruptible()
    from reverberate.sandbox.__main__ import main

    main(context.args)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End when the post is everywhere.")] = False,
    as_json: Json = False,
    folder: Annotated[Path | None, typer.Option(help="Where the demo keeps its files; a new one by default.")] = None,
    connect: Annotated[bool, typer.Option("--connect", help="Leave some accounts for you to sign in.")] = False,
) -> None:
    """Show it all: a sample blog, sandbox networks, and a post that arrives on every account."""
    from reverberate.demo import run_demo

    raise typer.Exit(run_demo(once=once, as_json=as_json, folder=folder, connect=connect))
