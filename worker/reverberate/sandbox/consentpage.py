"""The pages at which one signs in at a sandbox network: who are you, and may this app post for you?"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reverberate.sandbox.exchange import PAGE_MAY, Answer
from reverberate.sandbox.pages import TITLES, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def consent(
    network: str, *, app: str, scopes: Iterable[str], back: str, person: str, hidden: Mapping[str, str]
) -> Answer:
    """Ask; ``back`` is where the owner is sent with the answer, ``hidden`` is what the form brings along."""
    title, asked = TITLES[network], "".join(f"<li><code>{html.escape(one)}</code></li>" for one in scopes if one)
    wanted = f"<p>It asks for</p><ul>{asked}</ul>" if asked else "<p>It asks to post, and to read what it posted.</p>"
    kept = "".join(f'<input type="hidden" name="{html.escape(k)}" value="{html.escape(v)}">' for k, v in hidden.items())
    who = (
        f'<label>Sign in as<input name="sandbox_account" value="{html.escape(person)}" required maxlength="60" '
        'autocomplete="off" spellcheck="false"></label>'
    )
    buttons = (
        '<div class="answers"><button name="sandbox_answer" value="deny" formnovalidate>Deny</button>'
        '<button class="yes" name="sandbox_answer" value="allow">Allow</button></div>'
    )
    note = f'<p class="muted">You will be sent back to <code>{html.escape(back)}</code>. Any name will do here.</p>'
    form = f'<form method="post">{kept}{who}{wanted}{buttons}</form>'
    body = f'<section class="{network} consent"><h2>{title} <small>sandbox</small></h2><article>'
    name = f'<p class="muted">The app is <code>{html.escape(app)}</code></p>'
    body += f"<h1>Let your app post for you?</h1>{name}{form}</article>{note}</section>"
    return _page(f"Sign in at {title}", body, back=back)


def wrong(network: str, words: str) -> Answer:
    """The app asked for something that cannot be: nobody is sent anywhere."""
    title = TITLES[network]
    body = f'<section class="{network} consent"><h2>{title} <small>sandbox</small></h2><article>'
    body += f"<h1>This does not work</h1><p>{html.escape(words)}</p></article></section>"
    return _page(f"{title}: something is wrong", body, status=400)


def _page(title: str, body: str, *, back: str = "", status: int = 200) -> Answer:
    """A page whose form may lead to ``back``: a browser asks that of a redirection, too."""
    address = urlsplit(back)
    allowed = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    policy = PAGE_MAY.replace("form-action 'self'", f"form-action 'self'{allowed}")
    answer = Answer.html(page(title, f"<main class='single'>{body}</main>"), status)
    return answer.told(**{"Content-Security-Policy": policy})
