"""WordPress, one's own or at WordPress.com. Source: developer.wordpress.org/rest-api/reference (posts, media, terms).

WordPress.com serves the same routes below public-api.wordpress.com/wp/v2/sites/SITE (developer.wordpress.com/docs/api).
"""

from __future__ import annotations

import base64
from datetime import timedelta
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from reverberate.errors import Refused, Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, body_of, json_object, missing_is_fine
from reverberate.networks.base import only_part
from reverberate.networks.flows import Ask, OAuth2Flow, PasteFlow
from reverberate.networks.likeness import earliest, parse_instant, same_link
from reverberate.networks.parts import once, unposted, uploaded
from reverberate.networks.rest import REST, AppSettings
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverberate.model import JSON, Delivery, Picture
    from reverberate.networks.flows import Flow
    from reverberate.networks.parts import File

COM = "https://public-api.wordpress.com"
HOLDS = timedelta(days=1)
ANY_STATUS = "publish,future,draft,pending,private,trash"
NEWEST = 50


class WordPressSettings(AppSettings):
    """One site: with ``user`` and ``app_password`` one's own, with ``access_token`` at WordPress.com."""

    site: str = Field(pattern=r"^[^\s?#]+$", description="Its address, e.g. https://blog.example or you.wordpress.com")
    user: str = Field(default="", description="Who posts; on one's own site.")
    app_password: Secret | None = Field(default=None, description="From Users > Profile > Application Passwords.")
    access_token: Secret | None = Field(default=None, description="Of WordPress.com.")
    content: Literal["full", "excerpt", "link"] = Field(default="full", description="What is posted.")
    status: Literal["publish", "draft", "pending", "private"] = Field(default="publish", description="As what.")
    categories: tuple[str, ...] = Field(default=(), description="These too, besides the post's own.")
    origin: bool = Field(default=True, description="Whether a full post ends with where it appeared first.")
    origin_words: str = Field(default="First published at", min_length=1, description="The words before that address.")
    api_base: str = Field(default="", description="Where wp/v2 is, if not at the site's /wp-json/wp/v2.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Own site or WordPress.com."""
        if self.user and self.app_password and not self.access_token:
            return self
        if not self.user and not self.app_password and self.access_token:
            return self
        raise ValueError("give user and app_password (your own site) or access_token (WordPress.com)")

    @property
    def base(self) -> str:
        """Where the routes begin."""
        if self.api_base:
            return self.api_base.rstrip("/")
        bare = self.site.rstrip("/")
        if self.user:
            return f"{bare if '://' in bare else f'https://{bare}'}/wp-json/wp/v2"
        return f"{COM}/wp/v2/sites/{bare.partition('://')[2] or bare}"


class WordPress(REST):
    """Publishes posts. Each holds its delivery's key in a comment, by which it is found again."""

    name, title, assurance = "wordpress", "WordPress", Assurance.READABLE
    limit, Settings = LIMITS["wordpress"], WordPressSettings
    card, article = True, True
    carries = frozenset({"card"})  # the featured picture
    settings: WordPressSettings
    coded = ("code",)
    table = (
        Means(Unauthorised, {403}),  # a role that may not, passwords switched off, or a plug-in that guards the site
        Means(Refused, {404}, {"rest_post_invalid_id"}),
        Means(Unauthorised, {404}, hint="is this the site's address, and is its REST API open?"),
    )

    @classmethod
    def flow(cls, settings: WordPressSettings) -> Flow:
        """See Connects."""
        if settings.user:
            where = f"{settings.site.rstrip('/')}/wp-admin/authorize-application.php?app_name=Reverberate"
            return PasteFlow(where=where, asks=(Ask(setting="app_password", label="Application password"),))
        return OAuth2Flow(
            authorize_url=f"{COM}/oauth2/authorize",
            token_url=f"{COM}/oauth2/token",
            params={"blog": settings.site.partition("://")[2] or settings.site},
        )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        body = self._post(delivery) | {"status": self.settings.status}
        return self._receipt(self.write("POST", "/posts", json=body))

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: among the newest posts, the bin's too, by the delivery's key; where no key is left, by our link."""
        fields = "id,link,content,date_gmt"
        posts = self.listed("/posts", context="edit", status=ANY_STATUS, per_page=str(NEWEST), _fields=fields)
        return next(
            (self._receipt(post) for wanted in (_marked, _linked) for post in posts if wanted(post, delivery)), None
        )

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        return self._receipt(self.write("POST", f"/posts/{receipt.remote_id}", json=self._post(delivery)))

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes: into the bin."""
        del delivery
        with missing_is_fine():
            self.api("DELETE", f"/posts/{receipt.remote_id}")

    def verify(self) -> Standing:
        """See Verifies."""
        me = self.read("/users/me", context="edit")
        may = me.get("capabilities", {})
        needed = {"upload_files": "upload pictures"}
        needed |= {"publish_posts": "publish"} if self.settings.status in {"publish", "private"} else {}
        troubles = tuple(f"this user may not {word}" for name, word in needed.items() if may and not may.get(name))
        return Standing(who=f"{me.get('name') or me.get('slug')} at {self.settings.site}", troubles=troubles)

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts: the comments."""
        told = self.api("GET", "/comments", params={"post": receipt.remote_id, "per_page": "1", "_fields": "id"})
        total = told.headers.get("X-WP-Total", "")
        return Reactions(replies=int(total) if total.isdecimal() else None)

    def _post(self, delivery: Delivery) -> dict[str, Any]:
        message = delivery.message
        text = only_part(message)
        title = (message.card.title if message.card else "") or message.link
        content = _content(delivery, self.settings, text, title)
        body: dict[str, Any] = {"title": title, "content": f"{content}\n{_mark(delivery)}"}
        if self.settings.content == "full":
            body["excerpt"] = message.card.description if message.card else ""
        if self.settings.content == "link":
            body["format"] = "link"
        if message.card and message.card.picture:
            body["featured_media"] = self._featured(delivery, message.card.picture)
        return body | self._terms(delivery)

    def _terms(self, delivery: Delivery) -> dict[str, Any]:
        """The numbers of tags and categories, made where they are missing."""
        article = delivery.message.article
        wanted = {
            "tags": article.tags if article else (),
            "categories": (*(article.categories if article else ()), *self.settings.categories),
        }

        def ask() -> Mapping[str, JSON]:
            return {kind: sorted(self._numbers(kind, names)) for kind, names in wanted.items() if names}

        return dict(once(delivery, "terms", ask, now=self.now(), holds=HOLDS)) if any(wanted.values()) else {}

    def _numbers(self, kind: str, names: Sequence[str]) -> set[int]:
        with unposted(self):
            return {number for name in dict.fromkeys(names) for number in self._number(kind, name)}

    def _number(self, kind: str, name: str) -> Iterator[int]:
        """The number of a tag or category; none where it is missing and we may not make it."""
        for term in self.listed(f"/{kind}", search=name, per_page="100", _fields="id,name"):
            if unescape(str(term["name"])).casefold() == name.casefold():
                yield int(term["id"])
                return
        told = self.session.request("POST", f"{self.root()}/{kind}", json={"name": name}, headers=self.proof())
        if told.ok:
            yield int(json_object(told)["id"])
        elif "term_exists" in self.codes(told):  # another spelling of it
            yield int(body_of(told, "data")["term_id"])
        elif told.status_code != 403:
            raise self.outcome(told, writes=True)

    def _featured(self, delivery: Delivery, picture: Picture) -> int:
        def upload(file: File) -> Any:
            return self.write("POST", "/media", files={"file": file}, data={"alt_text": picture.alt}).get("id")

        return int(uploaded(self, delivery, picture, upload, holds=HOLDS, name=picture.digest[:16]))

    def root(self) -> str:
        """See REST."""
        return self.settings.base

    def proof(self) -> Mapping[str, str]:
        """See REST."""
        if self.settings.access_token:
            return super().proof()
        password = self.settings.app_password.reveal() if self.settings.app_password else ""
        proof = base64.b64encode(f"{self.settings.user}:{password}".encode()).decode()
        self.session.learn(proof)
        return {"Authorization": f"Basic {proof}"}

    def _receipt(self, post: Mapping[str, Any]) -> Receipt:
        return self.receipt(post.get("id"), str(post.get("link") or ""))


def _content(delivery: Delivery, settings: WordPressSettings, text: str, title: str) -> str:
    """What the post says, as HTML."""
    message, link = delivery.message, escape(delivery.message.link)
    if settings.content == "link":
        return f'<p><a href="{link}">{escape(title)}</a></p>'
    words = "\n".join(f"<p>{escape(part, quote=False)}</p>" for part in text.split("\n\n") if part.strip())
    if settings.content == "excerpt" or not message.article or not message.article.html:
        return f'{words}\n<p><a href="{link}">{link}</a></p>'
    origin = f'\n<p>{escape(settings.origin_words)} <a href="{link}">{link}</a></p>' if settings.origin else ""
    return message.article.html + origin


def _mark(delivery: Delivery) -> str:
    """What no reader sees and WordPress keeps."""
    return f"<!-- reverberate {delivery.key} -->"


def _marked(post: Any, delivery: Delivery) -> bool:
    return _mark(delivery) in post["content"]["raw"]


def _linked(post: Any, delivery: Delivery) -> bool:
    """Where something took the comments out: our link, in a post without any mark, from since we began."""
    raw, since = unescape(post["content"]["raw"]), earliest(delivery)
    fresh = parse_instant(post["date_gmt"]) >= since if post.get("date_gmt") else True
    return fresh and "<!-- reverberate " not in raw and same_link(raw, delivery.message.link)
