"""The nouns: frozen values that flow post -> share -> message -> receipt.

Every instant is an aware datetime in UTC; every text is Unicode; ids of rows are integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence  # noqa: TC003 - pydantic and dataclass users resolve these at run time
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - as above
from enum import StrEnum

from typing_extensions import TypeAliasType

JSON = TypeAliasType("JSON", "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of a post: where it lies, and what it shows (``alt``, for those who cannot see it)."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One published article, as its source tells it.

    Attributes:
        url: the canonical link that readers follow.
        title: plain text, no markup.
        summary: plain text; what the blogger or the feed gave as excerpt.
        text: the whole article as plain text, if known.
        html: the whole article as the source gave it, if known. Untrusted.
        author: display name.
        tags: as written by the author, no ``#``.
        categories: as written by the author.
        images: the leading one first.
        language: BCP 47 tag, or empty.
        published: when the source says that it appeared, or None.
        updated: when the source says that it was last changed, or None.
        guid: the source's own identifier (RSS guid, Atom id, JSON Feed id), or empty.
        site: the blog's title.
        extra: everything else that the author gave: front matter keys, the ``reverberate`` overrides.
    """

    url: str
    title: str = ""
    summary: str = ""
    text: str = ""
    html: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    language: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    guid: str = ""
    site: str = ""
    extra: Mapping[str, JSON] = field(default_factory=dict)


class ShareState(StrEnum):
    """Where a share is. Each has a door in and a door out, drawn in docs/states.md."""

    HELD = "held"
    """Waits for a person: approval, or an account that left the config."""
    SCHEDULED = "scheduled"
    """Waits for its time."""
    SENDING = "sending"
    """Claimed by a worker, under a lease with a fencing number; a message may be on its way."""
    SENT = "sent"
    """The network holds it, and we hold its receipt."""
    UNSURE = "unsure"
    """It may have been posted: being looked up, or waiting for a person's word where it cannot be."""
    REFUSED = "refused"
    """The network will not have it, or the tries are used up; nothing was posted."""
    SKIPPED = "skipped"
    """Deliberately not shared: the reason says why."""
    CANCELLED = "cancelled"
    """A person called it off before it was sent, or took it back from the network."""


class Assurance(StrEnum):
    """What a network gives us to deliver exactly once; the delivery policy follows from it."""

    IDENTITY = "identity"
    """We choose the identity; sending the same again is harmless."""
    REFUSES = "refuses duplicates"
    """It refuses what it already has, and our own posts can be read back."""
    READABLE = "readable"
    """Our own posts can be read back."""
    BLIND = "blind"
    """None of these: at most once."""


