from __future__ import annotations

from typing import Any

import pytest

from reverberate.errors import RateLimited, Refused, Unauthorised, Unsure
from reverberate.networks.base import Finds
from reverberate.networks.discord import Discord, DiscordBot
from reverberate.testing import CANARY, Asked, HTTPNetworkContract, Reply, a_delivery

MESSAGE = b'{"id": "7", "channel_id": "12"}'
HOOK = f"https://discord.com/api/webhooks/34/{CANARY}-hook"


def error(status: int, code: int, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=b'{"message": "said", "code": %d}' % code, headers=named)


ERRORS = (
    (error(401, 0), Unauthorised),
    (error(401, 50027), Unauthorised),
    (error(403, 50013), Unauthorised),
    (error(404, 10015), Unauthorised),
    (error(404, 10003), Unauthorised),
    (error(400, 50035), Refused),
    (error(400, 50006), Refused),
    (error(429, 0, X_RateLimit_Reset_After="0.65"), RateLimited),
    (Reply(status=429, body=b'{"message": "slow down", "retry_after": 64.57}'), RateLimited),
    (Reply(status=429, body=b"<html>error 1015</html>"), RateLimited),
    (Reply(body=b"{}"), Unsure),
)


class TestDiscordWebhook(HTTPNetworkContract):
    network = Discord
    settings: dict[str, Any] = {"bot_token": None}
    secrets = {"webhook": HOOK}
    errors = ERRORS

    def accept(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(body=b'{"id": "34", "guild_id": "56", "channel_id": "12", "name": "blog"}')
        assert asked.target == f"/webhooks/34/{CANARY}-hook?wait=true"
        assert b'"allowed_mentions": {"parse": []}' in asked.body
        return Reply(body=MESSAGE)

    def test_it_is_honestly_blind(self) -> None:
        assert not issubclass(Discord, Finds)
        assert Discord.way(Discord.Settings(webhook={"env": "HOOK"})) is Discord  # type: ignore[arg-type]  # as a config has it

    def test_an_address_that_is_none_is_told_without_its_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "secrets", {"webhook": f"https://discord.com/{CANARY}"})
        with self.server() as server, pytest.raises(Unauthorised, match="no webhook's address") as raised:
            self.make(server.url, monkeypatch).send(a_delivery())

        assert CANARY not in str(raised.value)


class TestDiscordBot(HTTPNetworkContract):
    network = DiscordBot
    settings: dict[str, Any] = {"webhook": None, "channel": "12"}
    errors = ERRORS

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"] == f"Bot {CANARY}-bot_token"
        if asked.method == "GET":
            return Reply(body=b'{"id": "12", "guild_id": "56", "name": "blog", "type": 0}')
        assert b'"enforce_nonce": true' in asked.body
        return Reply(body=MESSAGE)

    def test_it_is_the_way_of_those_who_have_a_bot(self) -> None:
        settings = Discord.Settings(bot_token={"env": "BOT"}, channel="12")  # type: ignore[arg-type]  # as a config has it

        assert Discord.way(settings) is DiscordBot
        assert issubclass(DiscordBot, Finds)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "either webhook or bot_token"),
        ({"webhook": {"env": "A"}, "bot_token": {"env": "B"}, "channel": "1"}, "either webhook or bot_token"),
        ({"bot_token": {"env": "B"}}, "channel goes with bot_token"),
        ({"webhook": {"env": "A"}, "channel": "1"}, "channel goes with bot_token"),
    ],
)
def test_settings_of_neither_way_say_what_is_wrong(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Discord.Settings(**given)
