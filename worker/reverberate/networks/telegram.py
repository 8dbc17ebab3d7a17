"""Telegram channels and chats, by a bot. Source: core.telegram.org/bots/api (10.1), Making requests, sendMessage.

The bot's token stands in the address of every call; no error, log or repr of ours holds an address.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Outcome, RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import Network, NetworkSettings, body_of, json_object, only_part
from reverberate.networks.flows import Ask, PasteFlow
from reverberate.policy import wait_until
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from reverberate.model import Delivery, Message

LOST = (
    "chat not found",
    "not enough rights",
    "need administrator rights",
    "have no rights",
    "was upgraded",
    "write_forbidden",
)
"""In the words of a 400: the owner has to mend the chat's name or the bot's rights, and no message is at fault."""
OTHER_KIND = ("no text in the message", "no caption in the message")
GONE = ("message to delete not found", "message to edit not found")


class TelegramSettings(NetworkSettings):
    """One chat, and the bot that writes there."""

    token: Secret = Field(description="The bot's token, from @BotFather.")
    chat: str = Field(pattern=r"^(@\w{4,}|-?\d+)$", description="@name of a public channel, or a chat's number.")
    preview: Literal["large", "small", "none"] = Field(default="large", description="The link's card below the text.")
    silent: bool = Field(default=False, description="Whether readers are notified without a sound.")
    api_base: str = Field(default="https://api.telegram.org", description="Where the Bot API is.")
    web_base: str = Field(default="https://t.me", description="Where people read it.")


class Telegram(Network):
    """Sends messages, and photos with a caption. A bot cannot read what it wrote: what is lost stays unknown."""

    name, title, assurance = "telegram", "Telegram", Assurance.BLIND
    limit, caption, Settings = LIMITS["telegram"], LIMITS["telegram_caption"], TelegramSettings
    carries = frozenset({"attach"})  # the link card is Telegram's own, from the page's tags
    settings: TelegramSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        where: dict[str, Any] = {"chat_id": self.settings.chat, "disable_notification": self.settings.silent}
        text = {"parse_mode": "HTML"} | where
        words, message = escape(only_part(delivery.message), self.name), delivery.message
        if not message.pictures:
            return self._receipt(self._bot("sendMessage", json=text | {"text": words} | self._card(message)))
        form = text | {"disable_notification": str(self.settings.silent).lower()}
        picture = message.pictures[0]
        photo = (f"picture.{picture.mime.partition('/')[2]}", delivery.load(picture.digest), picture.mime)
        return self._receipt(self._bot("sendPhoto", data=form | {"caption": words}, files={"photo": photo}))

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; a photo stays the one that it is."""
        words = escape(only_part(delivery.message), self.name)
        said = _place(receipt) | {"parse_mode": "HTML"}
        calls = [
            ("editMessageText", said | {"text": words} | self._card(delivery.message)),
            ("editMessageCaption", said | {"caption": words}),
        ]
        first, second = reversed(calls) if delivery.message.pictures else calls
        try:
            self._changed(*first)
        except Refused as outcome:
            if not _told(outcome, *OTHER_KIND):
                raise
            self._changed(*second)
        return receipt

    def _changed(self, method: str, said: Mapping[str, Any]) -> None:
        try:
            self._bot(method, json=said)
        except Refused as outcome:
            if not _told(outcome, "message is not modified"):
                raise

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes; Telegram lets a bot take back only what is younger than 48 hours."""
        try:
            self._bot("deleteMessage", json=_place(receipt))
        except Refused as outcome:
            if not _told(outcome, *GONE):
                raise

    def verify(self) -> Standing:
        """See Verifies: the bot, the chat, and whether the one may post in the other."""
        me = self._bot("getMe", read=True)["result"]
        chat = self._bot("getChat", read=True, params={"chat_id": self.settings.chat})["result"]
        asked = {"chat_id": self.settings.chat, "user_id": str(me["id"])}
        member = self._bot("getChatMember", read=True, params=asked)["result"]
        may = member["status"] in {"administrator", "creator"} and member.get("can_post_messages", True)
        fine = may or (member["status"] in {"member", "restricted"} and chat["type"] != "channel")
        trouble = f"@{me['username']} may not post there: make it an administrator that may post messages"
        name = chat.get("title") or chat.get("username") or self.settings.chat
        return Standing(who=f"@{me['username']} in {name}", troubles=() if fine else (trouble,))

    @classmethod
    def flow(cls, settings: NetworkSettings) -> PasteFlow:  # noqa: ARG003 - the same for all
        """See Connects."""
        return PasteFlow(where="https://t.me/BotFather", asks=(Ask(setting="token", label="The bot's token"),))

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; by the description, for Telegram has no codes of its own."""
        words, status = self.words(response), response.status_code
        if status == 429:
            return RateLimited(words, status=status, until=self._until(response))
        if status in {401, 403, 404} or (status == 400 and any(one in words.lower() for one in LOST)):
            return Unauthorised(words, status=status)  # 404 is how it answers to a token that is none
        return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network; with the new number of a group that became a supergroup."""
        body = body_of(response)
        moved = _parameters(body).get("migrate_to_chat_id")
        hint = f" (set chat to {moved})" if moved else ""
        return f"{body['description']}{hint}" if body.get("description") else super().said(response)

    def _until(self, response: requests.Response) -> datetime | None:
        wait = _parameters(body_of(response)).get("retry_after")
        if isinstance(wait, int | float) and 0 < wait <= 86_400:
            return self.now() + timedelta(seconds=wait)
        return wait_until(response.headers, now=self.now())

    def _card(self, message: Message) -> dict[str, Any]:
        if self.settings.preview == "none":
            return {"link_preview_options": {"is_disabled": True}}
        return {"link_preview_options": {"url": message.link, f"prefer_{self.settings.preview}_media": True}}

    def _bot(self, method: str, *, read: bool = False, **kwargs: Any) -> Mapping[str, Any]:
        url = f"{self.settings.api_base.rstrip('/')}/bot{self.settings.token.reveal()}/{method}"
        return json_object(self.call("GET" if read else "POST", url, **kwargs))

    def _receipt(self, answer: Mapping[str, Any]) -> Receipt:
        message = answer.get("result")
        if not isinstance(message, dict) or "message_id" not in message:
            raise Unsure("Telegram answered with success and without the message")
        chat, number = message.get("chat", {}), message["message_id"]
        web, told = self.settings.web_base.rstrip("/"), str(chat.get("id", self.settings.chat))
        place = chat.get("username") or (f"c/{told.removeprefix('-100')}" if told.startswith("-100") else "")
        return Receipt(remote_id=f"{told}/{number}", permalink=f"{web}/{place}/{number}" if place else "")


def _place(receipt: Receipt) -> dict[str, Any]:
    chat, _, number = receipt.remote_id.rpartition("/")
    return {"chat_id": chat, "message_id": int(number)}


def _told(outcome: Outcome, *words: str) -> bool:
    return any(one in outcome.words.lower() for one in words)


def _parameters(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given = body.get("parameters")
    return given if isinstance(given, dict) else {}
