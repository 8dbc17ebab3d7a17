"""A way to a real server on which answers can be lost."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class CuttingProxy:
    """Hands bytes to and fro between its own port and a server's, until it is told to lose an answer.

    Attributes:
        url: where it listens.
        cut: what the next request begins with whose answer is lost once the server began to give it; "" for none.
        lost: how many were.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut, self.lost = b"", 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.close()

    def _listen(self) -> None:
        self._listener.settimeout(0.2)
        while not self._closing.is_set():
            with contextlib.suppress(OSError):  # nobody called within the time, or the listener is closed
                connection, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(connection,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(ConnectionError):  # either end may break off as it likes: the other is told
            self._between(client)

    def _between(self, client: socket.socket) -> None:
        losing = False
        with socket.create_connection(self._target) as server:
            while not self._closing.is_set():
                for ready in select.select([client, server], [], [], 0.2)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is server and losing:
                        self.lost += 1
                        return  # the server has dealt with it, and nobody hears what it says
                    if ready is client and self.cut and data.startswith(self.cut):
                        losing, self.cut = True, b""
                    (server if ready is client else client).sendall(data)
