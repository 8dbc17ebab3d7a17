"""What each network takes as a picture, as data, each row with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

MB: Final = 1_000_000
MIB: Final = 1 << 20


class Format(StrEnum):
    """A picture's file format. GIF is named where a network takes it, but never written: a moving one is stilled."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"

    @property
    def mime(self) -> str:
        return f"image/{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRule:
    """What a network takes.

    Attributes:
        formats: those it takes.
        max_bytes: how long the file may be.
        max_width, max_height: in pixels.
        max_pixels: how many pixels in all, or None.
        max_sum: how much width and height may be together, or None.
        min_width, min_height: in pixels; a smaller picture is not used, for enlarging shows nothing more.
        widest, tallest: between which width divided by height must lie, or None; bars are added to a picture
            outside, for cutting may take away what matters.
        max_alt: how many characters may tell what it shows; 0 where there is no place for that, None without limit.
        transparency: whether people will see through it; else it gets a background.
        source: the vendor's document that says so, and what is our own choice.
    """

    formats: tuple[Format, ...]
    max_bytes: int
    max_width: int = 4096
    max_height: int = 4096
    max_pixels: int | None = None
    max_sum: int | None = None
    min_width: int = 1
    min_height: int = 1
    widest: float | None = None
    tallest: float | None = None
    max_alt: int | None = None
    transparency: bool = False
    source: str

    @classmethod
    def revived(cls, told: Mapping[str, Any]) -> Self:
        """A rule that went through JSON."""
        return cls(**{**told, "formats": tuple(map(Format, told["formats"]))})


_STILL: Final = (Format.JPEG, Format.PNG)
_WITH_GIF: Final = (*_STILL, Format.GIF)
_ALL: Final = (*_WITH_GIF, Format.WEBP)

