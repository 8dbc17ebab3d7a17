"""What goes on, as plain JSON values: the same facts for the command line, the web door and the metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reverberate import __version__
from reverberate.model import AccountState, SourceState
from reverberate.store import chores, journal, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverberate.model import Attempt, Chore, Event, KnownPost, Message, Picture, Share
    from reverberate.service import Service
    from reverberate.store import Transaction


def overview(service: Service, *, now: datetime | None = None) -> dict[str, Any]:
    """Accounts, sources and shares at a glance."""
    now = now or datetime.now(UTC)
    with service.store.read() as tx:
        counts = shares.counts(tx)
        states, sources = journal.account_states(tx), journal.source_states(tx)
        oldest = shares.oldest_waiting(tx, now=now)
    names = sorted({*service.config.accounts, *(name for name, _ in counts)})
    return {
        "version": __version__,
        "at": stamp(now),
        "lateness": max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        "accounts": [_account(name, states.get(name) or AccountState(name=name), counts, service) for name in names],
        "sources": [_source(sources.get(name) or SourceState(name=name)) for name in sorted(service.config.sources)],
    }


def _account(name: str, state: AccountState, counts: Mapping[tuple[str, str], int], service: Service) -> dict[str, Any]:
    account = service.config.accounts.get(name)
    return {
        "name": name,
        "network": account.network if account else None,
        "paused": stamp(state.paused),
        "why": state.paused_why,
        "rest_until": stamp(state.rest_until),
        "last_success": stamp(state.last_success),
        "shares": {of: number for (who, of), number in sorted(counts.items()) if who == name},
    }


def _source(state: SourceState) -> dict[str, Any]:
    return {
        "name": state.name,
        "looked": stamp(state.looked),
        "next_look": stamp(state.next_look),
        "failures": state.failures,
        "trouble": state.trouble,
    }


def post(known: KnownPost) -> dict[str, Any]:
    """A post, for a listing."""
    return {
        "id": known.id,
        "source": known.source,
        "seen": stamp(known.seen),
        "url": known.post.url,
        "title": known.post.title,
    }


def share(one: Share) -> dict[str, Any]:
    """A share, for a listing."""
    return {
        "id": one.id,
        "post": one.post_id,
        "account": one.account,
        "state": one.state.value,
        "due": stamp(one.due),
        "tries": one.tries,
        "permalink": one.receipt.permalink if one.receipt else "",
        "reason": one.reason,
        "changed": stamp(one.changed),
    }


def message(one: Message) -> dict[str, Any]:
    """A message, whole."""
    card = one.card
    return {
        "parts": list(one.parts),
        "link": one.link,
        "card": card
        and {"url": card.url, "title": card.title, "description": card.description, "picture": picture(card.picture)},
        "pictures": [picture(attached) for attached in one.pictures],
        "carrier": one.carrier,
        "language": one.language,
        "notes": list(one.notes),
    }


def picture(one: Picture | None) -> dict[str, Any] | None:
    """A picture, without its bytes."""
    if one is None:
        return None
    return {"mime": one.mime, "width": one.width, "height": one.height, "bytes": one.size, "alt": one.alt}


def attempt(one: Attempt) -> dict[str, Any]:
    """An attempt, whole."""
    return {
        "number": one.number,
        "kind": one.kind,
        "started": stamp(one.started),
        "ended": stamp(one.ended),
        "outcome": one.outcome or ("running" if one.ended is None else ""),
        "status": one.status,
        "words": one.words,
        "next_try": stamp(one.next_try),
    }


def chore(one: Chore) -> dict[str, Any]:
    """What was to be done about a share that is out, and what came of it."""
    return {
        "kind": one.kind,
        "by": one.by,
        "asked": stamp(one.asked),
        "due": None if one.ended else stamp(one.due),
        "tries": one.tries,
        "outcome": one.outcome or "open",
        "ended": stamp(one.ended),
        "reason": one.reason,
    }


def event(one: Event) -> dict[str, Any]:
    """An event, whole."""
    return {"at": stamp(one.at), "kind": one.kind, "words": one.words}


def story(tx: Transaction, one: Share) -> dict[str, Any]:
    """A share with its frozen message, all its attempts and all that happened to it."""
    frozen = shares.message(tx, one.id)
    return share(one) | {
        "message": message(frozen) if frozen else None,
        "attempts": [attempt(a) for a in journal.attempts_of(tx, one.id)],
        "chores": [chore(c) for c in chores.of_share(tx, one.id)],
        "events": [event(e) for e in journal.events_of(tx, one.id)],
    }


def tell(told: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """A story, for a person."""
    say(f"share {told['id']} of post {told['post']} on {told['account']}: {told['state']}")
    for words in (told["reason"], told["permalink"]):
        if words:
            say(f"  {words}")
    if told["message"]:
        say("  " + "\n\n".join(told["message"]["parts"]).replace("\n", "\n  "))
    for a in told["attempts"]:
        status = f" (HTTP {a['status']})" if a["status"] else ""
        say(f"  {a['started']} {a['kind']} {a['number']}: {a['outcome']}{status} {a['words']}".rstrip())
    for c in told["chores"]:
        say(f"  {c['asked']} {c['kind']} asked for by {c['by']}: {c['outcome']} {c['reason']}".rstrip())
    for e in told["events"]:
        say(f"  {e['at']} {e['kind']} {e['words']}".rstrip())


def stamp(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC with ``Z``, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None
