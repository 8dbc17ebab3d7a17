"""What a fault does to a request, a view and an answer: pure."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from reverberate.sandbox.exchange import Answer, Ending, Sending
from reverberate.sandbox.faults import Dialect, Fault, Kind
from reverberate.sandbox.personality import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.personality import Call, Personality
    from reverberate.sandbox.rules import Drawn

ABSURD = ("-30", "soon", "", "NaN", "1e309", "99999999999999", "Thu, 32 Nov 2026 25:61:61 GMT", "0x1e", "30, 60")


def view(drawn: Sequence[Drawn], *, now: datetime) -> View:
    """What can be seen with these faults."""
    seen = View(now=now)
    for fault, roll in ((one.fault, one.roll) for one in drawn):
        match fault.kind:
            case Kind.LAG:
                seen = replace(seen, lag=max(seen.lag, fault.seconds))
            case Kind.MISSING:
                seen = replace(seen, missing=fault.fraction, roll=roll)
            case Kind.VANISH:
                seen = replace(seen, gone=max(seen.gone, fault.seconds))
    return seen


def cut(drawn: Sequence[Drawn], request: Request) -> int | None:
    """After how many of the request's bytes the connection breaks."""
    for one in drawn:
        if one.fault.kind is Kind.CUT_REQUEST:
            return one.fault.byte if one.fault.byte is not None else int(one.roll * (request.size + 1))
    return None


def instead(drawn: Sequence[Drawn], network: Personality, call: Call) -> Answer | None:
    """What is said in place of dealing with the request; None if it is dealt with."""
    for one in drawn:
        match one.fault.kind:
            case Kind.ERROR:
                return network.problem(one.fault.status, "Something went wrong here; nothing was done")
            case Kind.RATE_LIMIT:
                told = network.exhausted().told(**_rest(one, network.reset_header, now=call.now))
                return told if one.fault.dialect is not Dialect.USAGE else replace(told, status=400)
            case Kind.DUPLICATE:
                return network.duplicate()
            case Kind.EXPIRE:
                return network.expired(call)
            case Kind.REDIRECT:
                return Answer.elsewhere(call.request.target, one.fault.status if one.fault.status < 400 else 307)
    return None


def afterwards(drawn: Sequence[Drawn], answer: Answer, network: Personality, *, now: datetime) -> Answer:
    """The answer to a request that was dealt with, as it leaves."""
    for one in drawn:
        fault = one.fault
        match fault.kind:
            case Kind.DROP:
                answer = replace(answer, sending=Sending(most=0, ending=Ending.RESET))
            case Kind.HANG:
                answer = replace(answer, sending=Sending(wait=fault.seconds, most=0, ending=Ending.CLOSE))
            case Kind.FAIL:
                answer = network.problem(fault.status, "Something went wrong here, afterwards")
            case Kind.CUT_ANSWER:
                answer = replace(answer, sending=Sending(most=_where(one, answer), ending=Ending.RESET))
            case Kind.TRUNCATE:
                answer = replace(answer, sending=Sending(most=_where(one, answer), ending=Ending.CLOSE))
            case Kind.DRIP:
                answer = replace(answer, sending=Sending(over=fault.seconds))
            case Kind.SKEW:
                answer = answer.told(Date=_http_date(now + timedelta(seconds=fault.seconds)))
    return answer


def _where(one: Drawn, answer: Answer) -> int:
    return one.fault.byte if one.fault.byte is not None else int(one.roll * len(answer.encoded()))


def _rest(one: Drawn, reset_header: str, *, now: datetime) -> dict[str, str]:
    """The headers that say when to come again."""
    fault, until = one.fault, now + timedelta(seconds=one.fault.seconds)
    match fault.dialect:
        case Dialect.SECONDS:
            return {"Retry-After": str(int(fault.seconds))}
        case Dialect.FLOAT:
            return {"Retry-After": f"{fault.seconds:.3f}"}
        case Dialect.DATE:
            return {"Retry-After": _http_date(until)}
        case Dialect.EPOCH:
            return {reset_header: str(int(until.timestamp()))}
        case Dialect.ISO:
            return {reset_header: until.astimezone(UTC).isoformat(timespec="microseconds")}
        case Dialect.USAGE:
            return _usage(fault)
        case Dialect.ABSURD:
            return {"Retry-After": ABSURD[int(one.roll * len(ABSURD))]}
        case _:
            return {}


def _usage(fault: Fault) -> dict[str, str]:
    minutes = -int(-fault.seconds // 60)
    usage = {"type": "pages", "call_count": 100, "total_cputime": 25, "total_time": 25}
    told = {"1": [usage | {"estimated_time_to_regain_access": minutes}]}
    return {"X-Business-Use-Case-Usage": json.dumps(told)}


def _http_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)
