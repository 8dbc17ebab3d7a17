"""Tokens."""

from __future__ import annotations

from pydantic import Field

from reverberate.model import Scope
from reverberate.web.models.base import AccountName, In, Out


class TokenIn(In):
    """A token to be made."""

    name: AccountName
    scope: Scope = Scope.READ
    days: int | None = Field(
        default=None, ge=1, le=3650, description="How long it is good for; for ever when left out."
    )


class TokenOut(Out):
    """A token, without its secret."""

    name: str
    scope: Scope
    made: str | None
    used: str | None
    expires: str | None


class NewTokenOut(TokenOut):
    """A token with its secret, which is told this once."""

    token: str
