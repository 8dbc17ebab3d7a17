"""Google Business Profile, local posts. Source: developers.google.com/my-business, accounts.locations.localPosts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Refused, Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.answers import Means, missing_is_fine
from reverberate.networks.base import only_part
from reverberate.networks.flows import OAuth2Flow, always
from reverberate.networks.likeness import earliest, parse_instant, same_words
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import Delivery


class GoogleBusinessSettings(AppSettings):
    """One location of one business."""

    account: str = Field(pattern=r"^\d+$", description="The account's number.")
    location: str = Field(pattern=r"^\d+$", description="The location's number.")
    access_token: Secret = Field(description="With business.manage; it lasts an hour, so let `connect` keep it.")
    button: Literal["LEARN_MORE", "BOOK", "ORDER", "SHOP", "SIGN_UP"] = Field(
        default="LEARN_MORE", description="What the button that leads to the post says."
    )
    api_base: str = Field(default="https://mybusiness.googleapis.com", description="Where the API is.")


class GoogleBusiness(REST):
    """Posts to a business's profile in Search and Maps, with a button that leads to the article."""

    name, title, assurance = "google_business", "Google Business Profile", Assurance.READABLE
    limit, Settings = LIMITS["google_business"], GoogleBusinessSettings
    card = True
    carries, fetches = frozenset({"attach"}), True
    settle = timedelta(minutes=1)
    settings: GoogleBusinessSettings
    prefix = "/v4/"
    table = (
        Means(Unauthorised, {403}),
    )  # a permission, or a project that Google has not approved: the owner's to mend
    flow = always(
        OAuth2Flow(
            authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
            revoke_url="https://oauth2.googleapis.com/revoke",
            scopes=("https://www.googleapis.com/auth/business.manage",),
            params={"access_type": "offline", "prompt": "consent"},
            rotates=False,
        )
    )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        told = self.write("POST", self._posts, json=self._post(delivery))
        if told.get("state") == "REJECTED":
            raise Refused("Google rejected the post: it breaks the rules for posts on a Business Profile")
        return self._receipt(told)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the location's newest posts, by the button's address, the words and the time."""
        since, text = earliest(delivery), only_part(delivery.message)
        for post in self._newest(100):
            link = post.get("callToAction", {}).get("url")
            said = str(post.get("summary", ""))
            ours = link == delivery.message.link and (said == text or same_words(said, text))
            if ours and parse_instant(post["createTime"]) >= since and post.get("state") != "REJECTED":
                return self._receipt(post)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the words; button and picture stay as they are."""
        change = {"summary": only_part(delivery.message)}
        self.api("PATCH", receipt.remote_id, params={"updateMask": "summary"}, json=change)
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes."""
        with missing_is_fine():
            self.api("DELETE", receipt.remote_id)

    def verify(self) -> Standing:
        """See Verifies: whether the location lets its posts be read."""
        self._newest(1)
        return Standing(who=f"location {self.settings.location} of account {self.settings.account}")

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
        return list(self.read(self._posts, pageSize=str(number)).get("localPosts", []))

    def _receipt(self, post: Mapping[str, Any]) -> Receipt:
        return self.receipt(post.get("name"), str(post.get("searchUrl", "")))
