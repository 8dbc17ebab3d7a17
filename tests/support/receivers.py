"""Those who receive notices in tests: a mail server that speaks TLS, a webhook that checks as the reference does."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from standardwebhooks import Webhook

from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass
class Post:
    """A mail server's letters."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    signed_in: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep it."""
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Whoever has the word."""
        self.signed_in.append((data.login, data.password))
        right = data.password == b"pass word"
        return AuthResult(success=right, handled=right)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(key), "-out", str(cert), "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *curve, *files, *subject], check=True, capture_output=True)
    return cert, key


@contextmanager
def mail_server(folder: Path) -> Iterator[Post]:
    """One that wants STARTTLS and a password."""
    cert, key = certificate(folder)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    post = Post(free_port())
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=post.port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=post.sign_in,
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@dataclass
class Hook:
    """A webhook's receiver. ``answers`` are the next statuses; 204 afterwards."""

    url: str
    secret: str = SECRET
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    forged: int = 0


@contextmanager
def webhook(secret: str = SECRET) -> Iterator[Hook]:
    """One that takes only what is signed as Standard Webhooks says, by the reference library."""
    hook = Hook("", secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.tried.append(self.headers["webhook-id"])
            try:
                told = Webhook(hook.secret).verify(body, dict(self.headers))
            except Exception:  # noqa: BLE001 - whatever is wrong with it
                hook.forged += 1
                self.answer(401)
                return
            status = hook.answers.pop(0) if hook.answers else 204
            if status < 300:
                hook.ids.append(self.headers["webhook-id"])
                hook.taken.append(told)
            self.answer(status)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
