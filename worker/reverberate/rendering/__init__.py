"""Templates into messages: the only place that names Jinja outside the web door.

The shipped templates are rendered here; the owner's, which may be wrong in any way, in a child process with limits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverberate import confined
from reverberate.errors import TemplateError
from reverberate.model import Article, Card, Image, Message, Post
from reverberate.overrides import Override
from reverberate.rendering import templates
from reverberate.text.count import count
from reverberate.text.fit import Drop, Fit, Rigid, fit
from reverberate.text.safe import safe
from reverberate.text.thread import Flow, Threaded, thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from reverberate.text.limits import Limit

DEFAULT = "default.txt"
LARGEST = 64 * 1024
SECONDS, MEGABYTES = 2.0, 256
SAMPLE = Post(
    url="https://blog.example/2026/a-post",
    title="A post about something",
    summary="What it says, in a sentence or two. " * 4,
    text="All that it says. " * 40,
    html="<p>All that it says.</p>" * 40,
    author="Ada",
    tags=("open web", "blogging"),
    images=(Image(url="https://blog.example/a.png", alt="A picture"),),
    site="A blog",
)
Piece = Rigid | Fit | Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How an account speaks.

    Attributes:
        account, network: their names.
        limit: how long one part may be there.
        template: the file, or None for the network's own.
        threads: whether a message may have more than one part there.
        card: whether the network shows the link beside the text.
        article: whether the network publishes the whole post.
        warning: the content warning that goes with the text, and counts like it; or "".
        numbering: how the parts of a thread are numbered.
        override: what the post itself says for this account.
    """

    account: str
    network: str
    limit: Limit
    template: str | None = None
    threads: bool = False
    card: bool = False
    article: bool = False
    warning: str = ""
    numbering: str = "none"
    override: Override = field(default_factory=Override)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message as it would be sent, and how it came about.

    Attributes:
        message: the words and the card, without pictures.
        template: which template made it, and whose it is.
        problem: why not all that must stay whole fits, or "".
    """

    message: Message
    template: str
    problem: str = ""


def shipped_templates() -> Path:
    """The one templates folder: inside the wheel, or at the top of a checkout."""
    packaged = Path(str(files("reverberate"))) / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


class Renderer:
    """Renders posts by templates: the owner's folders first, then the shipped one."""

    def __init__(self, folders: Sequence[Path], *, zone: ZoneInfo, site: str = "") -> None:
        self._own, self._shipped = tuple(folders), shipped_templates() / "posts"
        self._zone, self._site = zone.key, site

    def draft(self, post: Post, voice: Voice) -> Draft:
        """The post in an account's words, fitting the limit.

        If not even what must stay whole fits, the message is title and link, and ``problem`` says which line is to
        blame.

        Raises:
            TemplateError: the template is missing or at fault; one line with its name and line.
        """
        post, voice = _amended(post, voice.override), _beside_warning(voice)
        if voice.override.text is not None:
            name, problem = "the post's own text", ""
            made = _threaded(fit(_own_words(post, voice), voice.limit))
        else:
            name, made, problem = self._templated(post, voice)
        if not made.fits or not any(made.parts):
            made = _plain(post, voice, name)
        card = Card(url=post.url, title=post.title, description=post.summary) if voice.card else None
        carrier = next((n for n, part in enumerate(made.parts) if post.url in part), 0)
        message = Message(
            parts=made.parts,
            link=post.url,
            card=card,
            carrier=carrier,
            language=post.language,
            warning=voice.warning,
            article=_article(post) if voice.article else None,
            notes=made.notes,
        )
        return Draft(message=message, template=name, problem=problem)

    def check(self, voice: Voice) -> list[str]:
        """One line for each fault of an account's template."""
        try:
            _, _, problem = self._templated(SAMPLE, voice)
        except TemplateError as error:
            return [str(error)]
        return [problem] if problem else []

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

    def _templated(self, post: Post, voice: Voice) -> tuple[str, Threaded, str]:
        """The template's name, what it makes of the post, and what is wrong with that."""
        name, source, ours = self._source(voice.template, voice.network)
        rendered = self._render(name, source, self._values(post, voice.account, voice.network), ours=ours)
        made = _made(_pieces(rendered), voice)
        problem = "" if made.fits else _blame(name, rendered, voice.limit)
        return f"{name} ({'shipped' if ours else 'yours'})", made, problem

    def _values(self, post: Post, account: str, network: str) -> dict[str, Any]:
        """What a template may see: plain values, and nothing secret among them."""
        told = _told(_Same(post), self._site)
        return {"post": told, "account": {"name": account, "network": network}, "zone": self._zone}

    def _source(self, template: str | None, network: str) -> tuple[str, str, bool]:
        """A template's name and text, and whether it is one of ours."""
        names = [template] if template else [f"{network}.txt", DEFAULT]
        for name in names:
            for folder in (*self._own, self._shipped):
                shipped = folder == self._shipped
                text = _shipped(folder, name) if shipped else _read(folder, name)
                if text is not None:
                    return name, text, shipped
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


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A post that is known again by being the same object: it goes to many accounts, and holds what has no hash."""

    post: Post

    def __hash__(self) -> int:
        return id(self.post)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.post is other.post


@lru_cache(maxsize=32)
def _told(same: _Same, site: str) -> dict[str, Any]:
    """A post in plain values, for templates, which cannot change them."""
    post = same.post
    told = asdict(post) | {"site": post.site or site, "hashtags": templates.hashtags(post.tags)}
    for key in ("published", "updated"):
        told[key] = told[key].isoformat() if told[key] else ""
    told["image"] = told["images"][0] if told["images"] else None
    plain: dict[str, Any] = _unmarked(told)
    return plain


def _beside_warning(voice: Voice) -> Voice:
    """The voice with the room that its content warning leaves."""
    left = voice.limit.maximum - count("", voice.limit, warning=voice.warning)
    return replace(voice, limit=replace(voice.limit, maximum=left)) if voice.warning else voice


def _article(post: Post) -> Article:
    html = safe(post.html, base=post.url) or "".join(
        f"<p>{escape(part)}</p>" for part in post.text.split("\n\n") if part
    )
    return Article(html=html, tags=post.tags, categories=post.categories)


def _amended(post: Post, override: Override) -> Post:
    """The post with what it says about its own sharing."""
    if override.hashtags:
        post = replace(post, tags=tuple(dict.fromkeys((*post.tags, *override.hashtags))))
    if override.alt is not None and post.images:
        post = replace(post, images=(replace(post.images[0], alt=override.alt), *post.images[1:]))
    return post


def _own_words(post: Post, voice: Voice) -> list[Piece]:
    """The words that the post gives for this account; the link follows where neither they nor a card hold it."""
    text = templates.OURS.sub("", voice.override.text or "")
    link = "" if voice.card or post.url in text else f"\n\n{post.url}"
    tags: list[Piece] = [Rigid(text="\n\n"), Drop(items=tuple(templates.hashtags(voice.override.hashtags)))]
    return [Fit(text=text), *(tags if voice.override.hashtags else []), Rigid(text=link)]


def _made(pieces: Sequence[Piece | Flow], voice: Voice) -> Threaded:
    """The pieces as one text, or as a thread where one of them flows."""
    at = next((n for n, piece in enumerate(pieces) if isinstance(piece, Flow)), None)
    fixed = [piece for piece in pieces if not isinstance(piece, Flow)]
    if at is None:
        return _threaded(fit(fixed, voice.limit))
    flow = pieces[at]
    assert isinstance(flow, Flow)  # noqa: S101 - as found above
    flow = flow if voice.threads else Flow(text=flow.text, most=1)
    return thread(fixed[:at], flow, fixed[at:], voice.limit, numbering=voice.numbering)


def _threaded(fitted: Any) -> Threaded:
    return Threaded(parts=(fitted.text,), fits=fitted.fits, notes=fitted.notes)


def _blame(name: str, rendered: dict[str, Any], limit: Limit) -> str:
    """Which line of a template holds what must stay whole and does not fit."""
    bare = templates.MARK.sub("", rendered["text"])
    total = f"what must stay whole takes {count(bare.strip(), limit):,} of {limit.maximum:,} {limit.unit}"
    if not rendered["rigid"]:
        return f"template {name}: {total}"
    line, text = max(rendered["rigid"], key=lambda printed: count(printed[1], limit))
    return f"template {name}: line {line}: {total}, most of it {_short(text)!r} (mark it with fit)"


def _short(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text


def _unmarked(value: Any) -> Any:
    """A plain value without the characters that stand for elastic pieces."""
    if isinstance(value, str):
        return templates.OURS.sub("", value)
    if isinstance(value, dict):
        return {key: _unmarked(one) for key, one in value.items()}
    return type(value)(map(_unmarked, value)) if isinstance(value, list | tuple) else value


def _confined(job: str, given: dict[str, Any]) -> Any:
    try:
        return confined.run(f"reverberate.rendering.templates:{job}", given, seconds=SECONDS, megabytes=MEGABYTES)
    except confined.JobError as error:
        raise TemplateError(error.words if error.kind == "Fault" else str(error)) from None
    except confined.Overrun as error:
        raise TemplateError(f"has no end: {error}") from None


@lru_cache(maxsize=64)
def _shipped(folder: Path, name: str) -> str | None:
    """A shipped template; it does not change while we run."""
    return _read(folder, name)


def _read(folder: Path, name: str) -> str | None:
    """A template's text; None where the folder has none of that name."""
    path = folder / name
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return None
    try:
        if path.stat().st_size > LARGEST:
            raise TemplateError(f"template {path.name}: is longer than {LARGEST:,} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {path.name}: cannot be read: {type(error).__name__}") from None