class Scope(StrEnum):
    """What a token of the HTTP API is good for; each includes those before it."""

    READ = "read"
    """See everything but secrets."""
    PUBLISH = "publish"
    """Publish, and do to shares what a person may."""
    ADMIN = "admin"
    """Pause and resume, poll, and make tokens."""

    def includes(self, other: Scope) -> bool:
        """Whether this is as much as the other, or more."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as its network will get it: re-encoded, its bytes kept in the store under their digest.

    Attributes:
        digest: SHA-256 of the bytes, in hexadecimal.
        mime: e.g. ``image/jpeg``.
        width, height: in pixels.
        size: in bytes.
        alt: what it shows, for those who cannot see it.
    """

    digest: str
    mime: str
    width: int
    height: int
    size: int
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A link card: what a network shows for the post's address."""

    url: str
    title: str = ""
    description: str = ""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The whole post, for networks that publish articles rather than messages.

    Attributes:
        html: made safe, its links whole.
        tags, categories: as written by the author.
    """

    html: str
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a share sends, exactly. Frozen and stored before the first attempt; never rendered again.

    Attributes:
        parts: the texts, in order; more than one is a thread.
        link: the post's address, by which our own posts are recognised when read back.
        card: the link card, where the network shows one.
        pictures: what is attached.
        carrier: the number of the part, from 0, that carries card and pictures.
        language: BCP 47 tag, or empty.
        warning: what is shown before the text, which is folded away, where the network can do that; or empty.
        article: the whole post, where the network publishes it.
        notes: what was shortened or dropped, and why; for people.
    """

    parts: tuple[str, ...]
    link: str
    card: Card | None = None
    pictures: tuple[Picture, ...] = ()
    carrier: int = 0
    language: str = ""
    warning: str = ""
    article: Article | None = None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All parts as one text, for people."""
        return "\n\n".join(self.parts)


SEEN = "seen by its owner"
"""What stands in an id's place where a person said that the message is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The network's proof that it holds a message.

    Attributes:
        remote_id: the network's own id.
        permalink: where people read it, "" where the network tells none.
        version: what an answer to this very post must name beside the id (Bluesky: the record's CID), or "".
    """

    remote_id: str
    permalink: str = ""
    version: str = ""

    @property
    def known(self) -> bool:
        """Whether the network itself named it, so that it can be asked about it."""
        return self.remote_id != SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an account stands with its network, as the network itself tells.

    Attributes:
        who: who we are there, e.g. ``@alice@mastodon.example``.
        expires: when its permission ends unless the owner acts, or None where it does not end or cannot be told.
        notes: what is good to know: a quota, credit left, the instance's limits; one line each.
        troubles: what will keep shares from arriving: a missing permission, an ended version; one line each.
    """

    who: str
    expires: datetime | None = None
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """What people made of one of our posts, so far; None where the network does not tell."""

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a delivery that is done: what the network answered, and when."""

    answer: Mapping[str, JSON]
    at: datetime


def _nowhere(name: str, answer: Mapping[str, JSON]) -> None:
    """Where nobody keeps steps, there is no crash to survive."""


def _nothing(digest: str) -> bytes:
    raise LookupError(f"there is no picture {digest}")


def _unserved(digest: str) -> str:  # noqa: ARG001 - where nobody serves pictures, none has an address
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One share on its way, as its network sees it. The same for every attempt but for ``attempt``.

    Attributes:
        serial: the share's own number, unique in this installation.
        key: drawn when the share was planned, unique everywhere; an idempotency key.
        planned: when the share was planned; with ``serial`` it makes Bluesky's record key.
        message: what to send.
        attempt: 1 for the first.
        since: when the first attempt began: nothing of ours can be there from before.
        steps: what earlier attempts, and this one, have done already, by the step's name.
        record: keeps a step that is done; when it returns, the step survives any crash. Raises an Outcome where the
            share is no longer ours, so that nothing more is posted.
        load: the bytes of a picture by its digest.
        address: where a picture can be fetched from anywhere, by its digest; "" where no ``public_url`` is set.
    """

    serial: int
    key: str
    planned: datetime
    message: Message
    attempt: int = 1
    since: datetime | None = None
    steps: Mapping[str, Step] = field(default_factory=dict)
    record: Callable[[str, Mapping[str, JSON]], None] = _nowhere
    load: Callable[[str], bytes] = _nothing
    address: Callable[[str], str] = _unserved


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPost:
    """A post that is in the store."""

    id: int
    source: str
    seen: datetime
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One post on one account: the unit of scheduling, delivery and tracking.

    Attributes:
        id: its number.
        post_id: the post's number.
        account: the account's name in the config.
        slot: "" for the first sharing; further sharings of the same post on the same account have names.
        state: see ShareState.
        wanted: when it was to be sent in the first place; lateness is counted from here.
        due: when it is to be sent, or looked up, next.
        wake: when the dispatcher hands it over (again); None when nobody needs to act.
        key: the idempotency key, drawn when the share was planned.
        planned: when the share was planned.
        fence: grows with each claim; a worker whose number is old may no longer write.
        lease: until when the present claim holds, or None.
        owner: which worker holds the claim, or "".
        tries: how many attempts to send there were.
        looks: how often it was looked up since the last attempt to send.
        crashes: how many workers died over it since it last came to anything.
        first_try: when the first of them began, or None.
        reason: why it is in this state, in words, or "".
        receipt: the network's proof, once sent.
        changed: when the state changed last.
        wall: what a clock was to show when it was wanted (naive), or None where no clock was looked at.
        zone: that clock's IANA time zone, or "".
        spread: how many seconds after that.
        fixed: whether a person chose the moment.
    """

    id: int
    post_id: int
    account: str
    slot: str
    state: ShareState
    wanted: datetime
    due: datetime
    wake: datetime | None
    key: str
    planned: datetime
    fence: int = 0
    lease: datetime | None = None
    owner: str = ""
    tries: int = 0
    looks: int = 0
    crashes: int = 0
    first_try: datetime | None = None
    reason: str = ""
    receipt: Receipt | None = None
    changed: datetime | None = None
    wall: datetime | None = None
    zone: str = ""
    spread: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at delivering a share, journalled before and after.

    ``ended`` is None while it runs, and stays None when its worker died. ``kind`` is "send" or "look" (a look-up
    of what became of an earlier try), or that of a chore. ``outcome`` is the outcome's class name in small letters,
    "receipt" for one.
    """

    id: int
    share_id: int
    number: int
    kind: str
    fence: int
    started: datetime
    ended: datetime | None = None
    outcome: str = ""
    status: int | None = None
    words: str = ""
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """What is to be done about a share that is out: change what it says, or take it back.

    Attributes:
        id: its number.
        share_id, account: whose it is.
        kind: "edit" or "delete".
        by: "hand" if a person asked for it, "update" if the blog changed the post.
        text: the words that a person gave; "" renders the post anew.
        asked: when it was asked for last.
        due: when it is to be done next.
        tries: how many attempts there were.
        outcome: "" while it is open; then "done", "same" (there was nothing to change), "reposted", "refused" or
            "dropped" (the share is not out any more).
        reason: why, in words, or "".
        ended: when it came to that, or None.
    """

    id: int
    share_id: int
    account: str
    kind: str
    by: str
    text: str
    asked: datetime
    due: datetime
    tries: int = 0
    outcome: str = ""
    reason: str = ""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for people and for the story of a share."""

    id: int
    at: datetime
    kind: str
    share_id: int | None = None
    account: str = ""
    source: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """What we remember of an account between deliveries.

    Attributes:
        name: the account's name in the config.
        paused: since when its shares wait for the owner, or None.
        paused_why: the reason, in words.
        rest_until: until when the network asked us to wait, or None.
        last_success: when it last took a message, or None.
        failures: how many attempts in a row found its network not working.
    """

    name: str
    paused: datetime | None = None
    paused_why: str = ""
    rest_until: datetime | None = None
    last_success: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What we remember of a source between looks.

    Attributes:
        name: the source's name in the config.
        memory: what the source asked to be told at its next look.
        next_look: when it is to be looked at next, or None for at once.
        looked: when it was looked at last.
        baselined: when its first look was taken; what was there then is not shared.
        failures: how many looks in a row failed.
        trouble: why the last one did, or "".
    """

    name: str
    memory: Mapping[str, str] = field(default_factory=dict)
    next_look: datetime | None = None
    looked: datetime | None = None
    baselined: datetime | None = None
    failures: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A share with all that delivering it takes: its post, and its message if that is frozen already.

    ``steps`` is what earlier attempts did already; ``chore`` is what is to be done about it, if it is out already.
    """

    share: Share
    post: Post
    message: Message | None = None
    steps: Mapping[str, Step] = field(default_factory=dict)
    chore: Chore | None = None
