"""What every network shares, so that a plug-in is only "message out, answer in".

A plug-in subclasses ``Network``, says what it is (class attributes), and writes ``send``. It gets settings that are
already validated, a session that already has time limits and raises outcomes, and it maps the vendor's answer to a
``Receipt`` or an outcome. Optional abilities are the Protocols below, found with ``isinstance``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from reverberate.errors import Outcome, OutOfCredit, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.http import READS, Session
from reverberate.policy import wait_until
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from reverberate.model import Assurance, Delivery, Message, Reactions, Receipt, Standing
    from reverberate.networks.flows import Flow
    from reverberate.text.limits import Limit


UNTOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a server could forge a line of the log with, and what some databases refuse."""
CLOCKS_DIFFER = timedelta(minutes=2)
"""How far a network's clock may be from ours."""


class NetworkSettings(BaseModel):
    """A network's own keys in an account's table of the config. Secrets are of type ``Secret``, never ``str``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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
        pictured: whether it takes no post without a picture.
        fetches: whether it takes pictures only from an address that it can fetch (``public_url`` of ``[service]``).
        caption: the limit of a text that goes with attached pictures, where that is another one.
        template: the file name of its template, where that is not ``NAME.txt``.
        warns: whether it can fold a text away under a content warning (``Message.warning``).
        article: whether it publishes the whole post (``Message.article``), not only what the template makes of it.
        counting: whether reactions are asked for unless the owner says otherwise; not where asking costs money.
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
    pictured: ClassVar[bool] = False
    fetches: ClassVar[bool] = False
    caption: ClassVar[Limit | None] = None
    template: ClassVar[str | None] = None
    warns: ClassVar[bool] = False
    article: ClassVar[bool] = False
    counting: ClassVar[bool] = True
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
        """What an unsuccessful answer means. A plug-in overrides this for its vendor's table and falls back to it."""
        words, status = self.words(response), response.status_code
        match status:
            case 401:
                return Unauthorised(words, status=status)
            case 402:
                return OutOfCredit(words, status=status)
            case 429:
                return RateLimited(words, status=status, until=wait_until(response.headers, now=self.now()))
            case 408 | 425:
                return Unsure(words, status=status) if writes else Transient(words, status=status)
            case _ if status >= 500:
                return Unsure(words, status=status) if writes else Transient(words, status=status)
            case _:
                return Refused(words, status=status)

    def words(self, response: requests.Response) -> str:
        """The status and the network's own words: one line, without secrets."""
        masked = self.session.mask(f"{response.status_code} {self.said(response)}")
        return " ".join(UNTOLD.sub(" ", masked).split())[:500]

    def said(self, response: requests.Response) -> str:
        """The network's own words, from JSON's usual places or else the body's beginning."""
        try:
            body: object = response.json()
        except (ValueError, RecursionError):  # masked before it is cut, for half a secret is not recognised
            return re.sub(r"<[^>]*>|\s+", " ", self.session.mask(response.text)[:2000]).strip() or response.reason or ""
        for key in ("error_description", "detail", "message", "error", "title"):
            if isinstance(body, dict) and body.get(key):
                told = body[key]
                return str(told.get("message", told) if isinstance(told, dict) else told)
        return str(body)

    def make_session(self) -> Session:
        """The account's own HTTP session; a plug-in overrides this where a vendor's library needs another."""
        return Session(secrets=self.secrets())

    def secrets(self) -> list[str]:
        """The account's secrets, to be kept out of every text."""
        values = (getattr(self.settings, name) for name in type(self.settings).model_fields)
        return [value.reveal() for value in values if isinstance(value, Secret)]

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


@contextmanager
def missing_is_fine() -> Iterator[None]:
    """Deleting what is gone already: an answer of 404 or 410 is no trouble."""
    try:
        yield
    except Outcome as outcome:
        if outcome.status not in {404, 410}:
            raise


def same_link(text: str, link: str) -> bool:
    """Whether ``link`` stands in ``text`` as a whole address, not merely as the beginning of a longer one."""
    return bool(re.search(re.escape(link.rstrip("/")) + r"/?(?![][\w/?#&=%.~:@!$'()*+,;-]*\w)", text))


def same_words(text: str, part: str) -> bool:
    """Whether two texts say the same, whatever a network made of links, spaces and punctuation."""

    def bare(one: str) -> str:
        return re.sub(r"[\W_]+", "", re.sub(r"https?://\S+|<[^>]*>", "", one)).casefold()

    return bool(bare(part)) and bare(text) == bare(part)


def only_part(message: Message) -> str:
    """The text of a message that is no thread.

    Raises:
        Refused: it is one, and this network's plug-in sends single posts.
    """
    if len(message.parts) != 1:
        raise Refused("this network takes no threads; use a template without thread()")
    return message.parts[0]


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant as networks write it (``Z``, milliseconds, or an offset), in UTC; without a zone it is UTC."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def read_object(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of a successful answer to a read.

    Raises:
        Transient: the body is none; asking again is harmless.
    """
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Transient("the answer was a success but not readable as JSON", status=response.status_code)
    return body


def body_of(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of any answer, an error's too; empty where it is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def json_object(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of a successful answer to a write.

    Raises:
        Unsure: the body is none; the server said 2xx, so it may well have the message.
    """
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Unsure("the answer was a success but not readable as JSON", status=response.status_code)
    return body
