"""Faults: read from words, drawn from a seed, counted; and what each does to requests and answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.policy import wait_until
from reverberate.sandbox import Dialect, Fault, Kind, Purpose
from reverberate.sandbox.blobs import Blobs
from reverberate.sandbox.exchange import Answer, Ending, Request, Sending
from reverberate.sandbox.faults import ALL_BUT_PAGES, APPLIES, Occasion, WrongFault, parsed, shown
from reverberate.sandbox.ledger import Ledger
from reverberate.sandbox.mastodon import Mastodon
from reverberate.sandbox.personality import Call, View
from reverberate.sandbox.rules import SHAPES, Drawn, Faults
from reverberate.sandbox.troubles import ABSURD, afterwards, cut, instead, view

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PUBLISH = Occasion("mastodon", "alice", Purpose.PUBLISH)
LIST = Occasion("mastodon", "alice", Purpose.LIST)


def faults(*rules: Fault, seed: str = "s") -> Faults:
    made = Faults(seed=seed, networks=["mastodon", "twitter"])
    for rule in rules:
        made.add(rule)
    return made


def kinds(drawn: list[Drawn]) -> list[Kind]:
    return [one.fault.kind for one in drawn]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop", Fault(kind=Kind.DROP)),
        ("drop:", Fault(kind=Kind.DROP)),
        ("drop:network=twitter, probability=0.25", Fault(kind=Kind.DROP, network="twitter", probability=0.25)),
        ("cut-answer:byte=0,count=3", Fault(kind=Kind.CUT_ANSWER, byte=0, count=3)),
        ("rate-limit:dialect=iso,seconds=30,on=publish,account=a", None),
        ('{"kind": "fail", "status": 503}', Fault(kind=Kind.FAIL, status=503)),
    ],
)
def test_a_fault_is_read_from_the_command_line(text: str, fault: Fault | None) -> None:
    full = Fault(kind=Kind.RATE_LIMIT, dialect=Dialect.ISO, seconds=30, on=Purpose.PUBLISH, account="a")
    assert parsed(text) == (fault or full)


@pytest.mark.parametrize("kind", Kind)
def test_what_a_fault_shows_makes_the_same_fault_again(kind: Kind) -> None:
    fault = Fault(kind=kind, network="twitter", byte=0, seconds=1.5, dialect=Dialect.DATE, on=Purpose.READ)

    assert Fault.of(json.loads(json.dumps(shown(fault)))) == fault
    assert shown(Fault(kind=kind)) == {"kind": kind.value}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "kind is missing (one of refuse, cut-request"),
        ({"kind": "boom"}, "kind cannot be 'boom' (one of refuse"),
        ({"kind": "drop", "chance": 1}, "no 'chance' (it has account, byte"),
        ({"kind": "drop", "probability": 1.5}, "probability cannot be 1.5 (it is a number from 0 to 1)"),
        ({"kind": "drop", "probability": "nan"}, "probability cannot be 'nan'"),
        ({"kind": "drop", "count": "many"}, "count cannot be 'many' (it is a number)"),
        ({"kind": "drop", "count": [1]}, "count cannot be [1] (it is a number)"),
        ({"kind": "fail", "status": 99}, "status cannot be 99"),
        ({"kind": "drop", "on": "everything"}, "on cannot be 'everything' (one of publish"),
        ({"kind": "rate-limit", "dialect": "klingon"}, "dialect cannot be 'klingon' (one of seconds"),
    ],
)
def test_what_is_no_fault_is_told_in_one_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongFault) as wrong:
        Fault.of(given)
    assert words in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_json_on_the_command_line_must_be_json() -> None:
    with pytest.raises(WrongFault, match="no JSON"):
        parsed("{kind: drop}")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.DROP, network="orkut"),
        Fault(kind=Kind.REFUSE, network="twitter"),
        Fault(kind=Kind.REFUSE, account="a"),
    ],
)
def test_a_rule_that_can_never_hold_is_not_put_in_force(fault: Fault) -> None:
    with pytest.raises(WrongFault):
        faults(fault)


def test_a_fault_without_a_chance_always_happens_and_as_often_as_it_may() -> None:
    rules = faults(Fault(kind=Kind.DROP, count=2))
    happened = [kinds(rules.draw(PUBLISH, now=NOW)) for _ in range(4)]

    assert happened == [[Kind.DROP], [Kind.DROP], [], []]
    report = rules.report()
    assert report["rules"] == [{"number": 1, "met": 4, "happened": 2, "kind": "drop", "count": 2}]
    assert report["happened"] == {"drop": 2}


@pytest.mark.parametrize(
    ("fault", "happens"),
    [
        (Fault(kind=Kind.DROP, network="mastodon"), True),
        (Fault(kind=Kind.DROP, network="twitter"), False),
        (Fault(kind=Kind.DROP, account="alice"), True),
        (Fault(kind=Kind.DROP, account="bob"), False),
        (Fault(kind=Kind.DROP, on=Purpose.PUBLISH), True),
        (Fault(kind=Kind.DROP, on=Purpose.LIST), False),
        (Fault(kind=Kind.LAG), False),
        (Fault(kind=Kind.REFUSE), False),
        (Fault(kind=Kind.DROP, probability=0), False),
    ],
)
def test_a_fault_happens_to_those_whom_it_is_about(fault: Fault, happens: bool) -> None:
    assert bool(faults(fault).draw(PUBLISH, now=NOW)) is happens


def test_the_same_seed_gives_the_same_faults_and_another_gives_others() -> None:
    def draws(seed: str) -> list[tuple[bool, float]]:
        rules = faults(Fault(kind=Kind.CUT_ANSWER, probability=0.5), seed=seed)
        found = [rules.draw(PUBLISH, now=NOW) for _ in range(64)]
        return [(bool(one), one[0].roll if one else 0) for one in found]

    assert draws("a") == draws("a") != draws("b")
    assert 16 < sum(happened for happened, _ in draws("a")) < 48


def test_of_two_things_that_exclude_each_other_the_first_happens_and_alone_is_counted() -> None:
    rules = faults(Fault(kind=Kind.SKEW), Fault(kind=Kind.DROP, count=1), Fault(kind=Kind.FAIL, count=1))

    assert kinds(rules.draw(PUBLISH, now=NOW)) == [Kind.SKEW, Kind.DROP]
    assert kinds(rules.draw(PUBLISH, now=NOW)) == [Kind.SKEW, Kind.FAIL]
    assert rules.report()["happened"] == {"skew": 2, "drop": 1, "fail": 1}


def test_rules_can_be_taken_out_of_force_and_what_happened_stays_counted() -> None:
    rules = faults(Fault(kind=Kind.DROP), Fault(kind=Kind.SKEW))
    rules.draw(PUBLISH, now=NOW)

    assert rules.clear(1) == 1
    assert kinds(rules.draw(PUBLISH, now=NOW)) == [Kind.SKEW]
    assert (rules.clear(), rules.clear()) == (1, 0)
    assert rules.draw(PUBLISH, now=NOW) == []
    assert rules.report() == {"rules": [], "happened": {"drop": 1, "skew": 2}, "early": 0}
    assert rules.add(Fault(kind=Kind.DROP)) == 3


def test_connections_are_refused_as_often_as_was_asked() -> None:
    rules = faults(Fault(kind=Kind.REFUSE, count=1), Fault(kind=Kind.DROP))

    assert [rules.refuses(), rules.refuses()] == [True, False]


def test_who_comes_before_the_time_that_was_told_is_counted() -> None:
    rules = faults(Fault(kind=Kind.RATE_LIMIT, seconds=30, count=1))
    rules.draw(PUBLISH, now=NOW)
    for seconds, occasion in ((10, LIST), (10, PUBLISH), (29, PUBLISH), (30, PUBLISH)):
        rules.draw(occasion, now=NOW + timedelta(seconds=seconds))
    rules.draw(Occasion("mastodon", "bob", Purpose.PUBLISH), now=NOW)

    assert rules.report()["early"] == 2


def request(body: bytes = b"hello") -> Request:
    head = f"POST /mastodon/api/v1/statuses HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return Request.of(head)


@pytest.fixture
def network(tmp_path: Path) -> Mastodon:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.close()
    return Mastodon("s", ledger, Blobs(tmp_path / "blobs"))


def call() -> Call:
    return Call(request=request(), parts=(), account="alice", view=View(now=NOW))


def drawn(kind: Kind, roll: float = 0.5, **values: Any) -> list[Drawn]:
    return [Drawn(Fault(kind=kind, **values), roll)]


def test_a_request_is_cut_where_it_was_asked_or_anywhere_in_it() -> None:
    whole = request().size

    assert cut(drawn(Kind.CUT_REQUEST, byte=7), request()) == 7
    assert cut(drawn(Kind.CUT_REQUEST, roll=0), request()) == 0
    assert cut(drawn(Kind.CUT_REQUEST, roll=0.999999), request()) == whole
    assert cut(drawn(Kind.DROP), request()) is None


def test_an_answer_leaves_as_was_asked(network: Mastodon) -> None:
    answer = Answer.of({"id": "1"})

    def sending(found: list[Drawn]) -> Sending:
        return afterwards(found, answer, network, now=NOW).sending

    assert sending([]) == Sending()
    assert sending(drawn(Kind.DROP)) == Sending(most=0, ending=Ending.RESET)
    assert sending(drawn(Kind.HANG, seconds=9)) == Sending(wait=9, most=0, ending=Ending.CLOSE)
    assert sending(drawn(Kind.DRIP, seconds=2)) == Sending(over=2)
    assert sending(drawn(Kind.CUT_ANSWER, byte=12)) == Sending(most=12, ending=Ending.RESET)
    assert sending(drawn(Kind.TRUNCATE, byte=12)) == Sending(most=12, ending=Ending.CLOSE)
    cut_somewhere = sending(drawn(Kind.CUT_ANSWER, roll=0.999999)).most
    assert cut_somewhere is not None
    assert 0 < cut_somewhere < len(answer.encoded())


def test_an_answer_after_the_fact_can_be_an_error_or_from_another_time(network: Mastodon) -> None:
    failed = afterwards(drawn(Kind.FAIL, status=502), Answer.of({"id": "1"}), network, now=NOW)
    skewed = afterwards(drawn(Kind.SKEW, seconds=-3600), Answer.of({"id": "1"}), network, now=NOW)

    assert (failed.status, "id" in json.loads(failed.body)) == (502, False)
    assert skewed.headers["Date"] == "Tue, 24 Nov 2026 11:00:00 GMT"
    assert b"Date: Tue, 24 Nov 2026 11:00:00 GMT\r\n" in skewed.encoded()
    assert skewed.encoded().count(b"Date:") == 1


@pytest.mark.parametrize("dialect", [Dialect.SECONDS, Dialect.FLOAT, Dialect.DATE, Dialect.EPOCH, Dialect.ISO])
def test_every_dialect_names_the_same_moment(network: Mastodon, dialect: Dialect) -> None:
    answer = instead(drawn(Kind.RATE_LIMIT, seconds=90, dialect=dialect), network, call())
    assert answer is not None

    assert answer.status == 429
    assert wait_until(answer.headers, now=NOW) == NOW + timedelta(seconds=90)


def test_a_limit_can_be_told_as_facebook_does_absurdly_or_not_at_all(network: Mastodon) -> None:
    usage = instead(drawn(Kind.RATE_LIMIT, seconds=61, dialect=Dialect.USAGE), network, call())
    none = instead(drawn(Kind.RATE_LIMIT, dialect=Dialect.NONE), network, call())
    absurd = {
        (instead(drawn(Kind.RATE_LIMIT, roll=n / 100, dialect=Dialect.ABSURD), network, call()) or Answer()).headers[
            "Retry-After"
        ]
        for n in range(100)
    }

    assert usage is not None
    assert none is not None
    assert json.loads(usage.headers["X-Business-Use-Case-Usage"])["1"][0]["estimated_time_to_regain_access"] == 2
    assert dict(none.headers) == {}
    assert absurd == set(ABSURD)


def test_a_refusal_is_in_the_networks_own_words(network: Mastodon) -> None:
    answers = {
        kind: instead(drawn(kind, status=status), network, call())
        for kind, status in ((Kind.ERROR, 503), (Kind.DUPLICATE, 500), (Kind.EXPIRE, 500), (Kind.REDIRECT, 302))
    }
    statuses = {kind: answer.status for kind, answer in answers.items() if answer}

    assert statuses == {Kind.ERROR: 503, Kind.DUPLICATE: 422, Kind.EXPIRE: 401, Kind.REDIRECT: 302}
    assert (instead(drawn(Kind.REDIRECT), network, call()) or Answer()).status == 307
    assert instead(drawn(Kind.DROP), network, call()) is None


def test_views_add_up() -> None:
    seen = view(
        drawn(Kind.LAG, seconds=3)
        + drawn(Kind.LAG, seconds=2)
        + drawn(Kind.MISSING, fraction=0.25)
        + drawn(Kind.VANISH, seconds=7)
        + drawn(Kind.DROP),
        now=NOW,
    )

    assert seen == View(now=NOW, lag=3, missing=0.25, roll=0.5, gone=7)


def test_every_kind_is_either_a_shape_or_done_once_and_applies_somewhere() -> None:
    assert all(APPLIES.get(kind, ALL_BUT_PAGES) for kind in Kind)
    assert SHAPES.issubset(Kind)
