"""A server that accepts everything at once, or after a while, and remembers when: ``python server.py PORT MILLISECONDS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Accepts(asyncio.Protocol):
    """HTTP/1.1 with as little work as can be: the server must not be what is measured."""

    times: list[float] = []  # noqa: RUF012 - one server, one list
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.data) < end + 4 + length:
                return
            method, path = self.data[:end].split(b" ", 2)[:2]
            self.data = self.data[end + 4 + length :]
            loop = asyncio.get_running_loop()
            if method == b"POST":
                loop.call_later(self.delay, self.accept) if self.delay else self.accept()
            else:
                self.answer(json.dumps(self.times if path == b"/times" else {}).encode())

    def accept(self) -> None:
        self.times.append(time.time())
        self.answer(b'{"id":"%d","url":"http://127.0.0.1/%d"}' % (len(self.times), len(self.times)))

    def answer(self, body: bytes) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )


async def main() -> None:
    """Serve until killed."""
    Accepts.delay = float(sys.argv[2]) / 1000
    server = await asyncio.get_running_loop().create_server(Accepts, "127.0.0.1", int(sys.argv[1]), backlog=512)
    await server.serve_forever()


asyncio.run(main())
