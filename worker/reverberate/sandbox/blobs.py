"""Pictures that were uploaded: files beside the ledger, named by what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverberate.sandbox.records import blob_cid

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""By how a file begins: what is shown as a picture; whatever else was uploaded is kept and never shown."""


class Blobs:
    """Put in, found again, also after a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, cid: object) -> bool:
        return isinstance(cid, str) and cid.isalnum() and (self._folder / cid).is_file()

    def put(self, contents: bytes) -> str:
        """Keep them; returns their CID. The same contents are kept once."""
        cid = blob_cid(contents)
        if cid not in self:
            part = self._folder / f".{cid}"
            part.write_bytes(contents)
            part.replace(self._folder / cid)
        return cid

    def get(self, cid: str) -> bytes:
        """The contents; nothing if there is no such blob."""
        return (self._folder / cid).read_bytes() if cid in self else b""


def kind_of(contents: bytes) -> str:
    """The media type of a picture; "" if it is none."""
    return next((kind for begin, kind in KINDS.items() if contents.startswith(begin)), "")