RULES: Final[Mapping[str, PictureRule]] = MappingProxyType(
    {
        "twitter": PictureRule(
            formats=_ALL,
            max_bytes=5 * MB,
            max_alt=1000,
            transparency=True,
            source="X: Media best practices; OpenAPI 2.167, CreateMediaMetadataMetadataAltText. 4096 px is what it keeps",
        ),
        "facebook": PictureRule(
            formats=_WITH_GIF,
            max_bytes=4 * MB,
            max_width=2048,
            max_height=2048,
            max_alt=1000,
            source="Graph API: error 1366046 (4 MB, JPG or PNG), Page photos (GIF too). Size and alt: our choice",
        ),
        "mastodon": PictureRule(
            formats=_ALL,
            max_bytes=16 * MIB,
            max_pixels=33_177_600,
            max_alt=1500,
            transparency=True,
            source="Mastodon: entity Instance, configuration.media_attachments (servers differ). Sides: our choice",
        ),
        "bluesky": PictureRule(
            formats=(*_STILL, Format.WEBP),
            max_bytes=2 * MB,
            max_width=2000,
            max_height=2000,
            max_alt=2000,
            source="lexicon app.bsky.embed.images, image.maxSize. Sides and alt as in its own app; its CDN makes JPEG",
        ),
        "threads": PictureRule(
            formats=_STILL,
            max_bytes=8 * MB,
            max_width=1440,
            max_height=14_400,
            min_width=320,
            widest=10.0,
            tallest=0.1,
            max_alt=1000,
            source="Threads API: Posts, image specifications. Alt: the guess that Meta's apps suggest",
        ),
        "instagram": PictureRule(
            formats=(Format.JPEG,),
            max_bytes=8 * MB,
            max_width=1440,
            max_height=1800,
            min_width=320,
            widest=1.91,
            tallest=0.8,
            max_alt=1000,
            source="Instagram API: media, image specifications; errors 36000, 36001 and 36003",
        ),
        "linkedin": PictureRule(
            formats=_WITH_GIF,
            max_bytes=5 * MB,
            max_pixels=36_152_319,
            max_alt=4086,
            source="LinkedIn: Images API (fewer than 36,152,320 pixels), MultiImage altText. Bytes: our choice",
        ),
        "pinterest": PictureRule(
            formats=_STILL,
            max_bytes=10 * MB,
            max_width=2000,
            max_height=3000,
            min_width=100,
            min_height=100,
            max_alt=500,
            source="Pinterest OpenAPI 5.23.0, PinMediaSourceImageBase64 and PinCreate.alt_text. Sizes: our choice",
        ),
        "tumblr": PictureRule(
            formats=_ALL,
            max_bytes=10 * MB,
            max_width=2048,
            max_height=3072,
            max_alt=4096,
            transparency=True,
            source="Tumblr: NPF specification, image block alt_text. Bytes and sides: our choice, what its pages show",
        ),
        "telegram": PictureRule(
            formats=_STILL,
            max_bytes=10 * MB,
            max_width=2560,
            max_height=2560,
            max_sum=10_000,
            widest=20.0,
            tallest=0.05,
            max_alt=0,
            source="Telegram Bot API 10.1, sendPhoto.photo. Sides: our choice, it shows no more",
        ),
        "discord": PictureRule(
            formats=_ALL,
            max_bytes=10 * MIB,
            max_alt=1024,
            transparency=True,
            source="Discord: Uploading Files (10 MiB by default), attachment description",
        ),
        "webhook": PictureRule(
            formats=_STILL,
            max_bytes=5 * MB,
            max_width=2048,
            max_height=2048,
            max_alt=None,
            source="our own choice: what any program can use; the picture itself is fetched, not sent",
        ),
        "slack": PictureRule(
            formats=_ALL,
            max_bytes=10 * MB,
            max_alt=2000,
            transparency=True,
            source="Slack: Block Kit, image block, alt_text. Bytes: our choice",
        ),
        "matrix": PictureRule(
            formats=_ALL,
            max_bytes=10 * MB,
            max_alt=4000,
            transparency=True,
            source="Matrix: m.upload.size differs by server; 10 MB: our choice. Alt is the body of m.image",
        ),
        "reddit": PictureRule(
            formats=_WITH_GIF,
            max_bytes=10 * MB,
            max_alt=0,
            source="Reddit: image posts. Bytes: our choice, below what it takes",
        ),
        "google_business": PictureRule(
            formats=_STILL,
            max_bytes=5 * MB,
            min_width=250,
            min_height=250,
            max_alt=0,
            source="Google Business Profile: photo guidelines (10 KB to 5 MB, at least 250 by 250 pixels)",
        ),
        "gotosocial": PictureRule(
            formats=_ALL,
            max_bytes=10 * MIB,
            max_alt=1500,
            transparency=True,
            source="GoToSocial: media settings (servers differ); the cautious default of older versions",
        ),
        "pleroma": PictureRule(
            formats=_ALL,
            max_bytes=16 * MB,
            max_alt=1500,
            transparency=True,
            source="Pleroma and Akkoma: instance, upload_limit and description_limit (servers differ)",
        ),
        "pixelfed": PictureRule(
            formats=_STILL,
            max_bytes=15 * MB,
            max_alt=1000,
            source="Pixelfed: max_photo_size and max_altext_length (servers differ)",
        ),
        "misskey": PictureRule(
            formats=_ALL,
            max_bytes=10 * MB,
            max_alt=512,
            transparency=True,
            source="Misskey: drive/files/create, comment. Bytes: our choice (servers differ)",
        ),
        "wordpress": PictureRule(
            formats=_ALL,
            max_bytes=2 * MB,
            max_width=2560,
            max_height=2560,
            max_alt=None,
            transparency=True,
            source="WordPress: PHP's upload_max_filesize of 2 MB by default, big image threshold of 2560 pixels",
        ),
        "ghost": PictureRule(
            formats=_ALL,
            max_bytes=5 * MB,
            max_alt=191,
            transparency=True,
            source="Ghost: Admin API, images/upload; feature_image_alt. Bytes: our choice",
        ),
        "memory": PictureRule(
            formats=_ALL,
            max_bytes=5 * MB,
            max_alt=1500,
            transparency=True,
            source="our own choice: a network that lives in memory",
        ),
    }
)
"""Pictures attached to a message, by the network's name; a plug-in of somebody else brings its own."""

CARD_RULES: Final[Mapping[str, PictureRule]] = MappingProxyType(
    {
        "wordpress": RULES["wordpress"],  # its featured picture
        "bluesky": PictureRule(
            formats=_STILL,
            max_bytes=1 * MB,
            max_width=1200,
            max_height=1200,
            max_alt=0,
            source="lexicon app.bsky.embed.external, thumb.maxSize. Sides: our choice, what its card shows",
        ),
        "linkedin": PictureRule(
            formats=_STILL,
            max_bytes=5 * MB,
            max_width=1200,
            max_height=1200,
            max_alt=4086,
            source="LinkedIn: Posts API, article.thumbnail. Sides: our choice, what its card shows",
        ),
        "discord": PictureRule(
            formats=_STILL,
            max_bytes=10 * MIB,
            max_width=1200,
            max_height=1200,
            max_alt=1024,
            source="Discord: Uploading Files, Using Attachments within Embeds. Sides: our choice, what its embed shows",
        ),
        "tumblr": PictureRule(
            formats=_STILL,
            max_bytes=10 * MB,
            max_width=1280,
            max_height=1920,
            max_alt=0,
            source="Tumblr: NPF specification, link block poster. Bytes and sides: our choice",
        ),
        "memory": PictureRule(
            formats=_STILL,
            max_bytes=1 * MB,
            max_width=1200,
            max_height=1200,
            max_alt=0,
            source="our own choice: a network that lives in memory",
        ),
    }
)
"""The picture of a link card that we make, by the network's name; where there is none, the network makes its own."""
