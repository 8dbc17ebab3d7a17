"""Templates into messages: the only place that names Jinja outside the web door."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reverberate.errors import TemplateError
from reverberate.model import Card, Message
from reverberate.text.count import fits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from reverberate.model import Post
    from reverberate.text.limits import Limit


def shipped_templates() -> Path:
    """The one templates folder: inside the wheel, or at the top of a checkout."""
    packaged = Path(str(files("reverberate"))) / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


class Renderer:
    def __init__(self, folders: Sequence[Path], *, zone: ZoneInfo, site: str = "") -> None:
        loaders = [FileSystemLoader(str(folder)) for folder in (*folders, shipped_templates() / "posts")]
        self._env = ImmutableSandboxedEnvironment(loader=ChoiceLoader(loaders), undefined=StrictUndefined)

    def message(self, *, post: Post, account: str, network: str, limit: Limit, template: str | None = None) -> Message:
        text = f"{post.title}\n{post.url}"
        words = post.summary.split()
        while words:
            longer = f"{post.title}\n\n{' '.join(words)}\n{post.url}"
            if fits(longer, limit):
                text = longer
                break
            words.pop()
        card = Card(url=post.url, title=post.title, description=post.summary[:200]) if network == "bluesky" else None
        return Message(parts=(text,), link=post.url, card=card, language=post.language)

    def check(self, template: str | None, network: str) -> list[str]:
        return []

    def matches(self, expression: str, *, post: Post, account: str) -> bool:
        try:
            return bool(self._env.compile_expression(expression, undefined_to_none=False)(post=post, account=account))
        except JinjaError as error:
            raise TemplateError(f"rule {expression!r}: {error}") from None