def _pieces(rendered: dict[str, Any]) -> list[Piece | Flow]:
    """The rendered text, taken apart at its marks."""
    pieces: list[Piece | Flow] = []
    for index, part in enumerate(templates.MARK.split(rendered["text"])):
        pieces.append(Rigid(text=part) if index % 2 == 0 else _piece(rendered["pieces"][int(part)]))
    return pieces


def _piece(told: dict[str, Any]) -> Piece | Flow:
    given = {key: value for key, value in told.items() if key != "kind"}
    match told["kind"]:
        case "fit":
            return Fit(**given)
        case "flow":
            return Flow(**given)
        case _:
            return Drop(**given | {"items": tuple(given["items"])})


def _plain(post: Post, voice: Voice, name: str) -> Threaded:
    """Title and link, where nothing else fits; only the title where the link does not fit and a card shows it."""
    note = f"{name} does not fit even at its shortest: title and link instead"
    fitted = fit([Fit(text=post.title), Rigid(text=f"\n{post.url}")], voice.limit)
    if not fitted.fits and voice.card:
        fitted = fit([Fit(text=post.title)], voice.limit)
    if not fitted.fits:
        raise TemplateError(
            f"not even the link fits into {voice.limit.maximum:,} {voice.limit.unit}: {_short(post.url)}"
        )
    return Threaded(parts=(fitted.text,), fits=True, notes=(note, *fitted.notes))
