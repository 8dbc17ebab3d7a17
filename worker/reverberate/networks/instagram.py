"""Instagram, for professional accounts. Source: Instagram API with Instagram Login, Content Publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from reverberate.errors import Refused
from reverberate.model import Assurance, Reactions, Receipt
from reverberate.networks.base import only_part
from reverberate.networks.containers import Containers, Draft
from reverberate.networks.graph import GraphSettings
from reverberate.networks.graph_flows import of_sixty_days
from reverberate.networks.likeness import earliest
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.model import Delivery


class InstagramSettings(GraphSettings):
    """One professional account."""

    user_id: str = Field(pattern=r"^\d+$", description="The account's number: user_id of GET /me.")
    access_token: Secret = Field(
        description="With instagram_business_basic and instagram_business_content_publish; it lasts 60 days."
    )
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$", description="Of the Graph API.")
    api_base: str = Field(default="https://graph.instagram.com", description="Where the Instagram API is.")


class Instagram(Containers):
    """Posts the picture with its caption; Instagram fetches it, and makes no links in captions clickable."""

    name, title, assurance = "instagram", "Instagram", Assurance.READABLE
    limit, Settings = LIMITS["instagram"], InstagramSettings
    carries, pictured, fetches = frozenset({"attach"}), True, True
    settle = timedelta(seconds=30)
    settings: InstagramSettings
    container_edge, publish_edge, quota_edge = "media", "media_publish", "content_publishing_limit"
    state_field, words_field, text_field = "status_code", "status", "caption"
    flow = of_sixty_days(
        "ig",
        authorize_url="https://www.instagram.com/oauth/authorize",
        scopes=("instagram_business_basic", "instagram_business_content_publish"),
    )

    @property
    def me(self) -> str:
        """See Containers."""
        return self.settings.user_id

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        return self.publish(delivery, _draft(delivery, address=_address(delivery)))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds."""
        return self.trace(delivery, _draft(delivery, address=""))

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes."""
        self.remove(receipt.remote_id)

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts."""
        told = self.read(receipt.remote_id, fields="like_count,comments_count")
        return Reactions(likes=told.get("like_count"), replies=told.get("comments_count"))


def _address(delivery: Delivery) -> str:
    """Where Instagram can fetch the picture.

    Raises:
        Refused: there is none.
    """
    if not delivery.message.pictures:
        raise Refused("Instagram takes no post without a picture: give the post one, or set share_card in [site]")
    address = delivery.address(delivery.message.pictures[0].digest)
    if not address:
        raise Refused("Instagram fetches pictures from the internet: set public_url in [service] (docs/pictures.md)")
    return address


def _draft(delivery: Delivery, *, address: str) -> Draft:
    caption, pictures = only_part(delivery.message), delivery.message.pictures
    form = {"image_url": address, "caption": caption}
    form |= {"alt_text": pictures[0].alt} if pictures and pictures[0].alt else {}
    return Draft(name="container", form=form, text=caption, since=earliest(delivery))
