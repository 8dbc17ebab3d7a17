"""Telegram channels and chats, by a bot. Source: core.telegram.org/bots/api (10.1), Making requests, sendMessage.

The bot's token stands in the address of every call; no error, log or repr of ours holds an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Refused, Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.answers import Means, body_of, fine_if
from reverberate.networks.base import NetworkSettings, only_part
from reverberate.networks.flows import pasted
from reverberate.networks.parts import file_of
from reverberate.networks.rest import REST
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    import requests

    from reverberate.model import Delivery, Message

NO_RIGHTS = ("not enough rights", "need administrator rights", "have no rights", "write_forbidden")
NO_CHAT = ("chat not found", "was upgraded")


class TelegramSettings(NetworkSettings):
    """One chat, and the bot that writes there."""

    token: Secret = Field(description="The bot's token, from @BotFather.")
    chat: str = Field(pattern=r"^(@\w{4,}|-?\d+)$", description="@name of a public channel, or a chat's number.")
    preview: Literal["large", "small", "none"] = Field(default="large", description="The link's card below the text.")
    silent: bool = Field(default=False, description="Whether readers are notified without a sound.")
    api_base: str = Field(default="https://api.telegram.org", description="Where the Bot API is.")
    web_base: str = Field(default="https://t.me", description="Where people read it.")


class Telegram(REST):
    """Sends messages, and photos with a caption. A bot cannot read what it wrote: what is lost stays unknown."""

    name, title, assurance = "telegram", "Telegram", Assurance.BLIND
    limit, caption, Settings = LIMITS["telegram"], LIMITS["telegram_caption"], TelegramSettings
    carries = frozenset({"attach"})  # the link card is Telegram's own, from the page's tags
    settings: TelegramSettings
    table = (
        Means(Unauthorised, {401, 403, 404}),  # 404 is how it answers to a token that is none
        Means(Unauthorised, {400}, words=(*NO_RIGHTS, *NO_CHAT)),  # no message is at fault: the owner has to mend it
    )
    flow = pasted("token", "The bot's token", where="https://t.me/BotFather")
    bearer, told_in = "", ("parameters",)

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        message, words = delivery.message, escape(only_part(delivery.message), self.name)
        where = {"chat_id": self.settings.chat, "parse_mode": "HTML"}
        if not message.pictures:
            text = {"text": words, "disable_notification": self.settings.silent, **self._card(message)}
            return self._receipt(self.api("POST", "sendMessage", json=where | text))
        form = where | {"caption": words, "disable_notification": str(self.settings.silent).lower()}
        photo = file_of(delivery, message.pictures[0])
        return self._receipt(self.api("POST", "sendPhoto", data=form, files={"photo": photo}))

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; a photo stays the one that it is."""
        words = escape(only_part(delivery.message), self.name)
        said = _place(receipt) | {"parse_mode": "HTML"}
        with fine_if("message is not modified"):
            try:
                self.write("POST", "editMessageText", json=said | {"text": words} | self._card(delivery.message))
            except Refused as outcome:
                if "no text in the message" not in outcome.words.lower():
                    raise
                self.write("POST", "editMessageCaption", json=said | {"caption": words})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes; Telegram lets a bot take back only what is younger than 48 hours."""
        with fine_if("message to delete not found"):
            self.write("POST", "deleteMessage", json=_place(receipt))

    def verify(self) -> Standing:
        """See Verifies: the bot, the chat, and whether the one may post in the other."""
        me = self.read("getMe")["result"]
        chat = self.read("getChat", chat_id=self.settings.chat)["result"]
        member = self.read("getChatMember", chat_id=self.settings.chat, user_id=str(me["id"]))["result"]
        may = member["status"] in {"administrator", "creator"} and member.get("can_post_messages", True)
        fine = may or (member["status"] in {"member", "restricted"} and chat["type"] != "channel")
        trouble = f"@{me['username']} may not post there: make it an administrator that may post messages"
        name = chat.get("title") or chat.get("username") or self.settings.chat
        return Standing(who=f"@{me['username']} in {name}", troubles=() if fine else (trouble,))

    def said(self, response: requests.Response) -> str:
        """See Network; with the new number of a group that became a supergroup."""
        moved = body_of(response, "parameters").get("migrate_to_chat_id")
        return super().said(response) + (f" (set chat to {moved})" if moved else "")

    def _card(self, message: Message) -> dict[str, Any]:
        shown = {"url": message.link, f"prefer_{self.settings.preview}_media": True}
        return {"link_preview_options": {"is_disabled": True} if self.settings.preview == "none" else shown}

    def root(self) -> str:
        """See REST."""
        return f"{super().root()}/bot{self.settings.token.reveal()}/"

    def _receipt(self, answer: requests.Response) -> Receipt:
        message = body_of(answer, "result")
        chat, number = message.get("chat", {}), message.get("message_id")
        told = str(chat.get("id", self.settings.chat))
        place = chat.get("username") or (f"c/{told.removeprefix('-100')}" if told.startswith("-100") else "")
        return self.receipt(number and f"{told}/{number}", f"/{place}/{number}" if place else "")


def _place(receipt: Receipt) -> dict[str, Any]:
    chat, _, number = receipt.remote_id.rpartition("/")
    return {"chat_id": chat, "message_id": int(number)}
