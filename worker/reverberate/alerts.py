"""What a person must hear of: which events are trouble, how troubles are gathered, and in which words they are told.

Pure: no clock and no I/O. An *event* is a row of the journal; a *trouble* is what it means for a person; a *notice* is
one message to one channel, with troubles of the same kind and account in one group.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic resolves annotations
from dataclasses import dataclass, replace
from datetime import datetime, timedelta  # noqa: TC003 - as above
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KINDS: Mapping[str, str] = {
    "paused": "an account waits for its owner",
    "refused": "a network will not have a share",
    "unsure": "nobody can tell whether a share arrived",
    "held": "a share cannot be made: its template or its account's table is at fault",
    "late": "a share was skipped as too late",
    "expiry": "an account's permission is about to end",
    "source": "a source cannot be read",
    "money": "an account's budget is nearly or wholly used up",
    "flood": "more new posts at once than a source should bring",
    "preflight": "a coming share will not arrive as things are",
}
"""What notices are about, by the word in a channel's ``on``."""
TROUBLES: Mapping[str, tuple[str, bool]] = {
    "account paused": ("paused", False),
    "account resumed": ("paused", True),
    "share refused": ("refused", False),
    "share unsure": ("unsure", False),
    "share held": ("held", False),
    "share too late": ("late", False),
    "token expires": ("expiry", False),
    "token renewed": ("expiry", True),
    "account connected": ("expiry", True),
    "source failing": ("source", False),
    "source works": ("source", True),
    "budget nearly used": ("money", False),
    "budget used up": ("money", False),
    "flood held": ("flood", False),
    "preflight trouble": ("preflight", False),
    "preflight fine": ("preflight", True),
}
"""The events that are told: the kind of notice, and whether the event ends that trouble."""
LASTING = frozenset({"paused", "expiry", "source", "preflight", "money"})
"""Troubles that last until something ends them (a budget's: the month), and are told once until then."""
SHOWN = 5
"""So many shares of a group are named, the rest is counted."""
GROUPS = 20
"""So many groups are written out in one notice, the rest is counted."""
OVER = {
    "paused": "goes on",
    "expiry": "has its permission again",
    "source": "can be read again",
    "preflight": "will arrive after all",
}

