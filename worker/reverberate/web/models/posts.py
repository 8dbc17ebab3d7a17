"""Posts, in and out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from reverberate.model import Image, Post
from reverberate.sources.articles import article
from reverberate.web.models.base import AccountName, Address, In, Instant, Out, Short, Text, Wall, storable
from reverberate.web.models.shares import ShareOut, StoryOut


class PictureIn(In):
    """A picture of a post."""

    url: Address
    alt: Short = Field(default="", description="What it shows, for those who cannot see it.")


class PostIn(In):
    """A post, as its author tells it."""

    url: Address = Field(description="Its public address: readers follow it, and the post is known by it.")
    title: Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(storable)]
    summary: Text = Field(default="", description="Taken from the text when left out.")
    text: Text = Field(default="", description="The article, plain.")
    html: Text = Field(default="", description="The article as HTML; what is missing is taken from it.")
    author: Short = ""
    tags: list[Short] = Field(default=[], max_length=100)
    categories: list[Short] = Field(default=[], max_length=100)
    images: list[PictureIn] = Field(default=[], max_length=20)
    language: Short = Field(default="", description="BCP 47, such as `en` or `pt-BR`.")
    published: Instant | None = None
    updated: Instant | None = None
    guid: Short = Field(default="", description="The source's own identifier, an URI.")
    site: Short = Field(default="", description="The blog's title.")
    extra: dict[str, Any] = Field(default={}, description="More keys; `reverberate` holds the post's own wishes.")

    def post(self) -> Post:
        """As all other ways in give it."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "images"}
        return article(**values, images=[Image(url=image.url, alt=image.alt) for image in self.images])


class PublishIn(In):
    """What to share, and where."""

    post: PostIn
    accounts: list[AccountName] = Field(default=[], max_length=200, description="Only these; all when empty.")
    at: Wall | None = Field(
        default=None, description="When, whatever the schedules say; without an offset on the site's clock."
    )


class PreviewIn(In):
    """What to preview, and for which accounts."""

    post: PostIn
    accounts: list[AccountName] = Field(default=[], max_length=200, description="Only these; all when empty.")

    pictures: bool = Field(default=False, description="Fetch and prepare its pictures too; needs the scope publish.")


class PostOut(Out):
    """A post, for a listing."""

    id: int
    source: str
    seen: str | None
    url: str
    title: str


class WholePostOut(PostOut):
    """A post with its shares."""

    summary: str
    text: str
    tags: list[str]
    shares: list[ShareOut]


class PublishedOut(Out):
    """The post's number, whether it was new, and its shares."""

    post: int
    new: bool
    shares: list[ShareOut]


class PreviewOut(Out):
    """What an account would make of a post."""

    account: str
    network: str
    state: str
    reason: str
    due: str
    fits: bool
    problem: str
    parts: list[dict[str, Any]]


class RuleOut(Out):
    """An account's rule, and whether it holds for a post."""

    when: str | None
    holds: bool


class WhyOut(Out):
    """Why a post is, or is not, on an account."""

    post: PostOut
    account: str
    rule: RuleOut
    layers: list[list[str]]
    shares: list[StoryOut]


class PostsOut(Out):
    """A page of posts."""

    items: list[PostOut]
    next: str | None = Field(description="The cursor of the next page, if there is one.")
