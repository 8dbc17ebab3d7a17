"""What goes in and out of the HTTP API. What goes out may grow: a client must ignore what it does not know."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from reverberate.model import Image, Post, Scope, ShareState
from reverberate.sources.articles import article

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ACCOUNT = r"^[a-z0-9][a-z0-9_-]{0,62}$"
ADDRESS = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?#]\S*)?$"
EARLIEST, LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("this holds characters that no text has")
    return text


def _sensible(instant: datetime) -> datetime:
    if not EARLIEST <= (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) <= LATEST:
        raise ValueError("this is not in our time")
    return instant


Text = Annotated[str, AfterValidator(_storable)]
Short = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_storable)]
Address = Annotated[str, StringConstraints(max_length=2000, pattern=ADDRESS), AfterValidator(_storable)]
Instant = Annotated[AwareDatetime, AfterValidator(_sensible)]
Wall = Annotated[datetime, AfterValidator(_sensible)]
"""A time with an offset, or without one on the site's clock."""
AccountName = Annotated[str, StringConstraints(pattern=ACCOUNT)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(extra="allow")


class PictureIn(_In):
    """A picture of a post."""

    url: Address
    alt: Short = Field(default="", description="What it shows, for those who cannot see it.")


class PostIn(_In):
    """A post, as its author tells it."""

    url: Address = Field(description="Its public address: readers follow it, and the post is known by it.")
    title: Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_storable)]
    summary: Text = Field(default="", description="Taken from the text when left out.")
    text: Text = Field(default="", description="The article, plain.")
    html: Text = Field(default="", description="The article as HTML; what is missing is taken from it.")
    author: Short = ""
    tags: list[Short] = Field(default=[], max_length=100)
    categories: list[Short] = Field(default=[], max_length=100)
    images: list[PictureIn] = Field(default=[], max_length=20)
    language: Short = Field(default="", description="BCP 47, such as `en` or `pt-BR`.")
    published: Instant | None = None
    updated: Instant | None = None
    guid: Short = Field(default="", description="The source's own identifier, an URI.")
    site: Short = Field(default="", description="The blog's title.")
    extra: dict[str, Any] = Field(default={}, description="More keys; `reverberate` holds the post's own wishes.")

    def post(self) -> Post:
        """As all other ways in give it."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "images"}
        return article(**values, images=[Image(url=image.url, alt=image.alt) for image in self.images])


class PublishIn(_In):
    """What to share, and where."""

    post: PostIn
    accounts: list[AccountName] = Field(default=[], max_length=200, description="Only these; all when empty.")
    at: Wall | None = Field(
        default=None, description="When, whatever the schedules say; without an offset on the site's clock."
    )


class PreviewIn(_In):
    """What to preview, and for which accounts."""

    post: PostIn
    accounts: list[AccountName] = Field(default=[], max_length=200, description="Only these; all when empty.")

    pictures: bool = Field(default=False, description="Fetch and prepare its pictures too; needs the scope publish.")


class RescheduleIn(_In):
    """When to send it instead; without an offset it is meant on the site's clock."""

    at: Wall


class ResolveIn(_In):
    """What became of an unsure share: `sent`, it is there; `resend`, it is not; `give-up`, leave it."""

    outcome: Annotated[str, StringConstraints(pattern="^(sent|resend|give-up)$")]
    url: Address | None = Field(default=None, description="Its address on the network, with `sent`.")


class PauseIn(_In):
    """Why an account is to wait."""

    why: Short = Field(default="", description="For those who ask later.")


class TokenIn(_In):
    """A token to be made."""

    name: AccountName
    scope: Scope = Scope.READ
    days: int | None = Field(
        default=None, ge=1, le=3650, description="How long it is good for; for ever when left out."
    )


class ShareOut(_Out):
    """A share, for a listing."""

    id: int
    post: int
    account: str
    state: ShareState
    due: str | None = Field(description="When it is, or was, due; of what is sent: when it was sent for.")
    tries: int
    permalink: str
    reason: str
    changed: str | None


class AttemptOut(_Out):
    """One try."""

    number: int
    kind: str = Field(description="`send`, or `look`: what became of an earlier try?")
    started: str | None
    ended: str | None
    seconds: float | None
    outcome: str
    status: int | None = Field(description="The HTTP status that the network answered with.")
    words: str = Field(description="The network's own words.")
    next_try: str | None


