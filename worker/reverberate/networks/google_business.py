"""Google Business Profile, local posts. Source: developers.google.com/my-business, accounts.locations.localPosts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Outcome, Refused, Unauthorised, Unsure
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    json_object,
    missing_is_fine,
    only_part,
    parse_instant,
    read_object,
    same_words,
)
from reverberate.networks.flows import OAuth2Flow
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import Delivery


class GoogleBusinessSettings(NetworkSettings):
    """One location of one business."""

    account: str = Field(pattern=r"^\d+$", description="The account's number.")
    location: str = Field(pattern=r"^\d+$", description="The location's number.")
    access_token: Secret = Field(description="With business.manage; it lasts an hour, so let `connect` keep it.")
    button: Literal["LEARN_MORE", "BOOK", "ORDER", "SHOP", "SIGN_UP"] = Field(
        default="LEARN_MORE", description="What the button that leads to the post says."
    )
    client_id: str = Field(default="", description="Your app's id; only `connect` needs it.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; only `connect` needs it.")
    api_base: str = Field(default="https://mybusiness.googleapis.com", description="Where the API is.")


class GoogleBusiness(Network):
    """Posts to a business's profile in Search and Maps, with a button that leads to the article."""

    name, title, assurance = "google_business", "Google Business Profile", Assurance.READABLE
    limit, Settings = LIMITS["google_business"], GoogleBusinessSettings
    card = True
    carries, fetches = frozenset({"attach"}), True
    settle = timedelta(minutes=1)
    settings: GoogleBusinessSettings

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        told = json_object(self._api("POST", self._posts, json=self._post(delivery)))
        if not told.get("name"):
            raise Unsure("Google answered with success and without the post's name")
        if told.get("state") == "REJECTED":
            raise Refused("Google rejected the post: it breaks the rules for posts on a Business Profile")
        return _receipt(told)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the location's newest posts, by the button's address, the words and the time."""
        since, text = (delivery.since or delivery.planned) - CLOCKS_DIFFER, only_part(delivery.message)
        for post in self._newest(100):
            link = post.get("callToAction", {}).get("url")
            said = str(post.get("summary", ""))
            ours = link == delivery.message.link and (said == text or same_words(said, text))
            if ours and parse_instant(post["createTime"]) >= since and post.get("state") != "REJECTED":
                return _receipt(post)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the words; button and picture stay as they are."""
        change = {"summary": only_part(delivery.message)}
        self._api("PATCH", receipt.remote_id, params={"updateMask": "summary"}, json=change)
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes."""
        with missing_is_fine():
            self._api("DELETE", receipt.remote_id)

    def verify(self) -> Standing:
        """See Verifies: whether the location lets its posts be read."""
        self._newest(1)
        return Standing(who=f"location {self.settings.location} of account {self.settings.account}")

    @classmethod
    def flow(cls, settings: GoogleBusinessSettings) -> OAuth2Flow:  # noqa: ARG003 - the same for every location
        """See Connects."""
        return OAuth2Flow(
            authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
            revoke_url="https://oauth2.googleapis.com/revoke",
            scopes=("https://www.googleapis.com/auth/business.manage",),
            params={"access_type": "offline", "prompt": "consent"},
            rotates=False,
        )

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; a permission or a project that Google has not approved is the owner's to mend."""
        if response.status_code == 403:
            return Unauthorised(self.words(response), status=403)
        return super().outcome(response, writes=writes)

    @property
    def _posts(self) -> str:
        return f"accounts/{self.settings.account}/locations/{self.settings.location}/localPosts"

    def _post(self, delivery: Delivery) -> dict[str, Any]:
        message = delivery.message
        post: dict[str, Any] = {"summary": only_part(message), "topicType": "STANDARD"}
        post["callToAction"] = {"actionType": self.settings.button, "url": message.link}
        if message.language:
            post["languageCode"] = message.language
        picture = message.pictures[0] if message.pictures else None
        if picture and (address := delivery.address(picture.digest)):
            post["media"] = [{"mediaFormat": "PHOTO", "sourceUrl": address}]
        return post

    def _newest(self, number: int) -> list[Mapping[str, Any]]:
        return list(read_object(self._api("GET", self._posts, params={"pageSize": number})).get("localPosts", []))

    def _api(self, method: str, name: str, **kwargs: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        return self.call(method, f"{self.settings.api_base.rstrip('/')}/v4/{name}", headers=bearer, **kwargs)


def _receipt(post: Mapping[str, Any]) -> Receipt:
    return Receipt(remote_id=str(post["name"]), permalink=str(post.get("searchUrl", "")))
