"""The tables of the config as pydantic checks them: each key, its type, its default, its words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
)

from reverberate.policy import MAX_LATE, WAITS
from reverberate.schedule import Daily, Pace, Quiet, Schedule, Slot, parse_duration
from reverberate.secrets import Secret

SETTLED, DAY = timedelta(days=7), timedelta(days=1)
"""By the first, a share is sent or given up."""
COLOUR = "^#[0-9a-fA-F]{6}$"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError('a time zone has a name like "Europe/Berlin"') from None
    return name


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError('a length of time is a text like "10m"')  # noqa: TRY004 - pydantic reports ValueError
    return parse_duration(value)


def _quiet(text: str) -> str:
    Quiet.parse(text)
    return text


def _rate(text: str) -> str:
    Pace.parse(text)
    return text


def _slots(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError('slots are a list of texts like "Mon-Fri 09:00, 17:30"')
    for text in texts:
        Slot.parse(text)
    return tuple(texts)


def _budget(text: object) -> int:
    match = (
        re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*(?:[A-Z]{3})?\s*/\s*month", text) if isinstance(text, str) else None
    )
    if not match:
        raise ValueError('a budget is written like "5.00 USD/month"')
    return round(float(match[1]) * 1_000_000)


Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": r"^(\d+[dhms])+$"})
]


class Table(BaseModel):
    """A table whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Site(Table):
    """The blog as a whole."""

    title: str = Field(default="", description="The blog's name.")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(default="UTC", description="IANA time zone of the blogger.")
    stagger: Duration = Field(
        default=timedelta(0), description='Each account speaks so long after the one before it in this file, e.g. "2m".'
    )
    share_card: bool = Field(default=False, description="Draw a share card for posts without a picture.")
    card_background: str = Field(default="#16202c", pattern=COLOUR, description="Of drawn share cards.")
    card_text: str = Field(default="#ffffff", pattern=COLOUR, description="As above.")
    card_accent: str = Field(default="#ffb454", pattern=COLOUR, description="As above.")


class Service(Table):
    """Where Reverberate keeps its things and listens."""

    data: str = Field(default="data", description="Folder for the database and the embedded Redis, beside this file.")
    database: Secret | None = Field(default=None, description="SQLAlchemy address, by reference; SQLite by default.")
    redis: Secret | None = Field(default=None, description="Redis address, by reference; an embedded one by default.")
    vault_key: Secret | None = Field(
        default=None, description="The vault's key, by reference; ~/.config/reverberate/vault.key by default."
    )
    connect_port: int = Field(
        default=8641, ge=1, le=65535, description="Where `connect` awaits you back, on 127.0.0.1; the address is exact."
    )
    connect_redirect: str = Field(
        default="", pattern=r"^(https?://\S+)?$", description="Where vendors send you back instead, if they insist."
    )
    templates: str = Field(default="templates", description="Folder of your own templates, beside this file.")
    listen: str = Field(default="127.0.0.1:8640", pattern=r"^.+:\d{1,5}$", description="Where the web door listens.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where the internet reaches the web door: some networks fetch pictures from there.",
    )
    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = Field(
        default=(), description="Names by which the web door may be asked, beside its addresses and that of public_url."
    )
    keep: Duration = Field(
        default=timedelta(days=400),
        description="How long the story of what is done is kept; that it is done, for ever.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How the log is written, on stderr.")


class Statistics(Table):
    """What people made of your posts, asked of the networks that tell."""

    enabled: bool = Field(default=True, description="Whether to ask at all.")
    per_hour: int = Field(default=60, ge=1, le=10_000, description="Questions per account and hour, at the most.")