HEADLINES = {
    "paused": "{who} is paused",
    "refused": "{shares} refused on {who}",
    "unsure": "{shares} on {who} may or may not have arrived",
    "held": "{shares} on {who} cannot be made",
    "late": "{shares} on {who} skipped as too late",
    "expiry": "the permission of {who} is about to end",
    "source": "the source {who} cannot be read",
    "money": "{who}: {what}",
    "flood": "the source {who} brought a flood, which is held",
    "preflight": "{who}: a coming share will not arrive as things are",
}
COMMANDS = {
    "paused": ("mend what it says, then: reverberate resume {who}",),
    "refused": ("reverberate share show {share}", "mend it, then: reverberate share retry {share}"),
    "unsure": (
        "reverberate share show {share}",
        "reverberate share resolve {share} --sent (or --resend, or --give-up)",
    ),
    "held": ("reverberate share show {share}", "mend it, then: reverberate share approve {share}"),
    "late": ("if you still want it: reverberate share retry {share}",),
    "expiry": ("reverberate connect {who}",),
    "source": ("reverberate poll {who}",),
    "money": ("raise the budget in [accounts.{who}], or wait for the next month",),
    "flood": ("reverberate shares --state held", "reverberate share approve NUMBER"),
    "preflight": ("reverberate doctor --online", "reverberate shares --account {who}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What an event means for a person.

    Attributes:
        kind: one of KINDS.
        account, source: whom it concerns, or "".
        at: when it happened.
        words: what, in the journal's own words.
        share_id: the share, where it is about one.
        over: whether it is the end of what was told.
        what: the event's own name, for machines.
    """

    kind: str
    account: str = ""
    source: str = ""
    at: datetime
    words: str = ""
    share_id: int | None = None
    over: bool = False
    what: str = ""

    @property
    def subject(self) -> str:
        """Whom it concerns."""
        return self.account or self.source

    @property
    def topic(self) -> tuple[str, str]:
        """What is told once until it is over: its kind and whom it concerns; each step of a budget is its own."""
        return (self.what if self.kind == "money" else self.kind, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Troubles of one kind with one account or source.

    Attributes:
        kind, account, source, over, what: as of a Trouble.
        since, last: the first and the last of them.
        count: how many.
        words: what the first of them said.
        shares: the first few shares concerned.
    """

    kind: str
    account: str = ""
    source: str = ""
    over: bool = False
    what: str = ""
    since: datetime
    last: datetime
    count: int = 1
    words: str = ""
    shares: tuple[int, ...] = ()

    @property
    def subject(self) -> str:
        """Whom it concerns."""
        return self.account or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice in words."""

    title: str
    text: str


def tells(event: str) -> bool:
    """Whether an event of that kind is trouble, or the end of it."""
    return event in TROUBLES


def lasts(one: Trouble, since: datetime, words: str) -> bool:
    """Whether what was told at ``since`` in these words is the same trouble still.

    A budget is another one each month, and an end that comes nearer is told in new words.
    """
    if one.kind == "expiry":
        return one.words == words
    return one.kind != "money" or (since.year, since.month) == (one.at.year, one.at.month)


def gather(groups: Iterable[Group], troubles: Iterable[Trouble]) -> tuple[Group, ...]:
    """The groups with these troubles in them. What began and ended before it was told is not told at all."""
    merged = {(g.kind, g.subject, g.over): g for g in groups}
    for one in troubles:
        key = (one.kind, one.subject, one.over)
        if one.kind in LASTING and merged.pop((one.kind, one.subject, not one.over), None) is not None:
            continue
        merged[key] = _more(merged[key], one) if key in merged else _first(one)
    return tuple(merged.values())


def _first(one: Trouble) -> Group:
    return Group(
        kind=one.kind,
        account=one.account,
        source=one.source,
        over=one.over,
        what=one.what,
        since=one.at,
        last=one.at,
        words=one.words,
        shares=() if one.share_id is None else (one.share_id,),
    )


def _more(group: Group, one: Trouble) -> Group:
    new = one.share_id is not None and one.share_id not in group.shares and len(group.shares) < SHOWN
    shares = (*group.shares, one.share_id) if new and one.share_id is not None else group.shares
    return replace(group, count=group.count + 1, last=max(group.last, one.at), shares=shares)


def letter(groups: Sequence[Group], *, link: str = "", now: datetime) -> Letter:
    """The notice in words: what, since when, what to do, and where to look."""
    shown, rest = groups[:GROUPS], groups[GROUPS:]
    blocks = [_block(group, now=now) for group in shown]
    blocks += [f"and {len(rest)} more: reverberate notices"] if rest else []
    blocks += [f"See {link}"] if link else []
    more = f", and {len(groups) - 1} more" if len(groups) > 1 else ""
    return Letter(title=f"Reverberate: {headline(groups[0])}{more}", text="\n\n".join(blocks) + "\n")


def headline(group: Group) -> str:
    """What happened, in a few words."""
    if group.over:
        return f"{group.subject} {OVER[group.kind]}"
    shares = f"{group.count} shares" if group.count > 1 else "a share"
    return HEADLINES[group.kind].format(who=group.subject, shares=shares, what=group.what)


def _block(group: Group, *, now: datetime) -> str:
    since = f"since {_stamp(group.since)} ({_ago(now - group.since)})"
    named = ", ".join(str(share) for share in group.shares)
    more = group.count - len(group.shares)
    lines = [headline(group), f"  {since}"]
    lines += [f"  {group.words}"] if group.words else []
    lines += [f"  shares {named}" + (f" and {more} more" if more > 0 else "")] if named else []
    return "\n".join(lines + [f"  what to do: {command}" for command in commands(group)])


def commands(group: Group) -> tuple[str, ...]:
    """What a person may do about it, as commands."""
    share = group.shares[0] if group.shares else "NUMBER"
    return () if group.over else tuple(one.format(who=group.subject, share=share) for one in COMMANDS[group.kind])


def _stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _ago(span: timedelta) -> str:
    minutes = max(int(span.total_seconds() // 60), 0)
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {word}{'s' if number > 1 else ''} ago"
    return "just now"
