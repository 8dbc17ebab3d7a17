"""Discord, by a webhook or by a bot. Source: discord.com/developers/docs, Execute Webhook, Create Message, Embed Limits.

A webhook is one address to paste, and blind: nobody can list what it sent. A bot can read its channel back.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from reverberate.errors import Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, body_of, fine_if
from reverberate.networks.base import Network, NetworkSettings, only_part
from reverberate.networks.flows import Ask, PasteFlow
from reverberate.networks.likeness import earliest, parse_instant, same_link, same_words
from reverberate.networks.parts import file_of
from reverberate.networks.rest import REST
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import Delivery, Message, Picture

WEBHOOK = re.compile(r"(\d+)/([\w-]+)/?$")
NO_MENTIONS: Mapping[str, list[str]] = {"parse": []}
LONGEST_TITLE, LONGEST_ABOUT = 256, 1000
MOST_PICTURES = 10


class DiscordSettings(NetworkSettings):
    """One channel: its webhook's address, or a bot's token and the channel's number."""

    webhook: Secret | None = Field(default=None, description="The webhook's address, as Discord copies it.")
    bot_token: Secret | None = Field(default=None, description="A bot's token, instead of a webhook.")
    channel: str = Field(default="", pattern=r"^\d*$", description="With a bot: the channel's number.")
    thread: str = Field(default="", pattern=r"^\d*$", description="With a webhook: a thread's number in its channel.")
    api_base: str = Field(default="https://discord.com/api/v10", description="Where the API is.")
    web_base: str = Field(default="https://discord.com", description="Where people read it.")

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Either the one or the other."""
        if (self.webhook is None) == (self.bot_token is None):
            raise ValueError("give either webhook or bot_token")
        if (self.bot_token is None) != (not self.channel):
            raise ValueError("channel goes with bot_token: the number of the channel that the bot posts to")
        return self


class Discord(REST):
    """What both ways have in common; by itself it is the webhook's."""

    name, title, assurance = "discord", "Discord webhook", Assurance.BLIND
    limit, Settings = LIMITS["discord"], DiscordSettings
    card, carries = True, frozenset({"card", "attach"})
    settings: DiscordSettings
    params: ClassVar[Mapping[str, str]] = {"wait": "true"}  # without it, what is not saved brings no error
    bearer, coded = "", ("code",)
    table = (
        Means(Unauthorised, {401, 403}),  # it bans addresses that go on after these
        Means(Unauthorised, range(400, 429), {10003, 10015, 40001, 50001, 50013, 50027}),  # no channel, webhook, rights
    )
    _guild: str | None = None

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:
        """See Network."""
        return DiscordBot if getattr(settings, "bot_token", None) else cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """See Network."""
        return Discord, DiscordBot

    @classmethod
    def flow(cls, settings: DiscordSettings) -> PasteFlow:
        """See Connects."""
        if settings.bot_token is not None:
            asks = (Ask(setting="bot_token", label="The bot's token"),)
            return PasteFlow(where="https://discord.com/developers/applications", asks=asks)
        asks = (Ask(setting="webhook", label="The webhook's address"),)
        return PasteFlow(where="Discord: Edit channel > Integrations > Webhooks > Copy webhook URL", asks=asks)

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        only_part(delivery.message)
        self._place()  # whose guild it is: for the permalink, and asked first, for afterwards nothing may fail
        return self._receipt(self._say("POST", self._messages(), delivery, self._fresh(delivery)))

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        return self._receipt(self._say("PATCH", f"{self._messages(changes=True)}/{receipt.remote_id}", delivery, {}))

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes."""
        with fine_if("(code 10008)"):  # unknown message
            self.api("DELETE", f"{self._messages(changes=True)}/{receipt.remote_id}", params=self._thread())

    def verify(self) -> Standing:
        """See Verifies."""
        hook = self.read(self._hook())
        return Standing(who=f"{hook.get('name') or 'a webhook'} in channel {hook.get('channel_id', '')}")

    def secrets(self) -> list[str]:
        """See Network; the token by itself too, for an answer may repeat it without the address."""
        found = WEBHOOK.search(self.settings.webhook.reveal()) if self.settings.webhook else None
        return [*super().secrets(), *([found[2]] if found else [])]

    def said(self, response: requests.Response) -> str:
        """See Network; with what is wrong with which field."""
        wrong = body_of(response).get("errors")
        return f"{super().said(response)} {json.dumps(wrong)}" if wrong else super().said(response)

    def _hook(self) -> str:
        assert self.settings.webhook is not None  # noqa: S101 - the settings' own rule
        found = WEBHOOK.search(self.settings.webhook.reveal())
        if found is None:
            raise Unauthorised("that is no webhook's address: it ends in webhooks/NUMBER/TOKEN")
        return f"/webhooks/{found[1]}/{found[2]}"

    def _messages(self, *, changes: bool = False) -> str:
        return f"{self._hook()}/messages" if changes else self._hook()

    def _thread(self) -> dict[str, str]:
        return {"thread_id": self.settings.thread} if self.settings.thread else {}

    def _fresh(self, delivery: Delivery) -> dict[str, Any]:  # noqa: ARG002 - a webhook has no key for us
        """What only a new message has."""
        return {}

    def _place(self) -> str:
        """The guild's number; asked once."""
        if self._guild is None:
            self._guild = str(self.read(self._home()).get("guild_id") or "@me")
        return self._guild

    def _home(self) -> str:
        return self._hook()

    def _say(self, method: str, path: str, delivery: Delivery, more: Mapping[str, Any]) -> Mapping[str, Any]:
        message, files = delivery.message, _pictures(delivery.message)
        body = {"content": escape(message.parts[0], self.name), "allowed_mentions": NO_MENTIONS, **more}
        body |= {"embeds": _embeds(message), "attachments": [_described(n, one) for n, one in enumerate(files)]}
        params = {**(self.params if method == "POST" else {}), **self._thread()}
        if not files:
            return self.write(method, path, params=params, json=body)
        parts = {f"files[{n}]": file_of(delivery, one, name=f"picture{n}") for n, one in enumerate(files)}
        form = {"payload_json": json.dumps(body)}
        return self.write(method, path, params=params, data=form, files=parts)

    def _receipt(self, told: Mapping[str, Any]) -> Receipt:
        place = f"{self._guild or '@me'}/{told.get('channel_id', self.settings.channel)}/{told.get('id')}"
        return self.receipt(told.get("id"), f"/channels/{place}")


