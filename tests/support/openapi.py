"""Requests and answers against a vendor's OpenAPI description: what is wrong with them, as a list of texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

PART = rb'Content-Disposition: form-data; name="([^"]+)"'


class Described:
    """One vendor's API as its description has it; what the description does not name is a mistake of ours.

    Args:
        description: the whole document.
        server: the address under which it describes the API.
        closed: whether an object of a request holds only what its schema names, where the schema leaves that open.

    Who may make a call is left out: a signature is no matter of shape.
    """

    def __init__(self, description: Mapping[str, Any], *, server: str, closed: bool = True) -> None:
        self._description, self._server = _open_to_all(description), server
        # the documents are large, and a vendor's slip elsewhere in one is not our matter: they are not validated whole
        policy: Any = "forbid" if closed else "allow"
        strict = Config(spec_validator_cls=None, additional_properties_default_policy=policy)
        self._asks = OpenAPI.from_dict(self._description, config=strict)
        self._tells = OpenAPI.from_dict(self._description, config=Config(spec_validator_cls=None))

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """What is wrong with a request to an API at ``base``."""
        try:
            self._asks.validate_request(RequestsOpenAPIRequest(self._moved(request, base)))
        except OpenAPIError as error:
            return [_words(error)]
        return list(self._unknown(request, base))

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """What is wrong with the answer to one."""
        try:
            self._tells.validate_response(
                RequestsOpenAPIRequest(self._moved(answer.request, base)), RequestsOpenAPIResponse(answer)
            )
        except OpenAPIError as error:
            return [_words(error)]
        return []

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """The description's name of what was asked."""
        return str(self._operation(request, base)["operationId"])

    def _operation(self, request: requests.PreparedRequest, base: str) -> Mapping[str, Any]:
        """What the description says of the call."""
        path = urlsplit(self._moved(request, base).url or "").path.removeprefix(urlsplit(self._server).path)
        for template, methods in sorted(self._description["paths"].items(), key=lambda one: one[0].count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                operation: Mapping[str, Any] = methods[str(request.method).lower()]
                return operation
        raise LookupError(f"{path} is not described")

    def _unknown(self, request: requests.PreparedRequest, base: str) -> Iterator[str]:
        """Names in the query or in a form that the call does not have; openapi-core reads past them."""
        operation = self._operation(request, base)
        listed = [self._resolved(one) for one in operation.get("parameters", [])]
        known = {one["name"] for one in listed if one["in"] == "query"}
        given = {name for name, _ in parse_qsl(urlsplit(request.url or "").query, keep_blank_values=True)}
        yield from (f"the call has no parameter {name}" for name in sorted(given - known))
        parts = set(re.findall(PART, request.body)) if isinstance(request.body, bytes) else set()
        if parts:
            form = self._resolved(operation["requestBody"]["content"]["multipart/form-data"]["schema"])
            yield from (
                f"the form has no part {name.decode()}" for name in parts if name.decode() not in form["properties"]
            )

    def _resolved(self, place: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference into the document stands for."""
        found: Any = place
        if "$ref" in place:
            found = self._description
            for name in place["$ref"].removeprefix("#/").split("/"):
                found = found[name]
        return found  # type: ignore[no-any-return]  # a document holds what it holds

    def _moved(self, request: requests.PreparedRequest, base: str) -> requests.PreparedRequest:
        """The same request at the address that the description names."""
        moved = request.copy()
        assert str(moved.url).startswith(base), f"{moved.url} is not below {base}"
        moved.url = self._server + str(moved.url).removeprefix(base)
        headers: Mapping[str, Any] = moved.headers
        native = {name: str(one, "latin-1") if isinstance(one, bytes) else one for name, one in headers.items()}
        moved.headers.update(native)  # signing leaves bytes behind
        return moved


def _open_to_all(description: Mapping[str, Any]) -> dict[str, Any]:
    """The description without its security, of which openapi-core knows but a part."""
    paths = {
        path: {name: _without_security(one) for name, one in methods.items()}
        for path, methods in description["paths"].items()
    }
    return {**_without_security(description), "paths": paths}


def _without_security(value: Any) -> Any:
    return {name: one for name, one in value.items() if name != "security"} if isinstance(value, dict) else value


def _words(error: OpenAPIError) -> str:
    causes = [str(cause) for cause in getattr(error.__cause__, "schema_errors", ())]
    return " | ".join([type(error).__name__, str(error)[:1000], *(cause[:600] for cause in causes)])
