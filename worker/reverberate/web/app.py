"""The ASGI application: one router for each resource, behind one guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from reverberate import __version__
from reverberate.front import Front
from reverberate.web import (
    accounts,
    events,
    health,
    plans,
    posts,
    previews,
    problems,
    shares,
    sources,
    stats,
    status,
    tokens,
)
from reverberate.web.doors import scopes_of
from reverberate.web.guard import Guard, Limits, Place
from reverberate.web.pictures import picture_route
from reverberate.web.problems import MEDIA

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reverberate.service import Service

PREFIX = "/api"
ROUTERS = (posts, shares, accounts, sources, previews, plans, events, stats, status, tokens)
ABOUT = """Publish once; every account repeats it: once each, on time, in its own voice.

Every request needs a token (`Authorization: Bearer TOKEN`), made by `reverberate token create NAME --scope SCOPE`:
`read` sees, `publish` publishes and does to shares what a person may, `admin` does the rest. Errors are
`application/problem+json`. Lists are pages: `next` is the `cursor` of the next one. Answers may grow new keys."""


def make_app(
    service: Service,
    *,
    listen: str = "",
    limits: Limits | None = None,
    ring: Callable[[], None] = lambda: None,
) -> Application:
    """The application for a service; ``listen`` is where its door is, when that is not what the config says."""
    api = FastAPI(
        title="Reverberate",
        version=__version__,
        description=ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.front, api.state.streams, api.state.closing = Front(service, ring=ring), 0, False
    problems.register(api)
    for module in ROUTERS:
        api.include_router(module.router, prefix=PREFIX)
    api.include_router(health.router)
    _describe_problems(api)
    api.router.routes.append(picture_route(service.store))
    said = service.config.service
    place = Place(listen=listen or said.listen, public=said.public_url, hosts=said.hosts)
    return Application(api, Guard(api, service.store, place, limits or Limits()))


def _describe_problems(api: FastAPI) -> None:
    """Let the description say what media type an error has (FastAPI knows one for all answers), and which scope a route needs."""
    plain = api.openapi
    scopes = {
        (PREFIX + route.path, method.lower()): scope.value
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        for scope in scopes_of(route.dependant)
    }

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            for name, path in plain()["paths"].items():
                for method, operation in path.items():
                    operation["x-scope"] = scopes[name, method]
                    for status, answer in operation["responses"].items():
                        if status >= "400":
                            answer["content"] = {MEDIA: answer["content"]["application/json"]}
        return plain()

    api.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend it


class Application:
    """The routes (``api``) behind their guard."""

    def __init__(self, api: FastAPI, guard: ASGIApp) -> None:
        self.api, self._guard = api, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._guard(scope, receive, send)

    def close(self) -> None:
        """Let streams end, so that the server can."""
        self.api.state.closing = True
