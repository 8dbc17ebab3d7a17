"""Reddit: link posts, or text posts. Source: reddit.com/dev/api, submit and info; r2/lib/errors.py.

Reddit says 200 and puts what it refuses into ``json.errors``. With ``resubmit=false`` it refuses a link that the
subreddit has already, and then tells which post that is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import (
    CLOCKS_DIFFER,
    Network,
    NetworkSettings,
    body_of,
    json_object,
    only_part,
    same_link,
)
from reverberate.networks.flows import OAuth2Flow
from reverberate.secrets import Secret
from reverberate.text.escape import escape
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
LEADING = re.compile(r"^#", re.MULTILINE)
"""A hashtag at the beginning of a line would be a heading."""


class RedditSettings(NetworkSettings):
    """One subreddit, or your own profile (``u_NAME``)."""

    access_token: Secret = Field(description="With the scopes identity, submit, read, edit and history.")
    client_id: str = Field(default="", description="Your app's id; needed to connect.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; needed to connect.")
    subreddit: str = Field(pattern=r"^\w{2,24}$", description="Without r/; u_NAME is your own profile.")
    kind: Literal["link", "self"] = Field(default="link", description="A link with a title, or a text.")
    flair_id: str = Field(default="", description="Where the subreddit asks for a flair: its id.")
    nsfw: bool = Field(default=False, description="Whether it is for adults.")
    replies: bool = Field(default=True, description="Whether replies go to your inbox.")
    api_base: str = Field(default="https://oauth.reddit.com", description="Where the API is.")
    web_base: str = Field(default="https://www.reddit.com", description="Where people read it.")


class Reddit(Network):
    """Posts links: the text is the title."""

    name, title, assurance = "reddit", "Reddit links", Assurance.REFUSES
    limit, Settings = LIMITS["reddit"], RedditSettings
    card = True
    settings: RedditSettings

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:
        """See Network."""
        return RedditText if getattr(settings, "kind", "") == "self" else cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """See Network."""
        return Reddit, RedditText

    @classmethod
    def flow(cls, settings: NetworkSettings) -> OAuth2Flow:  # noqa: ARG003 - the same for all
        """See Connects."""
        base = "https://www.reddit.com/api/v1"
        return OAuth2Flow(
            authorize_url=f"{base}/authorize",
            token_url=f"{base}/access_token",
            revoke_url=f"{base}/revoke_token",
            scopes=("identity", "submit", "read", "edit", "history"),
            pkce=False,
            client="basic",
            params={"duration": "permanent"},
            rotates=False,
        )

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
        if not isinstance(data, dict) or not data.get("name"):
            raise Unsure("Reddit answered with success and without the post's name")
        return self._receipt(data["name"], str(data.get("url", "")))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: our newest posts, by subreddit, link and time."""
        since = (delivery.since or delivery.planned) - CLOCKS_DIFFER
        params = {"sort": "new", "limit": "25", "raw_json": "1"}
        for post in _posts(self._api("GET", f"/user/{self._me()}/submitted", params=params)):
            here = str(post["subreddit"]).casefold() == self.settings.subreddit.casefold()
            young = datetime.fromtimestamp(float(post["created_utc"]), tz=UTC) >= since.replace(microsecond=0)
            if here and young and self._says(post, delivery.message):
                return self._receipt(post["name"], post["permalink"])
        return None

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes; Reddit says yes to what is gone already too."""
        self._api("POST", "/api/del", data={"id": receipt.remote_id})

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: the score is what Reddit tells of likes."""
        for post in _posts(self._api("GET", "/api/info", params={"id": receipt.remote_id, "raw_json": "1"})):
            return Reactions(likes=post.get("score"), replies=post.get("num_comments"))
        return Reactions()

    def verify(self) -> Standing:
        """See Verifies: who we are, and whether the subreddit takes what we send."""
        who, about = (
            self._me(),
            self._api("GET", f"/r/{self.settings.subreddit}/about", params={"raw_json": "1"}).json(),
        )
        sub = about.get("data", {})
        troubles: tuple[str, ...] = (
            (f"u/{who} is banned from r/{self.settings.subreddit}",) if sub.get("user_is_banned") else ()
        )
        if sub.get("submission_type", "any") not in {"any", self.settings.kind}:
            troubles += (f"r/{self.settings.subreddit} takes only {sub['submission_type']} posts",)
        return Standing(who=f"u/{who} in r/{self.settings.subreddit}", troubles=troubles)

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network; newer refusals are a 400 with a reason."""
        body, status = body_of(response), response.status_code
        if status == 400 and isinstance(body.get("reason"), str):
            return self._refusal(body["reason"], self.words(response), status, {})
        if status in {403, 404} and writes:
            return Unauthorised(self.words(response), status=status)
        return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network; Reddit explains itself under another name."""
        body = body_of(response)
        return f"{body['explanation']} ({body.get('reason')})" if body.get("explanation") else super().said(response)

    def _do(self, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """A write whose answer may hold errors; its ``json``."""
        answer = self._api("POST", path, data={"api_type": "json", **form})
        said = json_object(answer).get("json")
        if not isinstance(said, dict):
            raise Unsure("Reddit answered with success and without its verdict", status=answer.status_code)
        for code, words, *_ in said.get("errors") or ():
            masked = self.session.mask(f"{words} ({code})")
            raise self._refusal(str(code), masked, answer.status_code, said)
        return said

    def _refusal(self, code: str, words: str, status: int, said: Mapping[str, Any]) -> Outcome:
        if code == "RATELIMIT":
            return RateLimited(words, status=status, until=self.now() + _wait(words, said))
        if code in THERE:
            return Duplicate(words, status=status)
        return Unauthorised(words, status=status) if code in OWNERS else Refused(words, status=status)

    def _whose(self, outcome: Duplicate, link: str) -> Outcome:
        """What a refused duplicate comes to: our own post, somebody else's, or still a question."""
        params = {"url": link, "raw_json": "1"}
        there = list(_posts(self._api("GET", f"/r/{self.settings.subreddit}/api/info", params=params)))
        if ours := next((post for post in there if post.get("author") == self._me()), None):
            receipt = self._receipt(ours["name"], ours["permalink"])
            return Duplicate(outcome.words, status=outcome.status, receipt=receipt)
        if there:
            other = self._receipt(there[0]["name"], there[0]["permalink"])
            return Refused(
                f"u/{there[0].get('author')} has posted this link there: {other.permalink}", status=outcome.status
            )
        return outcome

    def _content(self, message: Message) -> dict[str, str]:
        return {"kind": "link", "title": " ".join(message.parts[0].split()), "url": message.link}

    def _says(self, post: Mapping[str, Any], message: Message) -> bool:
        return same_link(str(post.get("url", "")), message.link)

    def _me(self) -> str:
        return str(self._api("GET", "/api/v1/me", params={"raw_json": "1"}).json()["name"])

    def _api(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        return self.call(method, self.settings.api_base.rstrip("/") + path, headers=bearer, **kwargs)

    def _receipt(self, name: str, place: str) -> Receipt:
        whole = place if place.startswith("http") else f"{self.settings.web_base.rstrip('/')}{place}"
        return Receipt(remote_id=name, permalink=whole)


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


def _posts(answer: requests.Response) -> Iterator[Mapping[str, Any]]:
    """The posts of a listing."""
    return (child["data"] for child in answer.json()["data"]["children"])


def _wait(words: str, said: Mapping[str, Any]) -> timedelta:
    """How long to stay away, by Reddit's number or else its words; ten minutes where it says neither."""
    if isinstance(seconds := said.get("ratelimit"), int | float) and 0 < seconds <= 86_400:
        return timedelta(seconds=seconds)
    found = WAIT.search(words)
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else timedelta(minutes=10)


def _yes(value: bool) -> str:  # noqa: FBT001 - the one thing it turns into text
    return str(value).lower()
