from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import Outcome, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Receipt
from reverberate.networks.base import Finds
from reverberate.networks.telegram import Telegram
from reverberate.testing import CANARY, Asked, HTTPNetworkContract, Reply, a_delivery
from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.networks.base import Network

TOKEN = f"1234567:{CANARY}_AA-b"
MESSAGE = {"message_id": 7, "date": 1, "chat": {"id": -1001234, "type": "channel", "username": "alice_blog"}}


def no(status: int, words: str, **parameters: int) -> Reply:
    told = {"ok": False, "error_code": status, "description": words, "parameters": parameters}
    return Reply(status=status, body=json.dumps(told).encode())


class TestTelegram(HTTPNetworkContract):
    network = Telegram
    settings = {"chat": "@alice_blog"}
    secrets = {"token": TOKEN}
    errors = (
        (no(401, "Unauthorized"), Unauthorised),
        (no(404, "Not Found"), Unauthorised),
        (no(403, "Forbidden: bot was kicked from the channel chat"), Unauthorised),
        (no(400, "Bad Request: chat not found"), Unauthorised),
        (no(400, "Bad Request: not enough rights to send text messages to the chat"), Unauthorised),
        (no(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009), Unauthorised),
        (no(400, "Bad Request: message is too long"), Refused),
        (no(400, "Bad Request: can't parse entities: unsupported start tag"), Refused),
        (no(429, "Too Many Requests: retry after 35", retry_after=35), RateLimited),
        (no(502, "Bad Gateway"), Unsure),
        (Reply(body=b'{"ok": true, "result": true}'), Unsure),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.target == f"/bot{TOKEN}/sendMessage"
        return Reply(body=json.dumps({"ok": True, "result": MESSAGE}).encode())

    def test_it_is_honestly_blind(self) -> None:
        assert not issubclass(Telegram, Finds)

    def test_the_wait_is_the_one_that_telegram_tells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outcome = self.met_by(no(429, "Too Many Requests", retry_after=35), monkeypatch)

        assert isinstance(outcome, RateLimited)
        assert outcome.until is not None

    def test_the_new_number_of_a_group_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outcome = self.met_by(no(400, "group chat was upgraded", migrate_to_chat_id=-1009), monkeypatch)

        assert "set chat to -1009" in str(outcome)


def reaching(network: Network) -> list[str]:
    """What comes of everything that a bot can be asked for, as texts."""
    receipt = Receipt(remote_id="-1001234/7")
    calls: list[Callable[[], object]] = [
        lambda: network.send(a_delivery()),
        lambda: network.edit(a_delivery(), receipt),  # type: ignore[attr-defined]  # Telegram edits
        lambda: network.delete(a_delivery(), receipt),  # type: ignore[attr-defined]  # and deletes
        network.verify,  # type: ignore[attr-defined]  # and verifies
    ]
    texts = [repr(network), repr(network.settings), repr(network.session), repr(receipt)]
    for call in calls:
        with pytest.raises(Outcome) as raised:
            call()
        found: BaseException | None = raised.value
        while found is not None:
            texts += [str(found), repr(found), repr(found.args)]
            found = found.__cause__ or found.__context__
    return texts


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404, body=f"no route /bot{TOKEN}/sendMessage; 1234567%3A{TOKEN.partition(':')[2]}".encode()),
        Reply(status=302, headers={"Location": f"http://127.0.0.1:1/bot{TOKEN}/x"}),
        Reply(status=500, body=b'{"ok": false, "description": "' + TOKEN.encode() + b'"}'),
        Reply(cut=0),
        Reply(cut=30, reset=True),
        Reply(headers={"Odd name\x00": "x"}, body=b"[]", cut=1_000),  # whole, and the end of the line says so
    ],
    ids=["repeated", "redirected", "failed", "lost", "broken", "odd"],
)
def test_the_token_in_the_address_is_in_no_text_of_anybodys(
    reply: Reply, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the answer to whatever call: no error, chained one, repr or line of a log, libraries' included."""
    caplog.set_level(logging.DEBUG)
    contract = TestTelegram()
    monkeypatch.setattr(contract, "accept", lambda _asked: reply)
    with contract.server() as server:
        texts = reaching(contract.make(server.url, monkeypatch))

    assert [text for text in [*texts, caplog.text] if CANARY in text] == []


def test_nor_where_nobody_answers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    network = TestTelegram().make(f"http://127.0.0.1:{free_port()}", monkeypatch)
    with pytest.raises(Transient):
        network.send(a_delivery())

    assert [text for text in [*reaching(network), caplog.text] if CANARY in text] == []
