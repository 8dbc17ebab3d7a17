"""Commands about shares: the listing, the story of one, and the doors that a person opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reverberate.cli.common import Json, Limit, found, settings, show, table
from reverberate.model import ShareState  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.desk import Desk

COLUMNS = ["id", "post", "account", "state", "due", "tries", "permalink", "reason"]
Id = Annotated[int, typer.Argument(help="The share's number.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(shares)
    share = typer.Typer(no_args_is_help=True, help="One share: its story, and what you may do to it.")
    for command in (show_share, retry, cancel, reschedule, resolve, approve, edit, delete):
        share.command(name="show" if command is show_share else None)(command)
    app.add_typer(share, name="share")


def shares(
    context: typer.Context,
    state: Annotated[ShareState | None, typer.Option(help="Only those in this state.")] = None,
    account: Annotated[str, typer.Option(help="Only those on this account.")] = "",
    limit: Limit = 50,
    *,
    as_json: Json = False,
) -> None:
    """The shares, newest first."""
    from reverberate import status
    from reverberate.store import shares as store

    with settings(context).service() as service, service.store.read() as tx:
        rows = [status.share(share) for share in store.find(tx, state=state, account=account, limit=limit)]
    show(rows, as_json=as_json, human=lambda: table(rows, COLUMNS, empty="no such share"))


def show_share(context: typer.Context, share: Id, *, as_json: Json = False) -> None:
    """The whole story of a share."""
    from reverberate import status
    from reverberate.store import shares as store

    with settings(context).service() as service, service.store.read() as tx:
        one = found(store.get(tx, share), f"share {share}", hint="reverberate shares lists them")
        story = status.story(tx, one)
    show(story, as_json=as_json, human=lambda: status.tell(story, typer.echo))


def retry(context: typer.Context, share: Id) -> None:
    """Send it anew, in words rendered anew."""
    _do(context, lambda desk: desk.retry(share), f"share {share} is scheduled again")


def cancel(context: typer.Context, share: Id) -> None:
    """Call it off."""
    _do(context, lambda desk: desk.cancel(share), f"share {share} is cancelled")


def approve(context: typer.Context, share: Id) -> None:
    """Release a held share."""
    _do(context, lambda desk: desk.approve(share), f"share {share} is released")


def reschedule(
    context: typer.Context,
    share: Id,
    at: Annotated[datetime, typer.Argument(help="In the site's time zone, e.g. 2026-12-24T09:00:00.")],
) -> None:
    """Let it be sent at another time."""
    due = at.replace(tzinfo=settings(context).config().zone)
    _do(context, lambda desk: desk.reschedule(share, due), f"share {share} is due at {due.isoformat()}")


def edit(
    context: typer.Context,
    share: Id,
    text: Annotated[str, typer.Option(help="These very words; without it, the post is rendered anew.")] = "",
) -> None:
    """Change what is there on the network."""
    _ask(context, share, "edit", text=text)


def delete(context: typer.Context, share: Id) -> None:
    """Take it back from the network."""
    _ask(context, share, "delete")


def _ask(context: typer.Context, share: int, kind: str, *, text: str = "") -> None:
    from reverberate.chores import ask
    from reverberate.runtime import ring

    with settings(context).service() as service:
        ask(service.store, service.accounts, share, kind, text=text, now=datetime.now(UTC))
        ring(service.config)
    typer.echo(f"share {share}: a worker will {kind} it; `reverberate share show {share}` tells when that is done")


def resolve(
    context: typer.Context,
    share: Id,
    *,
    sent: Annotated[bool, typer.Option("--sent", help="You saw it on the network.")] = False,
    url: Annotated[str, typer.Option(help="Its address there, with --sent.")] = "",
    resend: Annotated[bool, typer.Option("--resend", help="It is not there: send it again.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Leave it.")] = False,
) -> None:
    """Say what became of an unsure share."""
    if sent + resend + give_up != 1:
        raise typer.BadParameter("say one of --sent, --resend, --give-up")
    if sent:
        _do(context, lambda desk: desk.resolve_sent(share, permalink=url), f"share {share} is sent")
    elif resend:
        _do(context, lambda desk: desk.resolve_resend(share), f"share {share} is scheduled again")
    else:
        _do(context, lambda desk: desk.resolve_give_up(share), f"share {share} is given up")


def _do(context: typer.Context, act: Callable[[Desk], None], words: str) -> None:
    from reverberate.desk import Desk
    from reverberate.runtime import ring

    with settings(context).service() as service:
        act(Desk(service.store))
        ring(service.config)
    typer.echo(words)
