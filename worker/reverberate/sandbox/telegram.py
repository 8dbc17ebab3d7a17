"""Telegram's Bot API as bots see it: they write, edit and delete, and cannot read back."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

TOKEN = re.compile(r"/telegram/bot([^/]+)/")
ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|#\d+);)|<(?!/?(?:b|i|u|s|a|code|pre|blockquote)\b)")
"""What Telegram's HTML cannot hold."""
RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users"),
    *("can_post_stories", "can_edit_stories", "can_delete_stories"),
)
GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
TAG = re.compile(r"<[^>]*>")


class Telegram(Personality):
    """One bot and one channel for each account of a seed."""

    name = "telegram"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs

    def account_of(self, request: Request) -> str:
        """See Personality: the token stands in the path."""
        found = TOKEN.match(request.path)
        return keys.owner(self.seed, self.name, found[1]) if found else ""

    def send(self, call: Call) -> Answer:
        """The method sendMessage."""
        return self._sent(call, call.request.fields, "text")

    def photo(self, call: Call) -> Answer:
        """The method sendPhoto, with the file in the form."""
        form = {name: part.decode(errors="replace") for name, part in call.request.files.items() if name != "photo"}
        contents = call.request.files.get("photo", b"")
        if not contents:
            return self.problem(400, "Bad Request: there is no photo in the request")
        return self._sent(call, form, "caption", pictures=[{"cid": self._blobs.put(contents), "alt": ""}])

    def edit(self, call: Call) -> Answer:
        """The methods editMessageText and editMessageCaption."""
        asked, what = call.request.fields, "text" if call.request.path.endswith("Text") else "caption"
        entry = self._named(call)
        if entry is None:
            return self.problem(400, "Bad Request: message to edit not found")
        if (what == "caption") != bool(entry.details["pictures"]):
            return self.problem(400, f"Bad Request: there is no {what} in the message to edit")
        if trouble := _wrong(asked, what):
            return self.problem(400, trouble)
        if entry.text == _parsed(asked, what):
            return self.problem(400, "Bad Request: message is not modified: specified new message content is the same")
        return self._shown(self.ledger.edit(replace(entry, text=_parsed(asked, what)), at=call.now))

    def delete(self, call: Call) -> Answer:
        """The method deleteMessage."""
        entry = self._named(call)
        if entry is None:
            return self.problem(400, "Bad Request: message to delete not found")
        self.ledger.delete(entry, at=call.now)
        return Answer.of({"ok": True, "result": True})

    def me(self, call: Call) -> Answer:
        """The method getMe."""
        return Answer.of({"ok": True, "result": self._bot(call.account)})

    def chat(self, call: Call) -> Answer:
        """The method getChat."""
        if call.request.query.get("chat_id") != keys.chat(self.seed, call.account):
            return self.problem(400, "Bad Request: chat not found")
        told = self._chat(call.account) | {
            "accent_color_id": 1,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(GIFTS, False),
        }
        return Answer.of({"ok": True, "result": told})

    def member(self, call: Call) -> Answer:
        """The method getChatMember."""
        rights = dict.fromkeys(RIGHTS, False) | {"can_post_messages": True, "can_manage_chat": True}
        told = {"status": "administrator", "user": self._bot(call.account), **rights}
        return Answer.of({"ok": True, "result": told})

    routes = (
        Route("POST", "/bot*/sendMessage", Purpose.PUBLISH, send),
        Route("POST", "/bot*/sendPhoto", Purpose.PUBLISH, photo),
        Route("POST", "/bot*/editMessageText", Purpose.CHANGE, edit),
        Route("POST", "/bot*/editMessageCaption", Purpose.CHANGE, edit),
        Route("POST", "/bot*/deleteMessage", Purpose.CHANGE, delete),
        Route("GET", "/bot*/getMe", Purpose.OTHER, me),
        Route("GET", "/bot*/getChat", Purpose.OTHER, chat),
        Route("GET", "/bot*/getChatMember", Purpose.OTHER, member),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"ok": False, "error_code": status, "description": words}, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return self.problem(401, "Unauthorized")

    def _sent(
        self, call: Call, asked: Mapping[str, Any], what: str, *, pictures: list[dict[str, str]] | None = None
    ) -> Answer:
        if str(asked.get("chat_id")) != keys.chat(self.seed, call.account):
            return self.problem(400, "Bad Request: chat not found")
        if trouble := _wrong(asked, what):
            return self.problem(400, trouble)
        preview = asked.get("link_preview_options")
        link = str(preview.get("url", "")) if isinstance(preview, dict) else ""
        with self.ledger.lock:
            number = str(self.ledger.serial() + 2)
            place = f"c/{keys.chat(self.seed, call.account).removeprefix('-100')}/{number}"
            remote_id = f"{keys.chat(self.seed, call.account)}/{number}"
            entry = self.accept(
                call, remote_id=remote_id, place=place, text=_parsed(asked, what), link=link, pictures=pictures or []
            )
        return self._shown(entry)

    def _named(self, call: Call) -> Entry | None:
        asked = call.request.fields
        return self.own(call, f"{asked.get('chat_id')}/{asked.get('message_id')}")

    def _shown(self, entry: Entry) -> Answer:
        told: dict[str, Any] = {
            "message_id": int(entry.remote_id.rpartition("/")[2]),
            "date": int(entry.when.timestamp()),
        }
        told |= {"chat": self._chat(entry.account), "caption" if entry.details["pictures"] else "text": entry.text}
        return Answer.of({"ok": True, "result": told})

    def _chat(self, account: str) -> dict[str, Any]:
        return {"id": int(keys.chat(self.seed, account)), "type": "channel", "title": f"{account}'s channel"}

    def _bot(self, account: str) -> dict[str, Any]:
        number = int(keys.number(self.seed, self.name, account, "bot"))
        return {"id": number, "is_bot": True, "first_name": account, "username": f"{account}_bot"}


def _wrong(asked: Mapping[str, Any], what: str) -> str:
    """What is wrong with a message's words, or ""."""
    limit, raw = LIMITS["telegram" if what == "text" else "telegram_caption"], str(asked.get(what) or "")
    if asked.get("parse_mode") == "HTML" and ENTITY.search(raw):
        return "Bad Request: can't parse entities: unsupported start tag or entity"
    if what == "text" and not raw.strip():
        return "Bad Request: message text is empty"
    if count(_parsed(asked, what), limit) > limit.maximum:
        return f"Bad Request: message {'is' if what == 'text' else 'caption is'} too long"
    return ""


def _parsed(asked: Mapping[str, Any], what: str) -> str:
    """The words as readers see them."""
    raw = str(asked.get(what) or "")
    return html.unescape(TAG.sub("", raw)) if asked.get("parse_mode") == "HTML" else raw
