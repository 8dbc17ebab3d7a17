"""The byte level: one client's connection, which may be made to break at any byte."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_HEAD = 65_536
PIECE = 65_536
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing then sends RST and throws away what was not yet delivered."""
STEPS = 40
"""In so many pieces an answer drips."""


class Line:
    """A connection, read and written by one thread; ``hang_up`` may come from another."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._held = bytearray()

    def head(self) -> bytes:
        """The next request's head with its empty line; nothing when there is no next request."""
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > LARGEST_HEAD or not self._more():
                return b""
        return self._taken(end + 4)

    def take(self, length: int) -> bytes:
        """So many bytes, or fewer where the client stops before."""
        while len(self._held) < length and self._more():
            pass
        return self._taken(min(length, len(self._held)))

    def send(self, data: bytes) -> None:
        """All of it, at once."""
        self._connection.sendall(data)

    def drip(self, data: bytes, seconds: float, wait: Callable[[float], object]) -> None:
        """All of it, spread over the time."""
        size = max(1, -(-len(data) // STEPS))
        for start in range(0, len(data), size):
            self.send(data[start : start + size])
            wait(seconds * size / len(data))

    def hang_up(self) -> None:
        """Hear nothing more: a request that is being answered is still answered, another does not come."""
        with contextlib.suppress(OSError):  # the client was faster
            self._connection.shutdown(socket.SHUT_RD)

    def reset(self) -> None:
        """Break the connection, as a machine that died would."""
        with contextlib.suppress(OSError):  # the client was faster
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._connection.close()

    def close(self) -> None:
        """End the connection in order."""
        with contextlib.suppress(OSError):  # the client was faster, or it was broken on purpose
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _more(self) -> bool:
        piece = self._connection.recv(PIECE)
        self._held += piece
        return bool(piece)

    def _taken(self, length: int) -> bytes:
        taken = bytes(self._held[:length])
        del self._held[:length]
        return taken
