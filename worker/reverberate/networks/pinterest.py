"""Pinterest: a pin is a picture with a link. Source: developers.pinterest.com, API v5 (OpenAPI 5.23.0), Create Pin."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import RateLimited, Refused, Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, missing_is_fine
from reverberate.networks.base import only_part
from reverberate.networks.flows import OAuth2Flow, always
from reverberate.networks.likeness import earliest, parse_instant, same_link
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import Delivery, Message

LONGEST_TITLE = 100


class PinterestSettings(AppSettings):
    """One board."""

    access_token: Secret = Field(description="With the scopes that docs/networks/pinterest.md names.")
    board_id: str = Field(pattern=r"^\d+$", description="The board's number.")
    api_base: str = Field(default="https://api.pinterest.com/v5", description="Where the API is.")
    web_base: str = Field(default="https://www.pinterest.com", description="Where people see it.")


class Pinterest(REST):
    """Makes pins: the post's picture, its title, the text, the link."""

    name, title, assurance = "pinterest", "Pinterest", Assurance.READABLE
    limit, Settings = LIMITS["pinterest"], PinterestSettings
    card, carries, pictured = True, frozenset({"attach"}), True
    settings: PinterestSettings
    coded = ("code",)
    table = (
        Means(
            RateLimited, range(400, 500), {9}, wait=timedelta(hours=6)
        ),  # "spam", for hours: how many, it does not say
        Means(Unauthorised, {403}),
        Means(Unauthorised, {404}, writes=True, path="/pins"),  # the board is gone, or not ours to pin to
    )
    flow = always(
        OAuth2Flow(
            authorize_url="https://www.pinterest.com/oauth/",
            token_url="https://api.pinterest.com/v5/oauth/token",  # noqa: S106 - an address
            scopes=("boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"),
            joiner=",",
            pkce=False,
            client="basic",
            token_params={"continuous_refresh": "true"},
            lifetime=timedelta(days=30),
        )
    )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        pin = _pin(delivery.message)
        if not delivery.message.pictures:
            raise Refused(
                "a pin needs a picture: give the post one, or let share cards be drawn (share_card in [site])"
            )
        picture = delivery.message.pictures[0]
        data = base64.b64encode(delivery.load(picture.digest)).decode()
        source = {"source_type": "image_base64", "content_type": picture.mime, "data": data}
        body = pin | {"board_id": self.settings.board_id, "alt_text": picture.alt[:500], "media_source": source}
        return self._receipt(self.write("POST", "/pins", json=body))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the board's newest pins, by our link and the time."""
        link, since = delivery.message.link, earliest(delivery)
        for pin in self.read(f"/boards/{self.settings.board_id}/pins", page_size="100")["items"]:
            if same_link(str(pin.get("link") or ""), link) and parse_instant(pin["created_at"]) >= since:
                return self._receipt(pin)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; the picture stays the one that it is."""
        return self._receipt(self.write("PATCH", f"/pins/{receipt.remote_id}", json=_pin(delivery.message)))

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes."""
        with missing_is_fine():
            self.api("DELETE", f"/pins/{receipt.remote_id}")

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: over the pin's life, where Pinterest tells (business accounts)."""
        pin = self.read(f"/pins/{receipt.remote_id}", pin_metrics="true")
        life = (pin.get("pin_metrics") or {}).get("lifetime_metrics") or {}
        return Reactions(likes=life.get("reaction"), reposts=life.get("save"), replies=life.get("comment"))

    def verify(self) -> Standing:
        """See Verifies: who we are, and that the board is there."""
        me = self.read("/user_account")
        board = self.read(f"/boards/{self.settings.board_id}")
        secret = ("the board is secret: only you see its pins",) if board.get("privacy") == "SECRET" else ()
        return Standing(
            who=f"{me.get('username', '')}, board {board.get('name') or self.settings.board_id}", notes=secret
        )

    def _receipt(self, pin: Mapping[str, Any]) -> Receipt:
        return self.receipt(pin.get("id"), f"/pin/{pin.get('id')}/")


def _pin(message: Message) -> dict[str, Any]:
    """What can be changed later too."""
    title = message.card.title if message.card else ""
    short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1].rstrip()}…"
    return {"title": short, "description": only_part(message), "link": message.link}
