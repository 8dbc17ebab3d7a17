"""What goes on, as plain JSON values: the same facts for the command line, the web door and the metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate import __version__
from reverberate.model import AccountState, ShareState, SourceState
from reverberate.store import chores, connections, journal, posts, shares, turns, watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverberate.model import Attempt, Chore, Event, KnownPost, Message, Picture, Share
    from reverberate.service import Service
    from reverberate.store import Transaction
    from reverberate.store.connections import Connection
    from reverberate.store.tokens import Token


LATELY = timedelta(days=30)
"""A refused share asks for a hand so long."""
FEW = 10
"""So many of each are shown on the screen; the lists hold the rest."""


def screen(service: Service, *, now: datetime | None = None) -> dict[str, Any]:
    """What needs a hand first, what comes next, what went last, and the overview."""
    now = now or datetime.now(UTC)
    with service.store.read() as tx:
        needs = [need for state in ASKING for need in _asking(tx, state, now=now)]
        coming = rows(tx, shares.listed(tx, shares.Wanted(states=(ShareState.SCHEDULED,)), limit=FEW, soonest=True))
        went = rows(tx, shares.listed(tx, shares.Wanted(states=(ShareState.SENT,)), limit=FEW))
        stopped = watch.switched(tx, watch.STOPPED)
    told = overview(service, now=now)
    troubles = _stopped(stopped)
    troubles += [_paused(one) for one in told["accounts"] if one["paused"]]
    troubles += [_failing(one) for one in told["sources"] if one["failures"]]
    return {
        "needs": troubles + needs,
        "next": coming,
        "last": went,
    } | told


def _stopped(switch: watch.Switch | None) -> list[dict[str, Any]]:
    """That everything is paused comes first of all."""
    if switch is None:
        return []
    why = switch.words or "paused by hand"
    told = {"kind": "paused", "what": "everything", "since": stamp(switch.at), "why": why}
    return [told | {"mend": "reverberate resume"}]


ASKING: Mapping[ShareState, str] = {
    ShareState.UNSURE: "reverberate share resolve {} --sent | --resend | --give-up",
    ShareState.REFUSED: "reverberate share show {}, then share retry {}",
    ShareState.HELD: "reverberate share approve {} | share cancel {}",
}
"""The states in which a share waits for a person, and the way out."""


def _asking(tx: Transaction, state: ShareState, *, now: datetime) -> list[dict[str, Any]]:
    since = now - LATELY if state is ShareState.REFUSED else None
    found = shares.listed(tx, shares.Wanted(states=(state,), since=since), limit=FEW)
    titles = posts.titles(tx, [one.post_id for one in found])
    return [
        {
            "kind": state.value,
            "what": f"share {one.id} of post {one.post_id} on {one.account}: {titles.get(one.post_id, '')}",
            "since": stamp(one.changed),
            "why": one.reason,
            "mend": ASKING[state].format(one.id, one.id),
        }
        for one in found
        if state is not ShareState.UNSURE or one.wake is None  # else it is being looked up, and may need nobody
    ]


def _paused(account: Mapping[str, Any]) -> dict[str, Any]:
    name = account["name"]
    told = {"kind": "paused", "what": f"account {name}", "since": account["paused"], "why": account["why"]}
    return told | {"mend": f"mend it, then reverberate resume {name}"}


def _failing(source: Mapping[str, Any]) -> dict[str, Any]:
    name = source["name"]
    told = {"kind": "failing", "what": f"source {name}", "since": source["looked"], "why": source["trouble"]}
    return told | {"mend": f"mend it, then reverberate poll {name}"}


def overview(service: Service, *, now: datetime | None = None) -> dict[str, Any]:
    """Accounts, sources and shares at a glance."""
    now = now or datetime.now(UTC)
    with service.store.read() as tx:
        counts = shares.counts(tx)
        states, sources = journal.account_states(tx), journal.source_states(tx)
        oldest, spent = shares.oldest_waiting(tx, now=now), turns.spent(tx, now=now)
        connected = {one.account: one for one in connections.all_of(tx)}
    numbers: dict[str, dict[str, int]] = {}
    for (name, state), number in sorted(counts.items()):
        numbers.setdefault(name, {})[state] = number
    names = sorted({*service.config.accounts, *numbers})
    return {
        "version": __version__,
        "at": stamp(now),
        "lateness": max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        "accounts": [
            _account(name, states.get(name) or AccountState(name=name), numbers.get(name, {}), service)
            | {"spent": spent.get(name, 0) / 1e6, "expires": _expiry(connected.get(name))}
            for name in names
        ],
        "sources": [_source(sources.get(name) or SourceState(name=name)) for name in sorted(service.config.sources)],
    }


def _account(name: str, state: AccountState, numbers: Mapping[str, int], service: Service) -> dict[str, Any]:
    account = service.config.accounts.get(name)
    return {
        "name": name,
        "network": account.network if account else None,
        "paused": stamp(state.paused),
        "why": state.paused_why,
        "rest_until": stamp(state.rest_until),
        "last_success": stamp(state.last_success),
        "budget": account.budget / 1e6 if account and account.budget is not None else None,
        "shares": dict(numbers),
    }


def _expiry(connection: Connection | None) -> str | None:
    """When what an account was connected with ends, unless it is refreshed; None where it does not, or is not known."""
    return stamp(connection.expires) if connection else None


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


def whole_post(known: KnownPost) -> dict[str, Any]:
    """A post with all that its source told, but for its HTML, which is untrusted."""
    one = known.post
    return post(known) | {
        "summary": one.summary,
        "text": one.text,
        "author": one.author,
        "tags": list(one.tags),
        "categories": list(one.categories),
        "images": [{"url": image.url, "alt": image.alt} for image in one.images],
        "language": one.language,
        "published": stamp(one.published),
        "updated": stamp(one.updated),
        "guid": one.guid,
        "site": one.site,
    }


def rows(tx: Transaction, several: Sequence[Share]) -> list[dict[str, Any]]:
    """Shares, for a listing."""
    titles = posts.titles(tx, [one.post_id for one in several])
    return [_share(one, titles.get(one.post_id, "")) for one in several]


def _share(one: Share, title: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "post": one.post_id,
        "title": title,
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
        "seconds": round((one.ended - one.started).total_seconds(), 3) if one.ended else None,
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


def told(one: Event) -> dict[str, Any]:
    """An event, for a listing that is not one share's own."""
    of = {"id": one.id, "share": one.share_id, "account": one.account, "source": one.source}
    return of | event(one)


def token(one: Token) -> dict[str, Any]:
    """A token, without its secret."""
    return {
        "name": one.name,
        "scope": one.scope.value,
        "made": stamp(one.made),
        "used": stamp(one.used),
        "expires": stamp(one.expires),
    }


def story(tx: Transaction, one: Share) -> dict[str, Any]:
    """A share with its frozen message, all its attempts and all that happened to it."""
    frozen = shares.message(tx, one.id)
    return rows(tx, [one])[0] | {
        "message": message(frozen) if frozen else None,
        "attempts": [attempt(a) for a in journal.attempts_of(tx, one.id)],
        "chores": [chore(c) for c in chores.of_share(tx, one.id)],
        "events": [event(e) for e in journal.events_of(tx, one.id)],
    }


def stamp(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC with ``Z``, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None