class HappenedOut(_Out):
    """What happened, and when."""

    at: str | None
    kind: str
    words: str


class EventOut(HappenedOut):
    """What happened, when, and to what."""

    id: int
    share: int | None
    account: str
    source: str


class StoryOut(ShareOut):
    """A share with its frozen message, all its attempts and all that happened to it."""

    message: dict[str, Any] | None
    attempts: list[AttemptOut]
    events: list[HappenedOut]


class PostOut(_Out):
    """A post, for a listing."""

    id: int
    source: str
    seen: str | None
    url: str
    title: str


class WholePostOut(PostOut):
    """A post with its shares."""

    summary: str
    text: str
    tags: list[str]
    shares: list[ShareOut]


class PublishedOut(_Out):
    """The post's number, whether it was new, and its shares."""

    post: int
    new: bool
    shares: list[ShareOut]


class AccountOut(_Out):
    """An account, and how it is."""

    name: str
    network: str | None
    paused: str | None
    why: str
    rest_until: str | None
    last_success: str | None
    spent: float = Field(description="This month, in the unit of its budget.")
    budget: float | None
    expires: str | None = Field(description="When what it was connected with ends, unless it is refreshed.")
    shares: dict[str, int] = Field(description="How many there are in each state.")


class SlotOut(_Out):
    """A time at which an account speaks, and which share has it."""

    at: str
    slot: str
    free: bool
    share: int | None
    note: str


class SourceOut(_Out):
    """A source, and how its last look went."""

    name: str
    looked: str | None
    next_look: str | None
    failures: int
    trouble: str


class LookedOut(_Out):
    """What one look at a source came to."""

    source: str
    seen: int
    new: int
    unchanged: bool
    baseline: bool
    notes: list[str]
    trouble: str


class NeedOut(_Out):
    """What needs a hand, since when, why, and the command that mends it."""

    kind: str
    what: str
    since: str | None
    why: str
    mend: str


class StatusOut(_Out):
    """One screen: what needs a hand, what comes next, what went last, and how all is."""

    version: str
    at: str
    lateness: float
    needs: list[NeedOut]
    next: list[ShareOut]
    last: list[ShareOut]
    accounts: list[AccountOut]
    sources: list[SourceOut]


class PreviewOut(_Out):
    """What an account would make of a post."""

    account: str
    network: str
    state: str
    reason: str
    due: str
    fits: bool
    problem: str
    parts: list[dict[str, Any]]


class RuleOut(_Out):
    """An account's rule, and whether it holds for a post."""

    when: str | None
    holds: bool


class WhyOut(_Out):
    """Why a post is, or is not, on an account."""

    post: PostOut
    account: str
    rule: RuleOut
    layers: list[list[str]]
    shares: list[StoryOut]


class TokenOut(_Out):
    """A token, without its secret."""

    name: str
    scope: Scope
    made: str | None
    used: str | None
    expires: str | None


class NewTokenOut(TokenOut):
    """A token with its secret, which is told this once."""

    token: str


class PostsOut(_Out):
    """A page of posts."""

    items: list[PostOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")


class SharesOut(_Out):
    """A page of shares."""

    items: list[ShareOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")


class EventsOut(_Out):
    """A page of events."""

    items: list[EventOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")


class Wrong(_Out):
    """What is wrong with a request, and where."""

    where: str
    words: str


class Trouble(_Out):
    """RFC 9457: what went wrong, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    errors: list[Wrong] = []


class SumsOut(_Out):
    """What people made of some shares, as far as their networks tell."""

    shares: int
    likes: int
    reposts: int
    replies: int


class AccountSumsOut(SumsOut):
    """Of one account."""

    account: str


class PostSumsOut(SumsOut):
    """Of one post."""

    post: int
    title: str
    url: str


class HourSumsOut(SumsOut):
    """Of one hour of the day, on the site's clock."""

    hour: int


class StatsOut(_Out):
    """What people made of the posts."""

    accounts: list[AccountSumsOut]
    posts: list[PostSumsOut]
    hours: list[HourSumsOut]
