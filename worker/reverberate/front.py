"""What a person or a program may ask of one installation, answered in plain JSON values.

The command line and the HTTP API ask here, so that both tell the same in the same words. Lists come as pages: a
``cursor`` is where the page before ended, and means nothing to those who hand it on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate import plans, statistics, status
from reverberate.errors import Missing
from reverberate.paging import page, place
from reverberate.previews import preview
from reverberate.schedule import fixed
from reverberate.store import events, posts, shares, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reverberate.desk import Desk
    from reverberate.looking import Looked
    from reverberate.model import KnownPost, Post, Scope, Share
    from reverberate.paging import Page
    from reverberate.service import Service
    from reverberate.store import Transaction


class Front:
    """Questions and wishes, one method each; ``ring`` tells the dispatcher that something may be due.

    Raises:
        Missing: what is named is not there.
        ReverberateError: it cannot be done; the text says why.
    """

    def __init__(self, service: Service, *, ring: Callable[[], None] = lambda: None) -> None:
        self.service, self._ring = service, ring
        self._store = service.store

    def status(self) -> dict[str, Any]:
        """What needs a hand, what comes next, what went last; and how all accounts and sources are."""
        return status.screen(self.service)

    def publish(self, post: Post, *, accounts: Sequence[str] = (), at: datetime | None = None) -> dict[str, Any]:
        """Share a post, on these accounts or on all; ``at`` a time (naive: on the site's clock), or as scheduled."""
        ingested = self.service.publish(post, accounts=accounts, at=at)
        self._ring()
        with self._store.read() as tx:
            rows = status.rows(tx, shares.find(tx, post_id=ingested.post_id, limit=1000)[::-1])
        return {"post": ingested.post_id, "new": ingested.new, "shares": rows}

    def posts(self, wanted: posts.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """The posts that are known, the latest seen first."""
        with self._store.read() as tx:
            found = posts.listed(tx, replace(wanted, before=place(cursor)), limit=limit + 1)
        return page(found, limit, status.post, lambda one: (one.seen, one.id))

    def post(self, number: int) -> dict[str, Any]:
        """A post, whole, with its shares."""
        with self._store.read() as tx:
            known = _known(tx, number)
            rows = status.rows(tx, shares.find(tx, post_id=number, limit=1000)[::-1])
        return status.whole_post(known) | {"shares": rows}

    def shares(self, wanted: shares.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """Shares by when they are due, the latest first."""
        with self._store.read() as tx:
            found = shares.listed(tx, replace(wanted, before=place(cursor)), limit=limit + 1)
            pairs = list(zip(found, status.rows(tx, found), strict=True))
        return page(pairs, limit, lambda pair: pair[1], lambda pair: (pair[0].due, pair[0].id))

    def share(self, number: int) -> dict[str, Any]:
        """The whole story of a share."""
        with self._store.read() as tx:
            return status.story(tx, _share(tx, number))

    def act(self, number: int, wish: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do to a share what its doors allow; its story afterwards.

        ``wish`` is retry, cancel, approve, reschedule (told ``at``, in ISO 8601; without an offset: on the site's clock), resolve
        (told ``outcome``: sent, resend or give-up; and ``url``, where it is), edit (told ``text``) or delete.
        """
        match wish:
            case "edit":
                self.service.edit(number, (told or {}).get("text", ""))
            case "delete":
                self.service.delete(number)
            case _:
                _do(self.desk(), number, wish, told or {})
        self._ring()
        return self.share(number)

    def desk(self) -> Desk:
        """A person's hand on this store."""
        return self.service.desk()

    def accounts(self) -> list[dict[str, Any]]:
        """The accounts, and how they are."""
        rows: list[dict[str, Any]] = status.overview(self.service)["accounts"]
        return rows

    def account(self, name: str) -> dict[str, Any]:
        """One account, and how it is."""
        return _named(self.accounts(), name, "account")

    def pause(self, name: str, why: str) -> list[dict[str, Any]]:
        """Let an account's shares wait, or everything where no account is named; the accounts afterwards."""
        if name:
            self.service.accounts.get(name)
            self.desk().pause(name, why=why)
        else:
            self.desk().stop_all(why=why)
        return self.accounts()

    def resume(self, name: str) -> list[dict[str, Any]]:
        """Let an account go on, or everything that was paused as a whole; the accounts afterwards."""
        if name:
            self.service.accounts.get(name)
            self.desk().resume(name)
        else:
            self.desk().start_all()
        self._ring()
        return self.accounts()

    def sources(self) -> list[dict[str, Any]]:
        """The sources, and how their last look went."""
        rows: list[dict[str, Any]] = status.overview(self.service)["sources"]
        return rows

    def source(self, name: str) -> dict[str, Any]:
        """One source."""
        return _named(self.sources(), name, "source")

    def coming(self, account: str, *, since: datetime | None = None, number: int = 10) -> list[dict[str, Any]]:
        """An account's coming slots from ``since`` on (naive: on the site's clock), and which share has each."""
        at = fixed(since, self.service.config.zone).due if since else self.service.now()
        return plans.coming(self.service, account, since=at, number=number)

    def poll(self, name: str) -> dict[str, Any]:
        """Look at a source now."""
        known = ", ".join(self.service.config.sources) or "none"
        if name not in self.service.config.sources:
            raise Missing(f"there is no source {name!r}", hint=f"there are: {known}")
        looked = self.service.look(name)
        if looked.new:
            self._ring()
        return _looked(looked)

    def preview(self, post: Post, *, accounts: Sequence[str] = (), pictures: bool = False) -> list[dict[str, Any]]:
        """What each of these accounts, or every one, would make of a post."""
        names = accounts or list(self.service.config.accounts)
        return [preview(self.service, name, post, pictures=pictures) for name in names]

    def preview_known(
        self, number: int, *, accounts: Sequence[str] = (), pictures: bool = False
    ) -> list[dict[str, Any]]:
        """The same of a post that is known."""
        with self._store.read() as tx:
            post = _known(tx, number).post
        return self.preview(post, accounts=accounts, pictures=pictures)

    def plan(self, *, limit: int = 20, apply: bool = False) -> dict[str, Any]:
        """What waits, the soonest first, in its words; and what the present config would move, or with ``apply`` has moved."""
        with self._store.write() if apply else self._store.read() as tx:
            moves = plans.moves(self.service, tx, apply=apply)
        if moves and apply:
            self._ring()
        return {"shares": plans.upcoming(self.service, limit=limit), "moves": moves}

    def plan_of(self, post: Post | int, *, accounts: Sequence[str] = ()) -> dict[str, Any]:
        """The same of a post, or of the known one of that number, were it published now: it moves nothing."""
        if isinstance(post, int):
            with self._store.read() as tx:
                post = _known(tx, post).post
        rows = self.preview(post, accounts=accounts)
        return {"shares": [plans.of_preview(self.service, post.title, row) for row in rows], "moves": []}

    def stats(self, *, account: str = "", days: int = 90) -> dict[str, Any]:
        """What people made of the shares that were sent in the last so many days."""
        since = self.service.now() - timedelta(days=days)
        return statistics.report(self.service, account=account, since=since)

    def called(self, post: Post | None, number: int) -> tuple[str, str]:
        """What a page of previews is headed with: the post's title, and the site's."""
        if post is None:
            with self._store.read() as tx:
                post = _known(tx, number).post
        return post.title or post.url, self.service.config.site.title or post.site

    def why(self, number: int, account: str) -> dict[str, Any]:
        """Why a post is, or is not, on an account."""
        configured = self.service.accounts.get(account)
        with self._store.read() as tx:
            known = _known(tx, number)
            stories = [status.story(tx, one) for one in shares.find(tx, post_id=number, account=account, limit=1000)]
        rule = {"when": configured.when, "holds": self.service.accounts.wants(account, known.post)}
        layers = [list(layer) for layer in self.service.accounts.layers(account, known.post)]
        return {"post": status.post(known), "account": account, "rule": rule, "layers": layers, "shares": stories}

    def events(self, wanted: events.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """What happened, the latest first."""
        with self._store.read() as tx:
            found = events.listed(tx, replace(wanted, before=place(cursor)), limit=limit + 1)
        return page(found, limit, status.told, lambda one: (one.at, one.id))

    def following(self, after: int | None) -> tuple[list[dict[str, Any]], int]:
        """The events after that one, in order, and the number to ask on with; None begins with what comes next."""
        with self._store.read() as tx:
            if after is None:
                return [], events.newest(tx)
            found = events.following(tx, after, now=self.service.now())
        return [status.told(one) for one in found], found[-1].id if found else after

    def tokens(self) -> list[dict[str, Any]]:
        """The tokens, without their secrets."""
        with self._store.read() as tx:
            return [status.token(one) for one in tokens.listed(tx)]

    def create_token(self, name: str, scope: Scope, *, days: int | None = None) -> dict[str, Any]:
        """Make a token; its secret is told this once."""
        now = self.service.now()
        with self._store.write() as tx:
            plain = tokens.create(tx, name, scope, now=now, expires=now + timedelta(days=days) if days else None)
            made = next(one for one in tokens.listed(tx) if one.name == name)
        return status.token(made) | {"token": plain}

    def revoke_token(self, name: str) -> None:
        """End a token at once."""
        with self._store.write() as tx:
            if not tokens.revoke(tx, name):
                raise Missing(f"there is no token {name!r}", hint="reverberate token list shows them")


def _do(desk: Desk, number: int, wish: str, told: Mapping[str, Any]) -> None:
    match wish, told.get("outcome"):
        case "retry", _:
            desk.retry(number)
        case "cancel", _:
            desk.cancel(number)
        case "approve", _:
            desk.approve(number)
        case "reschedule", _:
            desk.reschedule(number, datetime.fromisoformat(told["at"]))
        case "resolve", "sent":
            desk.resolve_sent(number, permalink=told.get("url") or "")
        case "resolve", "resend":
            desk.resolve_resend(number)
        case "resolve", "give-up":
            desk.resolve_give_up(number)
        case _:
            raise ValueError(f"nobody can {wish} a share")


def _known(tx: Transaction, number: int) -> KnownPost:
    if (known := posts.get(tx, number)) is None:
        raise Missing(f"there is no post {number}", hint="reverberate posts lists them")
    return known


def _share(tx: Transaction, number: int) -> Share:
    if (one := shares.get(tx, number)) is None:
        raise Missing(f"there is no share {number}", hint="reverberate shares lists them")
    return one


def _named(rows: Sequence[dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    for row in rows:
        if row["name"] == name:
            return row
    known = ", ".join(row["name"] for row in rows) or "none"
    raise Missing(f"there is no {what} {name!r}", hint=f"there are: {known}")


def _looked(look: Looked) -> dict[str, Any]:
    return {
        "source": look.source,
        "seen": look.seen,
        "new": look.new,
        "unchanged": look.unchanged,
        "baseline": look.baseline,
        "notes": list(look.notes),
        "trouble": look.trouble,
    }