class ScheduleTable(Table):
    """When an account speaks."""

    delay: Duration = Field(default=timedelta(0), description='How long after the post appeared, e.g. "10m".')
    slots: Annotated[tuple[str, ...], BeforeValidator(_slots)] = Field(
        default=(), description='It speaks at these times only, one post each, e.g. ["Mon-Fri 09:00, 17:30"].'
    )
    quiet: Annotated[str, AfterValidator(_quiet)] | None = Field(
        default=None, description='Hours in which it does not speak, e.g. "22:00-07:00".'
    )
    min_gap: Duration = Field(default=timedelta(0), description='At least so long between two posts, e.g. "20m".')
    max_per_day: int | None = Field(default=None, ge=1, le=10_000, description="At most so many posts a day.")
    jitter: Duration = Field(
        default=timedelta(0), description='Later than planned by up to so long, each post by its own length, e.g. "5m".'
    )
    rate: Annotated[str, AfterValidator(_rate)] | None = Field(
        default=None, description='At most so many in a while, e.g. "50/day" or "300/3h".'
    )

    def schedule(self) -> Schedule:
        """As the pure rules take it."""
        return Schedule(
            delay=self.delay,
            slots=tuple(slot for text in self.slots for slot in Slot.parse(text)),
            quiet=Quiet.parse(self.quiet) if self.quiet else None,
            min_gap=self.min_gap,
            max_per_day=self.max_per_day,
            jitter=self.jitter,
        )

    def paces(self, zone: ZoneInfo) -> dict[str, Pace | Daily]:
        """What the claim heeds too, by the setting's name: it holds whatever was planned when."""
        paces: dict[str, Pace | Daily] = {"min_gap": Pace(self.min_gap)} if self.min_gap else {}
        paces |= {"max_per_day": Daily(self.max_per_day, zone)} if self.max_per_day else {}
        return paces | ({"rate": Pace.parse(self.rate)} if self.rate else {})


class Evergreen(Table):
    """Sharing posts again."""

    after: tuple[Duration, ...] = Field(
        min_length=1, max_length=20, description='How long after the first, e.g. ["30d", "180d"].'
    )
    template: str | None = Field(default=None, description="For these shares; the account's usual one otherwise.")
    until: date | None = Field(default=None, description="From this day on nothing is shared again.")
    cooldown: Duration = Field(
        default=timedelta(days=7), description="At least so long between two shares of the same post on the account."
    )

    @field_validator("after")
    @classmethod
    def _ordered(cls, after: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if list(after) != sorted(set(after)) or any(one < SETTLED or one % DAY for one in after):
            raise ValueError('whole days, a week or more, each longer than the one before, e.g. ["30d", "180d"]')
        return after


class AccountTable(Table):
    """What every account may say, whatever its network."""

    network: str = Field(description="The kind of place; `reverberate networks` lists them.")
    when: str | None = Field(default=None, description="Share only posts for which this expression holds.")
    schedule: ScheduleTable = Field(default=ScheduleTable(), description="When the account speaks.")
    approval: bool = Field(default=False, description="Every share waits until you release it.")
    evergreen: Evergreen | None = Field(default=None, description="Share its posts again after a while.")
    template: str | None = Field(default=None, description="A file in your templates folder, or a shipped one.")
    on_unsure: Literal["ask", "resend"] = Field(
        default="ask", description="What to do when nobody can tell whether a message arrived."
    )
    preflight: tuple[Duration, ...] | None = Field(
        default=None,
        max_length=10,
        description="How long before a scheduled share the account is asked whether it still may post; "
        '["12h", "1h"] where that costs nothing, [] for never.',
    )
    on_update: Literal["ignore", "edit", "repost"] = Field(
        default="ignore", description="What to do when the blog changed a post that is shared already."
    )
    picture: Literal["card", "attach", "none"] = Field(
        default="card", description="Show the post's picture in the link card, attach it, or leave it out."
    )
    numbering: Literal["none", "1/3", "(1/3)"] = Field(
        default="none", description="How the parts of a thread are numbered."
    )
    max_late: Duration = Field(
        default=MAX_LATE, description="A share that could not be tried for so long is skipped, with a notice."
    )
    retry: tuple[Duration, ...] = Field(
        default=WAITS,
        max_length=50,
        description="How long to wait between the tries; there is one try more than these.",
    )
    settle: Duration | None = Field(
        default=None, description="How long the network's own listing needs to show a new post; it knows by itself."
    )
    budget: Annotated[int, BeforeValidator(_budget), WithJsonSchema({"type": "string"})] | None = Field(
        default=None, description='What the account may spend in a calendar month, e.g. "5.00 USD/month".'
    )
    statistics: bool | None = Field(
        default=None, description="Whether to ask what people made of its posts; yes, but where asking costs money."
    )


class SourceTable(Table):
    """What every source may say, whatever its type."""

    type: str = Field(description="The kind of source; `reverberate sources` lists them.")
    every: Duration = Field(default=timedelta(minutes=5), description="How often to look.")
    backfill: int = Field(default=0, ge=0, le=1000, description="Share so many of the newest posts at the first look.")
    approval: bool = Field(default=False, description="The shares of its posts wait until you release them.")
    flood: int = Field(default=10, ge=1, description="More new posts than this at one look wait for your approval.")
