"""Commands about shares: the listing, the story of one, and the doors that a person opens."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path  # noqa: TC003 - typer resolves annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate.cli.common import Cursor, Json, Limit, Since, Until, local, moment, settings, show, show_page
from reverberate.model import ShareState

if TYPE_CHECKING:
    from collections.abc import Mapping

WAITING = (ShareState.HELD, ShareState.SCHEDULED)
COLUMNS = ["id", "post", "title", "account", "state", "due", "permalink", "reason"]
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
    *,
    state: Annotated[list[ShareState] | None, typer.Option(help="Only in this state; may be given again.")] = None,
    account: Annotated[str, typer.Option(help="Only on this account.")] = "",
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    post: Annotated[int | None, typer.Option(min=1, help="Only of this post.")] = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """The shares by when they are, or were, due: the latest first."""
    from reverberate.store.shares import Wanted

    said = settings(context)
    wanted = Wanted(
        states=tuple(state or ()),
        account=account,
        source=source,
        post_id=post,
        since=said.instant(since),
        until=said.instant(until),
    )
    with said.front() as front:
        page = front.shares(wanted, cursor=cursor, limit=limit)
    show_page(page, as_json=as_json, columns=COLUMNS, empty="no such share")


def show_share(context: typer.Context, share: Id, *, as_json: Json = False) -> None:
    """The whole story of a share."""
    with settings(context).front() as front:
        story = front.share(share)
    show(story, as_json=as_json, human=lambda: tell(story))


def tell(told: Mapping[str, Any]) -> None:
    """A story, for a person."""
    due = f", due {local(told['due'])}" if told["state"] in WAITING else ""
    typer.echo(f"share {told['id']} of post {told['post']} on {told['account']}: {told['state']}{due}")
    typer.echo(f"  {told['title']}")
    for words in (told["reason"], told["permalink"]):
        if words:
            typer.echo(f"  {words}")
    if told["message"]:
        typer.echo("  " + "\n\n".join(told["message"]["parts"]).replace("\n", "\n  "))
    for a in told["attempts"]:
        status = f" (HTTP {a['status']})" if a["status"] else ""
        _line(a["started"], f"{a['kind']} {a['number']}: {a['outcome']}{status} {a['words']}")
    for c in told["chores"]:
        _line(c["asked"], f"{c['kind']} asked for by {c['by']}: {c['outcome']} {c['reason']}")
    for e in told["events"]:
        _line(e["at"], f"{e['kind']} {e['words']}")


def _line(at: str | None, words: str) -> None:
    typer.echo(f"  {local(at, seconds=True)} {words}".rstrip())


def retry(context: typer.Context, share: Id) -> None:
    """Send it anew, in words rendered anew."""
    _do(context, share, "retry", f"share {share} is scheduled again")


def cancel(context: typer.Context, share: Id) -> None:
    """Call it off."""
    _do(context, share, "cancel", f"share {share} is cancelled")


def approve(context: typer.Context, share: Id) -> None:
    """Release a held share."""
    _do(context, share, "approve", f"share {share} is released")


def reschedule(
    context: typer.Context,
    share: Id,
    at: Annotated[str, typer.Argument(help="In the site's time zone, e.g. '2026-12-24 09:00', or with an offset.")],
) -> None:
    """Let it be sent at another time, whatever its schedule says."""
    said, when = settings(context), moment(at)
    with said.front() as front:
        told = front.act(share, "reschedule", {"at": when.isoformat()})
    due = datetime.fromisoformat(told["due"]).astimezone(None if said.server else said.config().zone)
    typer.echo(f"share {share} is due at {due.isoformat(timespec='minutes')}")


def edit(
    context: typer.Context,
    share: Id,
    text: Annotated[str, typer.Option(help="These very words; without it, the post is rendered anew.")] = "",
    file: Annotated[Path | None, typer.Option(help="The words are in this file.")] = None,
) -> None:
    """Change what it says: before it is sent, or on the network."""
    if text and file:
        raise typer.BadParameter("say one of --text, --file")
    words = file.read_text(encoding="utf-8").strip() if file else text
    with settings(context).front() as front:
        told = front.act(share, "edit", {"text": words})
    typer.echo(f"share {share} says that now" if told["state"] in WAITING else _asked(share, "edit"))


def delete(context: typer.Context, share: Id) -> None:
    """Take it back from the network."""
    _do(context, share, "delete", _asked(share, "delete"))


def _asked(share: int, kind: str) -> str:
    return f"share {share}: a worker will {kind} it; `reverberate share show {share}` tells when that is done"


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
    told, words = _resolved(sent=sent, resend=resend)
    _do(context, share, "resolve", f"share {share} {words}", outcome=told, url=url or None)


def _resolved(*, sent: bool, resend: bool) -> tuple[str, str]:
    if sent:
        return "sent", "is sent"
    return ("resend", "is scheduled again") if resend else ("give-up", "is given up")


def _do(context: typer.Context, share: int, wish: str, words: str, **told: Any) -> None:
    with settings(context).front() as front:
        front.act(share, wish, {name: value for name, value in told.items() if value is not None})
    typer.echo(words)
