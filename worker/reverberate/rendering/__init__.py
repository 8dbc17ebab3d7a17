"""Templates into messages: the only place that names Jinja outside the web door.

The shipped templates are rendered here; the owner's, which may be wrong in any way, in a child process with limits.
"""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverberate import confined
from reverberate.errors import TemplateError
from reverberate.model import Card, Message, Post
from reverberate.rendering import templates
from reverberate.text.fit import Drop, Fit, Fitted, Rigid, fit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from reverberate.text.limits import Limit

DEFAULT = "default.txt"
LARGEST = 64 * 1024
CARDS = frozenset({"bluesky", "facebook"})
"""Networks that show a link card which we make or cause; the text need not hold the link."""
SECONDS, MEGABYTES = 2.0, 256
SAMPLE = Post(
    url="https://blog.example/2026/a-post",
    title="A post about something",
    summary="What it says, in a sentence or two. " * 4,
    text="All that it says. " * 40,
    author="Ada",
    tags=("open web", "blogging"),
    site="A blog",
)


def shipped_templates() -> Path:
    """The one templates folder: inside the wheel, or at the top of a checkout."""
    packaged = Path(str(files("reverberate"))) / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


class Renderer:
    """Renders posts by templates: the owner's folders first, then the shipped one."""

    def __init__(self, folders: Sequence[Path], *, zone: ZoneInfo, site: str = "") -> None:
        self._own, self._shipped = tuple(folders), shipped_templates() / "posts"
        self._zone, self._site = zone.key, site

    def message(self, *, post: Post, account: str, network: str, limit: Limit, template: str | None = None) -> Message:
        """The post in an account's words, fitting the limit.

        If not even the template's rigid part fits, the message is title and link, and a note says so.

        Raises:
            TemplateError: the template is missing or at fault; one line with its name and line.
        """
        name, source, ours = self._source(template, network)
        rendered = self._render(name, source, self._values(post, account, network), ours=ours)
        fitted = fit(_pieces(rendered), limit)
        if not fitted.fits or not fitted.text:
            fitted = _plain(post, limit, name)
        card = Card(url=post.url, title=post.title, description=post.summary) if network in CARDS else None
        return Message(parts=(fitted.text,), link=post.url, card=card, language=post.language, notes=fitted.notes)

    def check(self, template: str | None, network: str) -> list[str]:
        """One line for each fault of an account's template."""
        try:
            name, source, ours = self._source(template, network)
            self._render(name, source, self._values(SAMPLE, "account", network), ours=ours)
        except TemplateError as error:
            return [str(error)]
        return []

    def matches(self, expression: str, *, post: Post, account: str) -> bool:
        """Whether a ``when`` rule holds for a post.

        Raises:
            TemplateError: it cannot be told; the text names the rule.
        """
        values = self._values(post, account, "")
        try:
            return bool(_confined("holds", {"expression": expression} | values))
        except TemplateError as error:
            raise TemplateError(f"rule {expression!r}: {error}") from None

    def _values(self, post: Post, account: str, network: str) -> dict[str, Any]:
        """What a template may see: plain values, and nothing secret among them."""
        told = asdict(post) | {"site": post.site or self._site, "hashtags": templates.hashtags(post.tags)}
        for key in ("published", "updated"):
            told[key] = told[key].isoformat() if told[key] else ""
        told["image"] = told["images"][0] if told["images"] else None
        return {"post": told, "account": {"name": account, "network": network}, "zone": self._zone}

    def _source(self, template: str | None, network: str) -> tuple[str, str, bool]:
        """A template's name and text, and whether it is one of ours."""
        names = [template] if template else [f"{network}.txt", DEFAULT]
        for name in names:
            for folder in (*self._own, self._shipped):
                path = folder / name
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    return name, _read(path), folder == self._shipped
        known = sorted({path.name for folder in (*self._own, self._shipped) for path in folder.glob("*.txt")})
        near = get_close_matches(names[0], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"looked in {', '.join(str(folder) for folder in self._own)}"
        raise TemplateError(f"there is no template {names[0]!r}", hint=hint)

    def _render(self, name: str, source: str, values: dict[str, Any], *, ours: bool) -> dict[str, Any]:
        given = {"source": source} | values
        try:
            return templates.render(given) if ours else _confined("render", given)
        except (templates.Fault, TemplateError) as error:
            raise TemplateError(f"template {name}: {error}") from None


def _confined(job: str, given: dict[str, Any]) -> Any:
    try:
        return confined.run(f"reverberate.rendering.templates:{job}", given, seconds=SECONDS, megabytes=MEGABYTES)
    except confined.JobError as error:
        raise TemplateError(error.words if error.kind == "Fault" else str(error)) from None
    except confined.Overrun as error:
        raise TemplateError(f"has no end: {error}") from None


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise TemplateError(f"template {path.name}: is longer than {LARGEST:,} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {path.name}: cannot be read: {type(error).__name__}") from None


def _pieces(rendered: dict[str, Any]) -> list[Rigid | Fit | Drop]:
    """The rendered text, taken apart at its marks."""
    pieces: list[Rigid | Fit | Drop] = []
    for index, part in enumerate(templates.MARK.split(rendered["text"])):
        if index % 2 == 0:
            pieces.append(Rigid(text=part))
            continue
        told = dict(rendered["pieces"][int(part)])
        if told.pop("kind") == "fit":
            pieces.append(Fit(**told))
        else:
            pieces.append(Drop(**told | {"items": tuple(told["items"])}))
    return pieces


def _plain(post: Post, limit: Limit, name: str) -> Fitted:
    """Title and link, where nothing else fits."""
    fitted = fit([Fit(text=post.title), Rigid(text=f"\n{post.url}")], limit)
    note = f"template {name} does not fit even at its shortest: title and link instead"
    return Fitted(text=fitted.text, fits=fitted.fits, notes=(note, *fitted.notes))
