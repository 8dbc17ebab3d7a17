"""Thousands of requests that the API's own description allows, and as many that it forbids, with and without tokens."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from reverberate.model import Scope
from reverberate.store import Store
from support.api import serving
from support.world import plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis import Case

    from support.api import Api

EXAMPLES = 24
"""Of each kind for each route and each caller."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
THERE = {"share": range(1, 9), "post": range(1, 5), "account": ["a", "b"], "source": ["s"], "name": ["nobody"]}
OURS = {"authorization", "host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}
"""Headers that say whose request it is, and where it ends: a wrong one makes it no request at all."""
cases: dict[str, int] = {}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    store = Store(f"sqlite:///{folder / 'reverberate.db'}")
    plan(store, accounts=["a", "b"], number=4)
    with serving(store) as found:
        yield found
    store.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scope", [None, *Scope], ids=str)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_no_request_is_a_fault_and_none_is_done_without_its_scope(
    api: Api, scope: Scope | None, mode: GenerationMode
) -> None:
    document = api.get("/api/openapi.json")
    session = requests.Session()
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()
        if scope is not None and operation.path == "/api/events/stream":
            continue  # it goes on for ever
        needed = scope_of(document, operation.method, operation.path)
        fuzz(operation.as_strategy(generation_mode=mode), Asked(api, session, scope, needed, mode))


@dataclass(frozen=True)
class Asked:
    """Who asks, and what the route needs."""

    api: Api
    session: requests.Session
    scope: Scope | None
    needed: Scope
    mode: GenerationMode


def fuzz(strategy: st.SearchStrategy[Case], asked: Asked) -> None:
    """Send what the strategy gives, half of it about things that are there."""

    @settings(
        max_examples=EXAMPLES if asked.scope else EXAMPLES // 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, known=st.booleans(), draw=st.data())
    def ask(case: Case, known: bool, draw: Any) -> None:
        for name in set(case.path_parameters or {}) & set(THERE) if known else ():
            case.path_parameters[name] = draw.draw(st.sampled_from(list(THERE[name])))
        answer = send(asked.api, asked.session, case, asked.scope)
        who = f"{asked.scope} {asked.mode.value}"
        cases[who] = cases.get(who, 0) + 1
        judge(case, answer, asked.scope, asked.needed)

    ask()


def scope_of(document: Any, method: str, path: str) -> Scope:
    """What the description says that a route needs."""
    return Scope(document["paths"][path][method.lower()]["x-scope"])


def send(api: Api, session: requests.Session, case: Case, scope: Scope | None) -> Any:
    """The case as it is, but for its token."""
    told = case.as_transport_kwargs(base_url=api.address)
    told["headers"] = {name: value for name, value in told["headers"].items() if name.lower() not in OURS}
    told["headers"] |= {"Authorization": f"Bearer {api.tokens[scope]}"} if scope else {}
    return session.request(**told, timeout=20)


def judge(case: Case, answer: Any, scope: Scope | None, needed: Scope) -> None:
    """No fault, nothing undescribed, nothing without the scope."""
    said = (
        f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}: {answer.status_code} {answer.text:.300}"
    )
    assert answer.status_code < 500 or answer.status_code == 502, said
    if answer.status_code in {404, 405} and answer.json().get("detail") in {"Not Found", "Method Not Allowed"}:
        return  # a path parameter made another path of it
    if scope is None:
        assert answer.status_code in {401, 400, 413}, said
    elif not scope.includes(needed):
        assert answer.status_code in {403, 400, 413}, said  # a body that is too large is not even read
    else:
        assert answer.status_code not in {401, 403} or "pictures" in answer.text, said
        case.validate_response(answer, checks=CHECKS)


def test_that_they_were_thousands(request: pytest.FixtureRequest) -> None:
    if len(cases) < 8:
        pytest.skip("only some of the cases were asked for")
    sys.stdout.write(f"{sum(cases.values())} requests: {cases}\n")
    assert sum(cases.values()) >= 3000
