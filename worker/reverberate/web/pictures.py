"""Prepared pictures for the networks that fetch them: by their digest, which nobody guesses, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reverberate.errors import StoreError
from reverberate.store import pictures

if TYPE_CHECKING:
    from starlette.requests import Request

    from reverberate.store import Store

KINDS = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # a digest names the same bytes for ever
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}


def picture_route(store: Store) -> Route:
    """``GET /pictures/DIGEST``: a picture that a message was given, while the store keeps it. No listing, no other way."""

    def picture(request: Request) -> Response:
        """Its bytes; 404 for whatever is no digest of one."""
        digest = request.path_params["digest"]
        try:
            with store.read() as tx:
                found = pictures.served(tx, digest)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        if found is None or found[0] not in KINDS:
            return PlainTextResponse("there is no such picture\n", status_code=404)
        return Response(found[1], media_type=found[0], headers=HEADERS)

    return Route("/pictures/{digest}", picture)
