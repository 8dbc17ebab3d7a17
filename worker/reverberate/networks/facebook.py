"""Facebook Pages. Source: developers.facebook.com/docs/graph-api, Page feed, Page photos and Page Post."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import only_part, with_link
from reverberate.networks.graph import Graph, GraphSettings
from reverberate.networks.graph_flows import of_pages
from reverberate.networks.likeness import earliest, parse_instant, same_link
from reverberate.networks.parts import uploaded
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import Delivery, Message, Picture
    from reverberate.networks.parts import File

MOST_PICTURES = 10
PHOTO_HOLDS = timedelta(hours=20)
"""Meta drops a photo that no post shows after about a day."""
COUNTED = "reactions.limit(0).summary(true),comments.limit(0).summary(true),shares"


class FacebookSettings(GraphSettings):
    """One Page."""

    page_id: str = Field(pattern=r"^\d+$", description="The Page's number.")
    access_token: Secret = Field(description="A Page access token with pages_manage_posts, pages_read_engagement.")
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$", description="Of the Graph API.")
    api_base: str = Field(default="https://graph.facebook.com", description="Where the Graph API is.")


class Facebook(Graph):
    """Posts to a Page's feed: the link, whose card is Facebook's own, or photos with the link in the text."""

    name, title, assurance = "facebook", "Facebook Page", Assurance.REFUSES
    limit, Settings = LIMITS["facebook"], FacebookSettings
    card, displaces = True, True
    carries = frozenset({"attach"})
    settings: FacebookSettings
    flow = of_pages("pages_show_list", "pages_read_engagement", "pages_manage_posts")

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        message = delivery.message
        post = {"message": _words(message), "fields": "id,permalink_url"}
        if message.pictures:
            photos = [{"media_fbid": self._photo(delivery, one)} for one in message.pictures[:MOST_PICTURES]]
            post["attached_media"] = json.dumps(photos)
        else:
            post["link"] = message.link
        return self._receipt(self.write("POST", f"{self.settings.page_id}/feed", data=post))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: the Page's newest posts, by our link and the time."""
        fields = "id,message,permalink_url,created_time,attachments{unshimmed_url}"
        since, link = earliest(delivery), delivery.message.link
        posts = self.read(f"{self.settings.page_id}/published_posts", fields=fields, limit="100")
        for post in posts.get("data", []):
            urls = [one.get("unshimmed_url", "") for one in post.get("attachments", {}).get("data", [])]
            ours = any(same_link(text, link) for text in (post.get("message", ""), *urls))
            if ours and parse_instant(post["created_time"]) >= since:
                return self._receipt(post)
        return None

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the words; link and photos stay as they are."""
        self.api("POST", receipt.remote_id, data={"message": _words(delivery.message)})
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - one post, no parts
        """See Deletes."""
        self.remove(receipt.remote_id)

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts."""
        told = self.read(receipt.remote_id, fields=COUNTED)
        shares = told.get("shares", {}).get("count", 0)  # left out while nobody has shared it
        return Reactions(likes=_total(told, "reactions"), reposts=shares, replies=_total(told, "comments"))

    def verify(self) -> Standing:
        """See Verifies."""
        page = self.read(self.settings.page_id, fields="id,name,is_published")
        hidden = ("the Page is not published: nobody sees its posts",) if page.get("is_published") is False else ()
        return Standing(who=f"{page.get('name', '')} ({page['id']})", troubles=hidden)

    def _photo(self, delivery: Delivery, picture: Picture) -> str:
        """The number of a photo that is there and shown nowhere."""
        form = {"published": "false"} | ({"alt_text_custom": picture.alt} if picture.alt else {})

        def upload(file: File) -> Any:
            return self.write("POST", f"{self.settings.page_id}/photos", data=form, files={"source": file}).get("id")

        return str(uploaded(self, delivery, picture, upload, holds=PHOTO_HOLDS))

    def _receipt(self, post: Mapping[str, Any]) -> Receipt:
        return self.receipt(post.get("id"), post.get("permalink_url") or f"https://www.facebook.com/{post.get('id')}")


def _words(message: Message) -> str:
    """The text; with the link where photos leave no place for its card."""
    text = only_part(message)
    return with_link(text, message.link, LIMITS["facebook"]) if message.pictures else text


def _total(told: Any, edge: str) -> int | None:
    count = told.get(edge, {}).get("summary", {}).get("total_count")
    return None if count is None else int(count)
