"""Where notices go: e-mail, a signed webhook, and what the library apprise speaks. One message, one try.

Sources: RFC 5322 and 6409 by the standard library; the Standard Webhooks specification 1.0 (standardwebhooks.com).
"""

from __future__ import annotations

import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Protocol

from reverberate.config_notices import AppriseTable, EmailTable, WebhookTable
from reverberate.errors import Outcome
from reverberate.http import Session
from reverberate.policy import wait_until
from reverberate.secrets import SecretMissing
from reverberate.standardwebhooks import signed, signing_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverberate.config_notices import AnyNotice

SECONDS = 15.0
"""How long a mail server may take for each word."""
PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a channel sends: ``key`` is the same at each try, ``data`` is for machines."""

    key: str
    title: str
    text: str
    now: datetime
    data: Mapping[str, Any]


class NotSent(Exception):
    """A channel did not take it. The words hold no secret. ``until``: not before that; ``gone``: never again."""

    def __init__(self, words: str, *, until: datetime | None = None, gone: bool = False) -> None:
        super().__init__(words)
        self.words, self.until, self.gone = words, until, gone


class Channel(Protocol):
    """A way to a person."""

    def send(self, mail: Mail) -> None:
        """Send it once. Raises NotSent."""


def channel(table: AnyNotice) -> Channel:
    """The channel that a table describes."""
    match table:
        case EmailTable():
            return Email(table)
        case WebhookTable():
            return Webhook(table)
        case AppriseTable():
            return Apprise(table)


def faults(table: AnyNotice) -> list[str]:
    """What keeps a channel from working, as far as can be told without sending; secrets that are missing are told elsewhere."""
    try:
        match table:
            case WebhookTable():
                signing_key(table.secret.reveal())
            case AppriseTable():
                _apprise(table)
    except SecretMissing:
        return []
    except (NotSent, ValueError) as error:
        return [str(error)]
    return []


class Email:
    """Notices by e-mail."""

    def __init__(self, table: EmailTable) -> None:
        self._table = table

    def send(self, mail: Mail) -> None:
        """See Channel."""
        trouble = ""
        try:
            with self._connected() as server:
                refused = server.send_message(self._message(mail))
            trouble = f"not to {', '.join(refused)}" if refused else ""
        except SecretMissing as error:
            trouble = str(error)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            trouble = _smtp_words(error)
        if trouble:  # out here: a chained error may hold what was sent
            raise NotSent(f"{self._table.host}: {trouble}")

    def _connected(self) -> smtplib.SMTP:
        table, context = self._table, ssl.create_default_context(cafile=self._table.ca or None)
        port = table.port or PORTS[table.security]
        server = (
            smtplib.SMTP_SSL(table.host, port, timeout=SECONDS, context=context)
            if table.security == "tls"
            else smtplib.SMTP(table.host, port, timeout=SECONDS)
        )
        try:
            if table.security == "starttls":
                server.starttls(context=context)
            if table.password is not None:
                server.login(table.username, table.password.reveal())
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._table.sender, ", ".join(self._table.to)
        message["Subject"] = " ".join(mail.title.split())
        message["Date"] = format_datetime(mail.now)
        message["Message-ID"] = f"<{mail.key}@{self._table.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
        message.set_content(mail.text)
        return message


def _smtp_words(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException():  # the server's own words
            said = error.smtp_error
            words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
            return f"{error.smtp_code} {' '.join(words.split())}"[:300]
        case smtplib.SMTPRecipientsRefused():
            return f"refused {', '.join(error.recipients)}"
        case OSError():
            return str(error.strerror or error)[:300]
        case _:
            return str(error)[:300] or type(error).__name__


class Webhook:
    """Notices to an address of the owner's, signed."""

    def __init__(self, table: WebhookTable) -> None:
        self._table = table

    def send(self, mail: Mail) -> None:
        """See Channel."""
        trouble = NotSent("")
        try:
            secret = self._table.secret.reveal()
            key = signing_key(secret)
        except ValueError as error:  # a missing secret is one too
            raise NotSent(str(error)) from None
        body = json.dumps(
            {"type": "notice", "timestamp": mail.now.isoformat().replace("+00:00", "Z"), "data": mail.data},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        headers = {"Content-Type": "application/json"} | signed(key, mail.key, mail.now, body)
        with Session(secrets=[secret]) as session:
            try:
                answer = session.post(self._table.url, data=body, headers=headers, allow_redirects=False)
            except Outcome as outcome:
                trouble = NotSent(outcome.words)
            else:
                if 200 <= answer.status_code < 300:
                    return
                trouble = NotSent(
                    f"answered {answer.status_code} {answer.reason or ''}".strip(),
                    until=wait_until(answer.headers, now=mail.now),
                    gone=answer.status_code == 410,
                )
        raise trouble


class Apprise:
    """Notices through the library apprise."""

    def __init__(self, table: AppriseTable) -> None:
        self._table = table

    def send(self, mail: Mail) -> None:
        """See Channel. The library does not say why it failed; its own log does."""
        try:
            sender = _apprise(self._table)
        except SecretMissing as error:
            raise NotSent(str(error)) from None
        if not sender.notify(title=mail.title, body=mail.text):
            raise NotSent("apprise could not deliver it")


def _apprise(table: AppriseTable) -> Any:
    """Apprise with the table's address. Raises NotSent where that cannot be, and SecretMissing."""
    try:
        import apprise  # noqa: PLC0415 - optional, and slow to import
    except ModuleNotFoundError:
        raise NotSent("the library apprise is missing (pip install 'reverberate[apprise]')") from None
    sender = apprise.Apprise()
    if not sender.add(table.url.reveal()):
        raise NotSent("apprise does not know such an address (see its own list of services)")
    return sender
