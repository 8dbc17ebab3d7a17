"""Telegram, Discord, Pinterest: every request, and the sandbox's every answer, against the vendor's specification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Outcome
from reverberate.networks.base import Counts, Deletes, Edits, Finds, Verifies
from reverberate.sandbox import Sandbox
from support.clients import client, delivery, saying
from support.judges_open import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.networks.base import Network
    from support.judges import Judge

pytestmark = pytest.mark.specs
CALLS = {
    "telegram": {"getMe", "getChat", "getChatMember", "sendMessage", "sendPhoto", "deleteMessage"}
    | {"editMessageText", "editMessageCaption"},
    "discord": {"get_webhook_by_token", "execute_webhook", "update_webhook_message", "delete_webhook_message"},
    "discord bot": {"get_my_user", "get_channel", "create_message", "list_messages", "get_message"}
    | {"update_message", "delete_message"},
    "pinterest": {"pins/create", "pins/update", "pins/delete", "pins/get", "boards/list_pins", "boards/get"}
    | {"user_account/get"},
}


def all_that_it_can(network: Network, way: str) -> None:
    """Everything that a client can be asked for, refusals among it."""
    assert isinstance(network, Verifies)
    assert isinstance(network, Edits)
    assert isinstance(network, Deletes)
    network.verify()
    for serial, pictures in ((1, 0), (2, 1)):
        what = delivery(way, serial=serial, pictures=pictures)
        receipt = network.send(what)
        if isinstance(network, Finds):
            assert network.find(what) == receipt
        if isinstance(network, Counts):
            network.reactions(receipt)
        network.edit(saying(what, f"Other <words> & signs {serial}"), receipt)
        network.delete(what, receipt)
        network.delete(what, receipt)
    with pytest.raises(Outcome):
        network.send(delivery(way, "x" * 5000))


@pytest.fixture(scope="module", params=CALLS)
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Judge, str, list[requests.Response]]]:
    """A way, its judge, where its API was, and all that went over the line."""
    way, answers = request.param, list[requests.Response]()
    with pytest.MonkeyPatch.context() as patch, Sandbox(tmp_path_factory.mktemp("sandbox"), seed="s") as sandbox:
        network = client(sandbox.url, way, patch)
        network.session.hooks["response"].append(lambda answer, **_: answers.append(answer))
        all_that_it_can(network, way)
        yield way, OPEN[network.name](), network.settings.api_base, answers


def test_every_request_is_as_the_vendor_says(told: tuple[str, Judge, str, list[requests.Response]]) -> None:
    _, judge, base, answers = told
    assert [
        wrong
        for answer in answers
        for wrong in judge.request(answer.request, base=base)
        if len(answer.request.body or "") < 5000
    ] == []


def test_every_answer_of_the_sandbox_is_as_the_vendor_says(
    told: tuple[str, Judge, str, list[requests.Response]],
) -> None:
    _, judge, base, answers = told
    assert [wrong for answer in answers for wrong in judge.answer(answer, base=base)] == []


def test_these_and_no_other_calls_are_made(told: tuple[str, Judge, str, list[requests.Response]]) -> None:
    way, judge, base, answers = told
    assert {judge.call(answer.request, base=base) for answer in answers} == CALLS[way]


BASE = "http://127.0.0.1/api"
BOT, HOOK, ROOM = "/bot1:a", "/webhooks/1/a", "/channels/1/messages"
SAID = {"chat_id": "@alice", "text": "a"}
WRONG: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("telegram", "POST", f"{BOT}/sendMessages", {"json": SAID}, "no such method"),
    ("telegram", "POST", f"{BOT}/sendMessage", {"json": {"chat_id": "@alice"}}, "text is missing"),
    ("telegram", "POST", f"{BOT}/sendMessage", {"json": SAID | {"preview": True}}, "has no preview"),
    ("telegram", "POST", f"{BOT}/sendMessage", {"json": SAID | {"disable_notification": "true"}}, "is no Boolean"),
    ("telegram", "POST", f"{BOT}/sendMessage", {"json": SAID | {"link_preview_options": {"link": "a"}}}, "has no link"),
    ("telegram", "POST", f"{BOT}/deleteMessage", {"json": {"chat_id": 1, "message_id": "2"}}, "is no Integer"),
    (
        "telegram",
        "POST",
        f"{BOT}/sendPhoto",
        {"data": {"chat_id": "1"}, "files": {"picture": b"a"}},
        "photo is missing",
    ),
    ("telegram", "GET", f"{BOT}/getChat", {"params": {"chat": "1"}}, "has no chat"),
    ("discord", "POST", HOOK, {"json": {"content": "a", "nonce": "b"}}, "nonce"),
    ("discord", "POST", HOOK, {"json": {"content": "a", "flags": "4"}}, "not valid under any of the given schemas"),
    ("discord", "POST", HOOK, {"json": {"content": "a"}, "params": {"waits": "true"}}, "no parameter waits"),
    ("discord", "POST", ROOM, {"json": {"content": "a", "nonce": "b" * 26}}, "nonce"),
    ("discord", "POST", ROOM, {"json": {"allowed_mentions": {"parse": ["all"]}}}, "all"),
    ("discord", "POST", ROOM, {"json": {"embeds": [{"title": "a" * 257}]}}, "too long"),
    (
        "discord",
        "POST",
        ROOM,
        {"data": {"payload_json": '{"attachments": []}'}, "files": {"files[0]": b"a"}},
        "others sent",
    ),
    ("pinterest", "POST", "/pins", {"json": {"board_id": "a"}}, "does not match"),
    ("pinterest", "POST", "/pins", {"json": {"board_id": "1", "title": "a" * 101}}, "too long"),
    ("pinterest", "POST", "/pins", {"json": {"board": "1"}}, "board"),
    (
        "pinterest",
        "POST",
        "/pins",
        {"json": {"media_source": {"source_type": "image_base64", "data": "a"}}},
        "media_source",
    ),
    ("pinterest", "GET", "/boards/1/pins", {"params": {"page_size": "251"}}, "page_size"),
    ("pinterest", "GET", "/boards/1/pins", {"params": {"limit": "25"}}, "no parameter limit"),
]


@pytest.mark.parametrize(("name", "method", "path", "how", "why"), WRONG)
def test_the_judges_can_say_no(name: str, method: str, path: str, how: dict[str, Any], why: str) -> None:
    wrong = OPEN[name]().request(requests.Request(method, BASE + path, **how).prepare(), base=BASE)

    assert why in "; ".join(wrong)


ANSWERS: list[tuple[str, str, str, Any]] = [
    ("telegram", "POST", f"{BOT}/sendMessage", {"ok": True, "result": {"message_id": "7"}}),
    ("telegram", "GET", f"{BOT}/getMe", {"ok": True, "result": {"id": 1, "is_bot": True}}),
    ("discord", "POST", ROOM, {"id": "1", "content": "a"}),
    ("pinterest", "GET", "/pins/1", {"id": 1}),
]


@pytest.mark.parametrize(("name", "method", "path", "body"), ANSWERS)
def test_a_wrong_answer_is_refused(name: str, method: str, path: str, body: Any) -> None:
    answer = requests.Response()
    answer.request = requests.Request(method, BASE + path, json={} if method == "POST" else None).prepare()
    answer.status_code, answer._content = 200, json.dumps(body).encode()
    answer.headers["Content-Type"] = "application/json"

    assert OPEN[name]().answer(answer, base=BASE)
