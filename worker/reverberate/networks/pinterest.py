"""Pinterest: a pin is a picture with a link. Source: developers.pinterest.com, API v5 (OpenAPI 5.23.0), Create Pin."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Outcome, RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    body_of,
    json_object,
    missing_is_fine,
    only_part,
    parse_instant,
    same_link,
)
from reverberate.networks.flows import OAuth2Flow
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import Delivery, Message

LONGEST_TITLE = 100
SPAM_BLOCK, BLOCKED_FOR = 9, timedelta(hours=6)
"""Pinterest's own words to it: it means hours, and says not how many."""


class PinterestSettings(NetworkSettings):
    """One board."""

    access_token: Secret = Field(description="With the scopes that docs/networks/pinterest.md names.")
    client_id: str = Field(default="", description="Your app's id; needed to connect.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; needed to connect.")
    board_id: str = Field(pattern=r"^\d+$", description="The board's number.")
    api_base: str = Field(default="https://api.pinterest.com/v5", description="Where the API is.")
    web_base: str = Field(default="https://www.pinterest.com", description="Where people see it.")


class Pinterest(Network):
    """Makes pins: the post's picture, its title, the text, the link."""

    name, title, assurance = "pinterest", "Pinterest", Assurance.READABLE
    limit, Settings = LIMITS["pinterest"], PinterestSettings
    card, carries, pictured = True, frozenset({"attach"}), True
    settings: PinterestSettings

    @classmethod
    def flow(cls, settings: NetworkSettings) -> OAuth2Flow:  # noqa: ARG003 - the same for all
        """See Connects."""
        return OAuth2Flow(
            authorize_url="https://www.pinterest.com/oauth/",
            token_url="https://api.pinterest.com/v5/oauth/token",  # noqa: S106 - an address
            scopes=("boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"),
            joiner=",",
            pkce=False,
            client="basic",
            token_params={"continuous_refresh": "true"},
            lifetime=timedelta(days=30),
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
        return self._receipt(json_object(self._api("POST", "/pins", json=body)))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the board's newest pins, by our link and the time."""
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        pins = self._api("GET", f"/boards/{self.settings.board_id}/pins", params={"page_size": "50"}).json()["items"]
        for pin in pins:
            if (
                same_link(str(pin.get("link") or ""), delivery.message.link)
                and parse_instant(pin["created_at"]) >= since
            ):
                return self._receipt(pin)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; the picture stays the one that it is."""
        return self._receipt(json_object(self._api("PATCH", f"/pins/{receipt.remote_id}", json=_pin(delivery.message))))

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes."""
        with missing_is_fine():
            self._api("DELETE", f"/pins/{receipt.remote_id}")

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: over the pin's life, where Pinterest tells (business accounts)."""
        pin = self._api("GET", f"/pins/{receipt.remote_id}", params={"pin_metrics": "true"}).json()
        life = (pin.get("pin_metrics") or {}).get("lifetime_metrics") or {}
        return Reactions(likes=life.get("reaction"), reposts=life.get("save"), replies=life.get("comment"))

    def verify(self) -> Standing:
        """See Verifies: who we are, and that the board is there."""
        me = self._api("GET", "/user_account").json()
        board = self._api("GET", f"/boards/{self.settings.board_id}").json()
        secret = ("the board is secret: only you see its pins",) if board.get("privacy") == "SECRET" else ()
        return Standing(
            who=f"{me.get('username', '')}, board {board.get('name') or self.settings.board_id}", notes=secret
        )

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; by Pinterest's own code too."""
        words, status, code = self.words(response), response.status_code, body_of(response).get("code")
        if code == SPAM_BLOCK and status < 500:
            return RateLimited(words, status=status, until=self.now() + BLOCKED_FOR)
        if status == 403 or (status == 404 and writes and str(response.request.url).endswith("/pins")):
            return Unauthorised(words, status=status)  # the board is gone, or not ours to pin to
        return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network; with the code."""
        code = body_of(response).get("code")
        return super().said(response) + (f" (code {code})" if code else "")

    def _api(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        return self.call(method, self.settings.api_base.rstrip("/") + path, headers=bearer, **kwargs)

    def _receipt(self, pin: Mapping[str, Any]) -> Receipt:
        if not pin.get("id"):
            raise Unsure("Pinterest answered with success and without the pin's id")
        return Receipt(remote_id=str(pin["id"]), permalink=f"{self.settings.web_base.rstrip('/')}/pin/{pin['id']}/")


def _pin(message: Message) -> dict[str, Any]:
    """What can be changed later too."""
    title = message.card.title if message.card else ""
    short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1].rstrip()}…"
    return {"title": short, "description": only_part(message), "link": message.link}