class DiscordBot(Discord):
    """Posts as a bot: with a nonce that Discord remembers for some minutes, and able to read its channel back."""

    title, assurance = "Discord bot", Assurance.READABLE
    params: ClassVar[Mapping[str, str]] = {}

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: our messages among the channel's newest, by the link or the words, and by the time."""
        me, since = self._me()["id"], earliest(delivery)
        self._place()
        for told in self.listed(self._messages(), limit="100"):
            ours = told["author"]["id"] == me and parse_instant(told["timestamp"]) >= since
            if ours and _says(told, delivery.message):
                return self._receipt(told)
        return None

    def verify(self) -> Standing:
        """See Verifies."""
        me, channel = self._me(), self.read(self._home())
        return Standing(who=f"{me['username']} in #{channel.get('name') or self.settings.channel}")

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts; every emoji is a like."""
        told = self.read(f"{self._messages()}/{receipt.remote_id}")
        return Reactions(likes=sum(int(one["count"]) for one in told.get("reactions", [])))

    def secrets(self) -> list[str]:
        """See Network."""
        return Network.secrets(self)

    def _me(self) -> Mapping[str, Any]:
        return self.read("/users/@me")

    def _home(self) -> str:
        return f"/channels/{self.settings.channel}"

    def _messages(self, *, changes: bool = False) -> str:  # noqa: ARG002 - the same for both
        return f"{self._home()}/messages"

    def _fresh(self, delivery: Delivery) -> dict[str, Any]:
        return {"nonce": hashlib.sha256(delivery.key.encode()).hexdigest()[:25], "enforce_nonce": True}

    def proof(self) -> Mapping[str, str]:
        """See REST."""
        return {"Authorization": f"Bot {self.settings.bot_token.reveal()}"} if self.settings.bot_token else {}


def _embeds(message: Message) -> list[dict[str, Any]]:
    """The link card; none where the text holds the link, for Discord makes one of that itself."""
    card = message.card
    if card is None or same_link(message.parts[0], card.url):
        return []
    shown: dict[str, Any] = {"url": card.url, "title": _cut(card.title or card.url, LONGEST_TITLE)}
    if card.description:
        shown["description"] = _cut(card.description, LONGEST_ABOUT)
    if card.picture:
        shown["image"] = {"url": f"attachment://{_file(0, card.picture)}"}
    return [shown]


def _cut(text: str, most: int) -> str:
    written = escape(text, "discord")
    while len(written) > most:
        text = text[: len(text) * most // len(written) - 1].rstrip() + "…"
        written = escape(text, "discord")
    return written


def _pictures(message: Message) -> list[Picture]:
    """The card's picture first, for its embed names it by its place."""
    cards = [message.card.picture] if message.card and message.card.picture and _embeds(message) else []
    return [*cards, *message.pictures][:MOST_PICTURES]


def _file(number: int, picture: Picture) -> str:
    return f"picture{number}.{picture.mime.partition('/')[2]}"


def _described(number: int, picture: Picture) -> dict[str, Any]:
    return {"id": str(number), "filename": _file(number, picture), "description": picture.alt}


def _says(told: Mapping[str, Any], message: Message) -> bool:
    links = [str(one.get("url") or "") for one in told.get("embeds", [])]
    return any(same_link(text, message.link) for text in (told["content"], *links)) or same_words(
        told["content"], message.parts[0]
    )
