"""What every network shares, so that a plug-in is only "message out, answer in".

A plug-in subclasses ``Network``, says what it is (class attributes), and writes ``send``. It gets settings that are
already validated, a session that already has time limits and raises outcomes, and it maps the vendor's answer to a
``Receipt`` or an outcome. Optional abilities are the Protocols below, found with ``isinstance``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from reverberate.errors import RateLimited, Refused
from reverberate.http import READS, Session
from reverberate.networks.answers import USUAL, Means, body_of, codes_in
from reverberate.networks.known import Known
from reverberate.networks.likeness import same_link
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.fit import Fit, Rigid, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import requests

    from reverberate.errors import Outcome
    from reverberate.model import Assurance, Delivery, Message, Reactions, Receipt, Standing
    from reverberate.networks.flows import Flow
    from reverberate.text.limits import Limit


UNTOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a server could forge a line of the log with, and what some databases refuse."""
LEAST_PLACE = 8
"""A shorter path is no secret, but a word like "hook"."""


class NetworkSettings(BaseModel):
    """A network's own keys in an account's table of the config. Secrets are of type ``Secret``, never ``str``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    sign_in_base: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where `connect` signs in instead of the vendor's own hosts: a sandbox, or a proxy.",
    )


class Network(ABC):
    """One account on one network, ready to send.

    Class attributes:
        name: the word in the config, in commands, in docs.
        title: the name as people know it.
        assurance: what the network gives us to deliver exactly once.
        limit: how long a message may be there, and in which unit.
        settle: how long its listings need to show a new post; a look-up before that proves nothing.
        identity_window: how long the identity that we choose holds (Assurance.IDENTITY); None is for ever.
        retired: where the network is gone: since when, and the living alternative.
        threads: whether a message may have more than one part.
        verify_costs: whether asking how the account stands costs money; then no pre-flight asks unless its owner wants it.
        card: whether it shows the post's link beside the text, so that the text need not hold it.
        carries: how it shows a picture: "card" (a link card that we make), "attach" (pictures of the post's own).
        displaces: whether attached pictures take the place of the card, so that the text has to hold the link (``with_link``).
        pictured: whether it takes no post without a picture.
        fetches: whether it takes pictures only from an address that it can fetch (``public_url`` of ``[service]``).
        caption: the limit of a text that goes with attached pictures, where that is another one.
        template: the file name of its template, where that is not ``NAME.txt``.
        warns: whether it can fold a text away under a content warning (``Message.warning``).
        article: whether it publishes the whole post (``Message.article``), not only what the template makes of it.
        counting: whether reactions are asked for unless the owner says otherwise; not where asking costs money.
        told_in: where in an unsuccessful answer's object what is told of it lies, where that is not at the top.
        coded: under which names the vendor's own codes stand there.
        table: what the vendor's answers mean, where that is not what is usual; the first row that fits holds.
        Settings: the shape of the account's own keys.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    assurance: ClassVar[Assurance]
    limit: ClassVar[Limit]
    settle: ClassVar[timedelta] = timedelta(seconds=15)
    identity_window: ClassVar[timedelta | None] = None
    retired: ClassVar[str] = ""
    threads: ClassVar[bool] = False
    verify_costs: ClassVar[bool] = False
    card: ClassVar[bool] = False
    carries: ClassVar[frozenset[str]] = frozenset()
    displaces: ClassVar[bool] = False
    pictured: ClassVar[bool] = False
    fetches: ClassVar[bool] = False
    caption: ClassVar[Limit | None] = None
    template: ClassVar[str | None] = None
    warns: ClassVar[bool] = False
    article: ClassVar[bool] = False
    counting: ClassVar[bool] = True
    told_in: ClassVar[tuple[str, ...]] = ()
    coded: ClassVar[tuple[str, ...]] = ()
    table: ClassVar[tuple[Means, ...]] = ()
    Settings: ClassVar[type[NetworkSettings]]

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:  # noqa: ARG003 - most networks have one way
        """The class that serves an account with these settings; a network of two ways (bot or webhook) has a class each.

        Assurance, limit and abilities are those of the class that it names.
        """
        return cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """All classes that ``way`` may name, each with a title of its own."""
        return (cls,)

    def __init__(
        self,
        account: str,
        settings: NetworkSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.account = account
        self.settings: Any = settings  # a plug-in annotates its own type
        self.now = now
        self.known = Known()
        """What its server says of itself; accounts on the same server share it."""
        self.session = self.make_session()

    @abstractmethod
    def send(self, delivery: Delivery) -> Receipt:
        """Post the message once.

        Raises:
            Outcome: whatever came instead of a receipt. Nothing else is raised on purpose.
        """

    def price(self, message: Message) -> int:  # noqa: ARG002 - for those that cost something
        """What sending the message costs, in millionths of the unit in which the account's budget is written."""
        return 0

    def live_limit(self) -> Limit:
        """The limit that holds for this account now; asks the server where servers differ. May raise an Outcome."""
        return self.limit

    def call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """One HTTP call; returns a 2xx (or 3xx) answer, raises the outcome of any other.

        Raises:
            Outcome: as ``Session.send`` for a broken transport, as ``outcome`` for an answer that is no success.
        """
        response = self.session.request(method, url, allow_redirects=method in READS, **kwargs)
        if response.ok and not (response.is_redirect and method not in READS):
            return response
        raise self.outcome(response, writes=method not in READS)

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """What an unsuccessful answer means, by ``table`` and what is usual."""
        words, codes = self.words(response), self.codes(response)
        rows = (*self.table, *USUAL)
        row = next(one for one in rows if one.fits(response, codes=codes, words=words, writes=writes))
        until = self.until(response) if row.outcome is RateLimited else None
        return row.made(words, status=response.status_code, writes=writes, now=self.now(), until=until)

    def until(self, response: requests.Response) -> datetime | None:
        """Until when an answer that says "too much" asks to wait, by its headers or in its body; None where it does not say."""
        told = {"Retry-After": str(body_of(response, *self.told_in).get("retry_after", ""))}
        return wait_until(response.headers, now=self.now()) or wait_until(told, now=self.now())

    def codes(self, response: requests.Response) -> Sequence[int | str]:
        """The vendor's own codes for what went wrong, for ``table`` to tell apart and for people to look up."""
        return codes_in(body_of(response, *self.told_in), *self.coded)

    def words(self, response: requests.Response) -> str:
        """The status, the network's own words and its codes: one line, without secrets."""
        codes = self.codes(response)
        kind = "code " if all(isinstance(code, int) for code in codes) else ""
        shown = f"({kind}{'/'.join(map(str, codes))})" if codes else ""
        refused = not 200 <= response.status_code < 300  # a success may hold errors too
        status = f"{response.status_code} " if refused else ""
        told = (self.session.mask(text) for text in (f"{status}{self.said(response)}", shown))
        line, shown = (" ".join(UNTOLD.sub(" ", text).split()) for text in told)
        return f"{line[:500]} {shown[:100]}".rstrip()

    def said(self, response: requests.Response) -> str:
        """The network's own words, from JSON's usual places or else the body's beginning."""
        try:
            body: object = response.json()
        except (ValueError, RecursionError):  # masked before it is cut, for half a secret is not recognised
            return re.sub(r"<[^>]*>|\s+", " ", self.session.mask(response.text)[:2000]).strip() or response.reason or ""
        for key in ("error_description", "detail", "message", "error", "title", "description"):
            if isinstance(body, dict) and body.get(key):
                told = body[key]
                return str(told.get("message", told) if isinstance(told, dict) else told)
        return str(body)

    def make_session(self) -> Session:
        """The account's own HTTP session; a plug-in overrides this where a vendor's library needs another."""
        return Session(secrets=self.secrets())

    def secrets(self) -> list[str]:
        """The account's secrets, to be kept out of every text; of an address also its path by itself."""
        values = (getattr(self.settings, name) for name in type(self.settings).model_fields)
        found = [value.reveal() for value in values if isinstance(value, Secret)]
        places = (one.partition("://")[2].partition("/")[2] for one in found)
        return [*found, *(place for place in places if len(place) > LEAST_PLACE)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} account {self.account!r}>"


@runtime_checkable
class Finds(Protocol):
    """Can look up what became of a delivery whose answer was lost."""

    def find(self, delivery: Delivery) -> Receipt | None:
        """The receipt of this very delivery if the network holds it, None if it certainly does not show it now."""


@runtime_checkable
class Verifies(Protocol):
    """Can say how we stand there."""

    def verify(self) -> Standing:
        """Who this account is there, and what may keep it from posting. Raises an Outcome if it is not usable."""


@runtime_checkable
class Edits(Protocol):
    """Can change what was posted."""

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """Make the post say what ``delivery.message`` says now. Doing it twice is harmless. May raise an Outcome.

        ``delivery.steps`` are those of the original delivery: the receipts of a thread's parts are among them.
        """


@runtime_checkable
class Deletes(Protocol):
    """Can take back what was posted."""

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """Take the post back, all its parts; one that is gone already counts as done. May raise an Outcome."""


@runtime_checkable
class Counts(Protocol):
    """Can tell what people made of our posts."""

    def reactions(self, receipt: Receipt) -> Reactions:
        """Likes, reposts and replies so far. May raise an Outcome."""


@runtime_checkable
class Connects(Protocol):
    """Can be connected by signing in there: ``reverberate connect``."""

    @classmethod
    def flow(cls, settings: Any) -> Flow:
        """How the account's owner signs in, by its settings.

        Raises:
            ReverberateError: the settings lack something that the flow needs (the app's keys); the hint says what.
        """


def only_part(message: Message) -> str:
    """The text of a message that is no thread.

    Raises:
        Refused: it is one, and this network's plug-in sends single posts.
    """
    if len(message.parts) != 1:
        raise Refused("this network takes no threads; use a template without thread()")
    return message.parts[0]


def with_link(text: str, link: str, limit: Limit) -> str:
    """The text with the link in it, for a post whose pictures take the place of its card; cut where that is too long."""
    return text if same_link(text, link) else fit([Fit(text=text), Rigid(text=f"\n\n{link}")], limit).text
