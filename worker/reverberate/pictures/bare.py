"""Whether a picture's file holds the picture and nothing else. Pure.

What is not known to be harmless counts as metadata: a camera's notes, a place, a thumbnail of what was cut away, bytes
behind the end.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

PNG_BEGINS: Final = b"\x89PNG\r\n\x1a\n"
PNG_HARMLESS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"pHYs", b"IDAT", b"IEND"})
JPEG_BEGINS, JPEG_ENDS = b"\xff\xd8", 0xD9
JFIF: Final = b"JFIF\x00"
ADOBE: Final = b"Adobe"
SCAN: Final = 0xDA
TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})
FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""Within a scan, a 0xff that begins a marker; others stand for themselves or restart the decoder."""


def is_bare(data: bytes) -> bool:
    """Whether a PNG or JPEG file has no metadata. Any other file has some, for all we know."""
    if data.startswith(PNG_BEGINS):
        return _is_bare_png(data)
    return data.startswith(JPEG_BEGINS) and _is_bare_jpeg(data)


def _is_bare_png(data: bytes) -> bool:
    at, kind = len(PNG_BEGINS), b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        kind = body[:4]
        if kind not in PNG_HARMLESS or data[at + 8 + length : at + 12 + length] != crc32(body).to_bytes(4, "big"):
            return False  # with a wrong checksum some read it, and some do not
        at += 12 + length
    return at == len(data)


def _is_bare_jpeg(data: bytes) -> bool:
    at = len(JPEG_BEGINS)
    while data[at : at + 1] == b"\xff" and at + 1 < len(data):
        marker = data[at + 1]
        if marker == JPEG_ENDS:
            return at + 2 == len(data)
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if not _is_harmless(marker, data[at + 4 : at + 2 + length]):
            return False
        at += 2 + length
        if marker == SCAN:
            found = NEXT_MARKER.search(data, at)
            at = found.start() if found else len(data)
    return False


def _is_harmless(marker: int, body: bytes) -> bool:
    if marker == 0xE0:
        return body.startswith(JFIF) and len(body) == 14  # longer: a thumbnail
    if marker == 0xEE:
        return body.startswith(ADOBE) and len(body) == 12
    return marker in TABLES | FRAMES | {SCAN}
