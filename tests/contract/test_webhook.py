from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook as TheirWebhook
from standardwebhooks import WebhookVerificationError

from reverberate.accounts import ability_of
from reverberate.errors import RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Assurance
from reverberate.networks.webhook import Webhook
from reverberate.testing import CANARY, Asked, HTTPNetworkContract, Reply, a_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.networks.base import Network

SECRET = f"whsec_{base64.b64encode(CANARY.encode() * 2).decode()}"


class TestWebhook(HTTPNetworkContract):
    network = Webhook
    settings = {"url": "set by make"}
    secrets = {"secret": SECRET}
    errors = (
        (Reply(status=400), Refused),
        (Reply(status=401), Unauthorised),
        (Reply(status=404), Unauthorised),
        (Reply(status=410), Unauthorised),
        (Reply(status=429, headers={"Retry-After": "60"}), RateLimited),
        (Reply(status=502), Unsure),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), Refused),
    )

    def make(self, base: str, monkeypatch: pytest.MonkeyPatch) -> Network:
        monkeypatch.setattr(type(self), "settings", {"url": f"{base}/hook"})
        return super().make(base, monkeypatch)

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["webhook-id"] == "key-00000001"
        assert TheirWebhook(SECRET).verify(asked.body, dict(asked.headers))["type"] == "post.shared"
        return Reply(status=204, body=b"")

    @pytest.mark.parametrize("cut", [0, 1, 8])
    @pytest.mark.parametrize("reset", [False, True])
    def test_a_lost_answer_is_unsure(self, cut: int, reset: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lost is what broke off before the status: that is all that a receiver has to say."""
        assert isinstance(self.met_by(Reply(status=204, cut=cut, reset=reset), monkeypatch), Unsure)

    def test_a_changed_body_or_an_old_one_does_not_verify(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with self.server() as server:
            network = self.make(server.url, monkeypatch)
            network.send(a_delivery())
            network.now = lambda: datetime.now(UTC) - timedelta(minutes=6)
            monkeypatch.setattr(self, "accept", lambda _: Reply(status=204))
            server._accept = self.accept
            network.send(a_delivery())
        first, old = server.asked

        assert_refused(first.body + b" ", first.headers)
        assert_refused(old.body, old.headers)

    def test_what_is_sent_is_a_document_of_the_post(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with self.server() as server:
            self.make(server.url, monkeypatch).send(a_delivery())
        data = json.loads(server.asked[0].body)["data"]

        assert (data["key"], data["title"], data["summary"]) == ("key-00000001", "A post", "in short")
        assert data["link"] in data["text"]

    @pytest.mark.parametrize("secret", [CANARY, f"whsec_{CANARY}", "whsec", f"sk_{SECRET}"])
    def test_a_secret_that_is_none_is_told_without_its_words(
        self, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "secrets", {"secret": secret})
        with self.server() as server, pytest.raises(Unauthorised, match="signing secret") as raised:
            self.make(server.url, monkeypatch).send(a_delivery())

        assert secret not in f"{raised.value!r} {raised.value.__context__!r}" or secret == "whsec"
        assert server.asked == []


def assert_refused(body: bytes, headers: Mapping[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        TheirWebhook(SECRET).verify(body, dict(headers))


@pytest.mark.parametrize(("deduplicates", "assurance"), [(False, Assurance.BLIND), (True, Assurance.IDENTITY)])
def test_sending_again_is_harmless_only_where_the_owner_says_so(deduplicates: bool, assurance: Assurance) -> None:
    class Account:
        on_unsure, retry, settle = "ask", (), None
        settings: Any = Webhook.Settings(
            url="https://hook.example",
            secret={"env": "A"},  # type: ignore[arg-type]  # as a config has it
            deduplicates=deduplicates,
        )

    ability = ability_of(Webhook.way(Account.settings), Account())  # type: ignore[arg-type]  # as much of one as it asks
    assert (ability.assurance, ability.always, ability.finds) == (assurance, deduplicates, False)
