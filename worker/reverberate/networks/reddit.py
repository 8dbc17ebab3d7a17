"""Reddit: link posts, or text posts. Source: reddit.com/dev/api, submit and info; r2/lib/errors.py.

Reddit says 200 and puts what it refuses into ``json.errors``. With ``resubmit=false`` it refuses a link that the
subreddit has already, and then tells which post that is.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, body_of
from reverberate.networks.base import Network, NetworkSettings, only_part
from reverberate.networks.flows import OAuth2Flow, always
from reverberate.networks.likeness import earliest, parse_instant, same_link
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import requests

    from reverberate.model import Delivery, Message

THERE = {"ALREADY_SUB", "SUBMIT_VALIDATION_REPOST"}
OWNERS = {
    *("USER_REQUIRED", "IN_TIMEOUT", "BANNED_FROM_SUBREDDIT", "SUBREDDIT_NOEXIST", "SUBREDDIT_NOTALLOWED"),
    *("SUBREDDIT_REQUIRED", "NO_LINKS", "NO_SELFS", "SUBMIT_VALIDATION_FLAIR_REQUIRED", "INSUFFICIENT_SCOPE"),
}
"""What the owner has to mend: no message to this subreddit would be taken."""
WAIT = re.compile(r"(\d+) (millisecond|second|minute|hour)")
LONGEST_TITLE = 300
SIGN_IN = "https://www.reddit.com/api/v1"
LEADING = re.compile(r"^#", re.MULTILINE)
"""A hashtag at the beginning of a line would be a heading."""


class RedditSettings(AppSettings):
    """One subreddit, or your own profile (``u_NAME``)."""

    access_token: Secret = Field(description="With the scopes identity, submit, read, edit and history.")
    subreddit: str = Field(pattern=r"^\w{2,24}$", description="Without r/; u_NAME is your own profile.")
    kind: Literal["link", "self"] = Field(default="link", description="A link with a title, or a text.")
    flair_id: str = Field(default="", description="Where the subreddit asks for a flair: its id.")
    nsfw: bool = Field(default=False, description="Whether it is for adults.")
    replies: bool = Field(default=True, description="Whether replies go to your inbox.")
    api_base: str = Field(default="https://oauth.reddit.com", description="Where the API is.")
    web_base: str = Field(default="https://www.reddit.com", description="Where people read it.")


class Reddit(REST):
    """Posts links: the text is the title."""

    name, title, assurance = "reddit", "Reddit links", Assurance.REFUSES
    limit, Settings = LIMITS["reddit"], RedditSettings
    card = True
    settings: RedditSettings
    coded = ("reason",)
    table = (
        Means(Duplicate, {200, 400}, THERE),
        Means(Unauthorised, {200, 400}, OWNERS),
        Means(RateLimited, {200, 400}, {"RATELIMIT"}),
        Means(Refused, {200}),
        Means(Unauthorised, {403, 404}, writes=True),
    )
    flow = always(
        OAuth2Flow(
            authorize_url=f"{SIGN_IN}/authorize",
            token_url=f"{SIGN_IN}/access_token",
            revoke_url=f"{SIGN_IN}/revoke_token",
            scopes=("identity", "submit", "read", "edit", "history"),
            pkce=False,
            client="basic",
            params={"duration": "permanent"},
            rotates=False,
        )
    )

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:
        """See Network."""
        return RedditText if getattr(settings, "kind", "") == "self" else cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """See Network."""
        return Reddit, RedditText

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        only_part(delivery.message)
        form = {"sr": self.settings.subreddit, "resubmit": "false", "sendreplies": _yes(self.settings.replies)}
        form |= {"nsfw": _yes(self.settings.nsfw), **self._content(delivery.message)}
        form |= {"flair_id": self.settings.flair_id} if self.settings.flair_id else {}
        try:
            data = self._do("/api/submit", form).get("data")
        except Duplicate as outcome:
            raise self._whose(outcome, delivery.message.link) from None
        data = data if isinstance(data, dict) else {}
        return self.receipt(data.get("name"), str(data.get("url", "")))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: our newest posts, by subreddit, link and time."""
        for post in self._posts(f"/user/{self._me()}/submitted", sort="new", limit="100"):
            here = str(post["subreddit"]).casefold() == self.settings.subreddit.casefold()
            young = parse_instant(float(post["created_utc"])) >= earliest(delivery)
            if here and young and self._says(post, delivery.message):
                return self.receipt(post["name"], post["permalink"])
        return None

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes; Reddit says yes to what is gone already too."""
        self.api("POST", "/api/del", data={"id": receipt.remote_id})

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: the score is what Reddit tells of likes."""
        for post in self._posts("/api/info", id=receipt.remote_id):
            return Reactions(likes=post.get("score"), replies=post.get("num_comments"))
        return Reactions()

    def verify(self) -> Standing:
        """See Verifies: who we are, and whether the subreddit takes what we send."""
        who, where = self._me(), f"r/{self.settings.subreddit}"
        sub = self.read(f"/{where}/about", raw_json="1").get("data", {})
        kind = sub.get("submission_type", "any")
        troubles = [f"u/{who} is banned from {where}"] if sub.get("user_is_banned") else []
        troubles += [f"{where} takes only {kind} posts"] if kind not in {"any", self.settings.kind} else []
        return Standing(who=f"u/{who} in {where}", troubles=tuple(troubles))

    def codes(self, response: requests.Response) -> Sequence[int | str]:
        """See Network: what stands in ``json.errors`` of a success, or a newer refusal's reason."""
        return [str(code) for code, *_ in _errors(response)] or super().codes(response)

    def said(self, response: requests.Response) -> str:
        """See Network; Reddit explains itself under other names."""
        told = [str(words) for _, words, *_ in _errors(response)] or [str(body_of(response).get("explanation") or "")]
        return told[0] or super().said(response)

    def until(self, response: requests.Response) -> datetime | None:
        """See Network: by Reddit's number or else its words, where it refuses with them; ten minutes where in vain."""
        if response.status_code not in {200, 400}:
            return super().until(response)
        seconds, found = body_of(response, "json").get("ratelimit"), WAIT.search(self.said(response))
        if isinstance(seconds, int | float) and 0 < seconds <= 86_400:
            return self.now() + timedelta(seconds=seconds)
        return self.now() + (timedelta(**{f"{found[2]}s": int(found[1])}) if found else timedelta(minutes=10))

    def _do(self, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """A write whose answer may hold errors; its ``json``."""
        answer = self.api("POST", path, data={"api_type": "json", **form})
        if _errors(answer):
            raise self.outcome(answer, writes=True)
        if not isinstance(said := body_of(answer).get("json"), dict):
            raise Unsure("Reddit answered with success and without its verdict", status=answer.status_code)
        return said

    def _whose(self, outcome: Duplicate, link: str) -> Outcome:
        """What a refused duplicate comes to: our own post, somebody else's, or still a question."""
        there = list(self._posts(f"/r/{self.settings.subreddit}/api/info", url=link))
        if ours := next((post for post in there if post.get("author") == self._me()), None):
            receipt = self.receipt(ours["name"], ours["permalink"])
            return Duplicate(outcome.words, status=outcome.status, receipt=receipt)
        if there:
            other = self.receipt(there[0]["name"], there[0]["permalink"])
            return Refused(
                f"u/{there[0].get('author')} has posted this link there: {other.permalink}", status=outcome.status
            )
        return outcome

    def _content(self, message: Message) -> dict[str, str]:
        return {"kind": "link", "title": " ".join(message.parts[0].split()), "url": message.link}

    def _says(self, post: Mapping[str, Any], message: Message) -> bool:
        return same_link(str(post.get("url", "")), message.link)

    def _me(self) -> str:
        return str(self.read("/api/v1/me", raw_json="1")["name"])

    def _posts(self, path: str, **params: str) -> Iterator[Mapping[str, Any]]:
        """The posts of a listing."""
        return (child["data"] for child in self.read(path, raw_json="1", **params)["data"]["children"])


class RedditText(Reddit):
    """Posts texts: the first line is the title. Reddit refuses no repeated text; our own posts are read back."""

    title, assurance = "Reddit texts", Assurance.READABLE
    limit, card, template = LIMITS["reddit_self"], False, "reddit-self.txt"

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; a title can't be changed, the text can."""
        text = self._content(delivery.message)["text"]
        self._do("/api/editusertext", {"thing_id": receipt.remote_id, "text": text})
        return receipt

    def _content(self, message: Message) -> dict[str, str]:
        title, _, text = only_part(message).strip().partition("\n")
        if len(title) > LONGEST_TITLE:
            title, text = f"{title[: LONGEST_TITLE - 1].rstrip()}…", message.parts[0]
        return {"kind": "self", "title": title, "text": LEADING.sub(r"\#", escape(text.strip(), "reddit_self"))}

    def _says(self, post: Mapping[str, Any], message: Message) -> bool:
        return (
            same_link(str(post.get("selftext", "")), message.link)
            or post.get("title") == self._content(message)["title"]
        )


def _errors(response: requests.Response) -> list[Any]:
    """What a success says that it refused: code, words and field each."""
    return list(body_of(response, "json").get("errors") or ())


def _yes(value: bool) -> str:  # noqa: FBT001 - the one thing it turns into text
    return str(value).lower()
