"""What people made of the posts."""

from __future__ import annotations

from reverberate.web.models.base import Out


class SumsOut(Out):
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


class StatsOut(Out):
    """What people made of the posts."""

    accounts: list[AccountSumsOut]
    posts: list[PostSumsOut]
    hours: list[HourSumsOut]
