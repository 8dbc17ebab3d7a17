"""What the sandbox's networks have in common: a table of routes, and how a request goes through it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from reverberate.sandbox import keys
from reverberate.sandbox.ledger import Entry, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.sandbox.exchange import Answer, Request
    from reverberate.sandbox.grants import Grants
    from reverberate.sandbox.ledger import Ledger

WINDOW_SECONDS = 900


class Purpose(StrEnum):
    """What a request is for."""

    PUBLISH = "publish"
    """Make a post."""
    CHANGE = "change"
    """Edit or delete one."""
    LIST = "list"
    """Read an account's posts."""
    READ = "read"
    """Read one post."""
    SIGN_IN = "sign-in"
    """Get or renew a session, or a token."""
    PAGE = "page"
    """Look at what everybody may see: a post's page, what a server says of its software."""
    OTHER = "other"
    """Anything else."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What a network shows at one moment; with faults, not everything.

    Attributes:
        now: the moment.
        lag: listings leave out posts that are younger than so many seconds.
        missing: listings leave out each post with this chance.
        roll: decides which ones.
        gone: reading a single post fails while it is younger than so many seconds.
    """

    now: datetime
    lag: float = 0
    missing: float = 0
    roll: float = 0
    gone: float = 0

    def lists(self, entry: Entry) -> bool:
        """Whether a listing has it."""
        if self._young(entry, self.lag):
            return False
        return not self.missing or Random(f"{self.roll} {entry.remote_id}").random() >= self.missing  # noqa: S311 - a rehearsal's chance, no secret

    def shows(self, entry: Entry | None) -> Entry | None:
        """It, if it can be read alone."""
        return None if entry is None or self._young(entry, self.gone) else entry

    def _young(self, entry: Entry, seconds: float) -> bool:
        return bool(seconds) and self.now - entry.when < timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to a network, understood as far as the table of routes goes.

    Attributes:
        request: what was asked.
        parts: what stands in the places of the route's stars.
        account: whose keys came with it, or "".
        view: what the network shows just now.
    """

    request: Request
    parts: tuple[str, ...]
    account: str
    view: View

    @property
    def now(self) -> datetime:
        """When it came."""
        return self.view.now

    def whole(self, name: str, *, default: int, most: int) -> int:
        """A whole number from the query, between 1 and ``most``."""
        given = self.request.query.get(name, "")
        return max(1, min(int(given), most)) if re.fullmatch(r"\d{1,19}", given) else default

    def instant(self, name: str) -> datetime | None:
        """An ISO 8601 instant from the query; None if there is none that can be read."""
        try:
            return datetime.fromisoformat(self.request.query.get(name, "")).astimezone(UTC)
        except ValueError:
            return None

    def said(self, name: str) -> str:
        """A text from the body; "" if it is none."""
        given = self.request.fields.get(name)
        return given if isinstance(given, str) else ""

    def address(self, entry: Entry) -> str:
        """Its page, where the sandbox is now."""
        return self.request.base + entry.path


class Route(NamedTuple):
    """One kind of request: ``*`` in the path stands for one part of it. ``open`` ones need no keys."""

    method: str
    path: str
    purpose: Purpose
    handle: Callable[[Any, Call], Answer]
    open: bool = False

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """What stands in the places of the stars; None if it is another kind of request."""
        if method != self.method:
            return None
        found = re.fullmatch(self.path.replace(".", r"\.").replace("*", "([^/]+)"), path)
        return found.groups() if found else None


class Personality(ABC):
    """One network, as its clients see it, for all accounts of a seed."""

    name: ClassVar[str]
    routes: ClassVar[tuple[Route, ...]]
    reset_header: ClassVar[str] = "X-RateLimit-Reset"
    """The header that says when a used-up rate limit is whole again."""

    grants: Grants
    """What its sign-in gave; the sandbox puts it there."""

    def __init__(self, seed: str, ledger: Ledger) -> None:
        self.seed, self.ledger = seed, ledger

    def owner(self, token: str) -> str:
        """The account whose token this is, drawn from the seed or got by signing in; "" if it is nobody's."""
        return keys.owner(self.seed, self.name, token) or self.grants.owner(self.name, token)

    def route(self, method: str, path: str) -> tuple[Route | None, tuple[str, ...]]:
        """The route of a request, and what stands in the places of its stars."""
        for route in self.routes:
            if (parts := route.match(method, path)) is not None:
                return route, parts
        return None, ()

    def answer(self, route: Route | None, call: Call) -> Answer:
        """What the network says."""
        if route is None:
            return self.problem(404, f"there is no {call.request.method} {call.request.path} in the sandbox")
        if not route.open and not self.admits(call):
            return self.unauthorised()
        return route.handle(self, call)

    @abstractmethod
    def account_of(self, request: Request) -> str:
        """Whose keys the request brings, as far as its head tells; "" if they are nobody's."""

    def admits(self, call: Call) -> bool:
        """Whether the keys are good."""
        return bool(call.account)

    @abstractmethod
    def problem(self, status: int, words: str) -> Answer:
        """An error in the network's own shape."""

    def unauthorised(self) -> Answer:
        """The keys are not good."""
        return self.problem(401, "The access token is invalid")

    def expired(self, call: Call) -> Answer:
        """The keys were good until now."""
        del call
        return self.unauthorised()

    def duplicate(self) -> Answer:
        """It is there already."""
        return self.problem(422, "Validation failed: this has been posted already")

    def exhausted(self) -> Answer:
        """Too many requests."""
        return self.problem(429, "Too many requests")

    def page(self, path: str) -> Entry | None:
        """The post whose page is at this path of the sandbox."""
        return self.ledger.at(path)

    def accept(
        self, call: Call, *, remote_id: str, place: str, text: str, link: str = "", key: str = "", **details: Any
    ) -> Entry:
        """Write a post into the ledger; ``place`` is its page's path below the network's."""
        return self.ledger.add(
            Entry(
                at=stamp(call.now),
                network=self.name,
                account=call.account,
                remote_id=remote_id,
                permalink=f"{call.request.base}/web/{self.name}/{place}",
                text=text,
                link=link,
                key=key,
                details=details,
            )
        )

    def listed(self, call: Call, *, most: int, where: Callable[[Entry], bool] = lambda _entry: True) -> list[Entry]:
        """The account's posts, newest first, as its listing has them just now."""
        view = call.view
        return self.ledger.newest(self.name, call.account, most=most, where=lambda e: where(e) and view.lists(e))

    def own(self, call: Call, remote_id: str) -> Entry | None:
        """The account's post with this id."""
        entry = self.ledger.get(self.name, remote_id)
        return entry if entry and entry.account == call.account else None


def window_end(now: datetime, seconds: int = WINDOW_SECONDS) -> datetime:
    """When the rate limit's window that is open now ends."""
    return datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, tz=UTC)
