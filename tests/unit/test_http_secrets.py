"""No text that comes out of the HTTP session holds a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from reverberate.errors import Outcome, Unauthorised
from reverberate.http import Session
from reverberate.testing import Reply, ScriptedServer
from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "tok/en+3f9d 2c71"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda _: Reply()) as running:
        yield running


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(secrets=[SECRET]) as made:
        yield made


def outcome(session: Session, url: str, **kwargs: dict[str, str]) -> Outcome:
    with pytest.raises(Outcome) as raised:
        session.post(url, **kwargs)  # type: ignore[arg-type]  # whatever requests takes
    return raised.value


def test_they_are_masked_as_they_are_and_as_addresses_write_them(session: Session) -> None:
    session.learn("later")

    assert session.mask(f"a {SECRET} b {quote(SECRET, safe='')} c later") == "a *** b *** c ***"


def test_one_that_holds_another_leaves_no_rest() -> None:
    assert Session(secrets=["abc", "abcdef", ""]).mask("abcdef abc") == "*** ***"


@pytest.mark.parametrize("there", [True, False])
def test_none_is_in_an_outcome_or_in_what_is_chained_to_it(
    session: Session, server: ScriptedServer, there: bool
) -> None:
    """Neither as a parameter, nor as the password of the address; learnt ones included."""
    session.learn("handed-out")
    server.script.append(Reply(cut=0))
    place = server.url.removeprefix("http://") if there else f"127.0.0.1:{free_port()}"
    headers = {"Authorization": "Bearer handed-out"}
    url = f"http://alice:unlisted@{place}/handed-out"
    found = outcome(session, url, params={"key": SECRET}, headers=headers)

    texts = [repr(found), found.words, repr(found.__cause__), repr(found.__context__), repr(session)]
    hidden = (SECRET, quote(SECRET, safe=""), "handed-out", "unlisted")
    assert [text for text in texts if any(secret in text for secret in hidden)] == []


@pytest.mark.parametrize("token", ["two\nlines-canary", " canary\r"])
def test_one_that_no_header_can_hold_is_not_told(session: Session, server: ScriptedServer, token: str) -> None:
    """The owner has to mend it; requests would have put it into its message."""
    found = outcome(session, server.url, headers={"Authorization": token})

    assert (type(found), session.wrote, server.asked) == (Unauthorised, False, [])
    assert "canary" not in f"{found!r} {found.__cause__!r} {found.__context__!r}"
