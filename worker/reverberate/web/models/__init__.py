"""What goes in and out of the HTTP API, by resource."""

from __future__ import annotations

from reverberate.web.models.accounts import AccountOut, PauseIn, SlotOut
from reverberate.web.models.base import AccountName, Trouble, Wall, Wrong
from reverberate.web.models.events import EventOut, EventsOut, HappenedOut
from reverberate.web.models.plans import ComingOut, MoveOut, PlanIn, PlanOut
from reverberate.web.models.posts import (
    PictureIn,
    PostIn,
    PostOut,
    PostsOut,
    PreviewIn,
    PreviewOut,
    PublishedOut,
    PublishIn,
    RuleOut,
    WholePostOut,
    WhyOut,
)
from reverberate.web.models.shares import (
    AttemptOut,
    ChoreOut,
    EditIn,
    RescheduleIn,
    ResolveIn,
    ShareOut,
    SharesOut,
    StoryOut,
)
from reverberate.web.models.sources import LookedOut, SourceOut
from reverberate.web.models.stats import AccountSumsOut, HourSumsOut, PostSumsOut, StatsOut, SumsOut
from reverberate.web.models.status import NeedOut, StatusOut
from reverberate.web.models.tokens import NewTokenOut, TokenIn, TokenOut

__all__ = [
    "AccountName",
    "AccountOut",
    "AccountSumsOut",
    "AttemptOut",
    "ChoreOut",
    "ComingOut",
    "EditIn",
    "EventOut",
    "EventsOut",
    "HappenedOut",
    "HourSumsOut",
    "LookedOut",
    "MoveOut",
    "NeedOut",
    "NewTokenOut",
    "PauseIn",
    "PictureIn",
    "PlanIn",
    "PlanOut",
    "PostIn",
    "PostOut",
    "PostSumsOut",
    "PostsOut",
    "PreviewIn",
    "PreviewOut",
    "PublishIn",
    "PublishedOut",
    "RescheduleIn",
    "ResolveIn",
    "RuleOut",
    "ShareOut",
    "SharesOut",
    "SlotOut",
    "SourceOut",
    "StatsOut",
    "StatusOut",
    "StoryOut",
    "SumsOut",
    "TokenIn",
    "TokenOut",
    "Trouble",
    "Wall",
    "WholePostOut",
    "WhyOut",
    "Wrong",
]
