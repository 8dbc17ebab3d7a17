"""What a network's table says of an answer, and what every network of the usual shape does with one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Duplicate, Outcome, OutOfCredit, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Delivery, Receipt
from reverberate.networks.answers import Means, body_of, fine_if, missing_is_fine, read_list
from reverberate.networks.base import NetworkSettings
from reverberate.networks.likeness import says
from reverberate.networks.rest import REST
from reverberate.secrets import Secret
from reverberate.testing import Reply, ScriptedServer
from reverberate.text.limits import Limit, Unit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class ShopSettings(NetworkSettings):
    """As most networks have them."""

    access_token: Secret
    api_base: str = "https://shop.example"
    web_base: str = "https://www.shop.example/"


class Shop(REST):
    """A network of the usual shape, with a table."""

    name, title, assurance = "shop", "Shop", Assurance.BLIND
    limit, Settings = Limit(unit=Unit.CHARACTERS, maximum=100), ShopSettings
    prefix = "/v1"
    told_in, coded = ("error",), ("code", "detail_code")
    table = (
        Means(Duplicate, {409}, {"there", 7}),
        Means(RateLimited, codes={9}, wait=timedelta(hours=6)),
        Means(RateLimited, {503}, header="Retry-After"),
        Means(Transient, words=("still busy",), wait=timedelta(minutes=1)),
        Means(Unsure, codes={1}),
        Means(Unauthorised, {404}, path="/pins", writes=True),
        Means(Unauthorised, {403}, hint="ask the shop"),
        Means(OutOfCredit, {403}),
    )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        raise AssertionError(f"these tests are about answers, and send nothing: {delivery.key}")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TOKEN", "a-secret-token")
    return Shop("alice", ShopSettings(access_token=Secret("env", "TOKEN")), now=lambda: NOW)


def answer(status: int, body: object = None, *, url: str = "", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content, response.url = status, json.dumps(body).encode(), url
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("given", "writes", "kind"),
    [
        (answer(409, {"error": {"code": 7}}), True, Duplicate),
        (answer(409, {"error": {"code": "there"}}), True, Duplicate),
        (answer(409, {"error": {"detail_code": 7}}), True, Duplicate),
        (answer(409, {"code": 7}), True, Refused),
        (answer(400, {"error": {"code": 7}}), True, Refused),
        (answer(503, Retry_After="5"), True, RateLimited),
        (answer(503), True, Unsure),
        (answer(422, {"message": "Still Busy with it"}), True, Transient),
        (answer(400, {"error": {"code": 1}}), True, Unsure),
        (answer(400, {"error": {"code": 1}}), False, Transient),
        (answer(404, url="https://shop.example/v1/pins"), True, Unauthorised),
        (answer(404, url="https://shop.example/v1/pins"), False, Refused),
        (answer(404, url="https://shop.example/v1/pins/7"), True, Refused),
        (answer(403), True, Unauthorised),
        (answer(402), True, OutOfCredit),
        (answer(500), False, Transient),
    ],
)
def test_the_first_row_that_fits_says_what_an_answer_means(
    shop: Shop, given: requests.Response, writes: bool, kind: type[Outcome]
) -> None:
    assert type(shop.outcome(given, writes=writes)) is kind


@pytest.mark.parametrize("code", [{}, [7], None, True, {"a": 1}, 7.5])
def test_a_code_that_is_none_is_no_trouble(shop: Shop, code: Any) -> None:
    assert type(shop.outcome(answer(409, {"error": {"code": code}}), writes=True)) is Refused


def test_a_row_knows_how_long_it_lasts_and_what_to_do(shop: Shop) -> None:
    limited, busy = (
        shop.outcome(answer(400, {"error": {"code": 9}}), writes=True),
        shop.outcome(answer(422, "still busy"), writes=True),
    )

    assert isinstance(limited, RateLimited)
    assert limited.until == NOW + timedelta(hours=6)
    assert isinstance(busy, Transient)
    assert busy.after == timedelta(minutes=1)
    assert shop.outcome(answer(403, {"message": "no"}), writes=True).words == "403 no; ask the shop"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "no", "code": 7}, "400 no (code 7)"),
        ({"message": "no", "code": 7, "detail_code": 33}, "400 no (code 7/33)"),
        ({"message": "no", "code": "Invalid"}, "400 no (Invalid)"),
        ({"message": "no", "code": "a-secret-token"}, "400 no (***)"),
        ({"message": "n" * 600, "code": 7}, f"400 {'n' * 496} (code 7)"),
        ({"message": "no"}, "400 no"),
    ],
)
def test_the_code_stands_after_the_words(shop: Shop, error: dict[str, Any], words: str) -> None:
    assert shop.words(answer(400, {"error": error})) == words


def test_the_wait_may_stand_in_the_body(shop: Shop) -> None:
    outcome = shop.outcome(answer(429, {"error": {"retry_after": 5}}), writes=True)

    assert isinstance(outcome, RateLimited)
    assert outcome.until == NOW + timedelta(seconds=5)


def test_requests_go_below_the_address_with_the_token(shop: Shop) -> None:
    with ScriptedServer(lambda _asked: Reply(body=b'{"id": 5}')) as server:
        shop.settings = shop.settings.model_copy(update={"api_base": f"{server.url}/"})
        assert shop.read("/pins", page="2") == {"id": 5}
        assert shop.write("POST", "/pins", json={}, headers={"X-Own": "1"}) == {"id": 5}
        with pytest.raises(Transient, match="list"):
            shop.listed("/pins")

    read, written, _ = server.asked
    assert (read.target, written.target) == ("/v1/pins?page=2", "/v1/pins")
    assert {asked.headers["authorization"] for asked in (read, written)} == {"Bearer a-secret-token"}
    assert written.headers["x-own"] == "1"


def test_a_network_without_a_bearer_sends_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop, "bearer", "")

    assert shop.proof() == {}


def test_a_receipt_has_an_id_and_an_address(shop: Shop) -> None:
    assert shop.receipt(7, "/pin/7/") == Receipt(remote_id="7", permalink="https://www.shop.example/pin/7/")
    assert shop.receipt("7", "https://else.example/7").permalink == "https://else.example/7"
    assert shop.receipt("7", "").permalink == ""
    with pytest.raises(Unsure, match="Shop answered with success and without the post's id"):
        shop.receipt(None, "/pin/None/")


def raising(outcome: Outcome, context: AbstractContextManager[None]) -> None:
    with context:
        raise outcome


def test_what_is_gone_already_is_no_trouble() -> None:
    for status in (404, 410):
        raising(Refused("gone", status=status), missing_is_fine())
    with pytest.raises(Refused):
        raising(Refused("no", status=403), missing_is_fine())
    raising(Refused("400 Message is not Modified (code 5)"), fine_if("(code 4)", "is not modified"))
    with pytest.raises(Refused):
        raising(Refused("400 no"), fine_if("is not modified"))


def test_only_a_list_is_one() -> None:
    assert read_list(answer(200, [1])) == [1]
    with pytest.raises(Transient):
        read_list(answer(200, {}))
    assert body_of(answer(200, {"a": {"b": {"c": 1}}}), "a", "b") == {"c": 1}
    assert body_of(answer(200, {"a": [1]}), "a", "b") == {}


LINK = "https://blog.example/one"


@pytest.mark.parametrize(
    ("ours", "text", "links", "same"),
    [
        (f"A hill {LINK}", "A hill https://t.co/x", (LINK,), True),
        (f"A hill {LINK}", f"Other words {LINK}", (), True),
        (f"A hill {LINK}", "A hill", ("https://blog.example/one-more",), False),
        ("A hill", "a  hill!", (), True),
        ("A hill", "A mountain", (LINK,), False),
    ],
)
def test_a_post_is_known_by_its_link_or_else_by_its_words(
    ours: str, text: str, links: tuple[str, ...], same: bool
) -> None:
    assert says(ours, LINK, text, *links) is same


def test_a_write_that_is_answered_with_no_object_is_unsure(shop: Shop) -> None:
    """A write that is answered with what is no object is unsure, for it may have been taken."""
    with ScriptedServer(lambda _asked: Reply(body=b"[]")) as server:
        shop.settings = shop.settings.model_copy(update={"api_base": server.url})
        with pytest.raises(Unsure):
            shop.write("POST", "/pins", json={})
