"""Accounts, and when they speak."""

from __future__ import annotations

from pydantic import Field

from reverberate.web.models.base import In, Out, Short


class PauseIn(In):
    """Why an account is to wait."""

    why: Short = Field(default="", description="For those who ask later.")


class AccountOut(Out):
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


class SlotOut(Out):
    """A time at which an account speaks, and which share has it."""

    at: str
    slot: str
    free: bool
    share: int | None
    note: str
