"""Servers that do one odd thing with one connection, byte by byte."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def heard(line: socket.socket) -> bytes:
    """One request, whole: its head and its body may come in pieces."""
    request = b""
    while more := line.recv(65536):
        request += more
        head, found, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        if found and len(body) >= int(length[1] if length else 0):
            break
    return request


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Hear a request and answer it so, then hang up."""

    def meet(line: socket.socket) -> None:
        heard(line)
        line.sendall(answer)

    return meet


@contextmanager
def raw(meet: Callable[[socket.socket], object]) -> Iterator[str]:
    """The address of a server that does just this with its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            with line, suppress(ConnectionError):  # the client may hang up as soon as it has heard enough
                line.settimeout(5)
                meet(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)
        assert not thread.is_alive()


@contextmanager
def crowded() -> Iterator[str]:
    """An address whose queue of connections is full, so that one more is not even answered."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for line in (first, second):
            line.setblocking(False)
            line.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@contextmanager
def tls(folder: Path, meet: Callable[[ssl.SSLSocket], object]) -> Iterator[tuple[str, str]]:
    """The address of a TLS server with a certificate of its own, and where that lies."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2", "-subj", "/CN=localhost"]
    made = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *kind, *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def wrapped(line: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(line, server_side=True) as secure:
            meet(secure)  # not reached by a client that does not trust us

    with raw(wrapped) as place:
        yield f"https://{place}/", str(certificate)
