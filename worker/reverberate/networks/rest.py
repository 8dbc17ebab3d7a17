"""Networks of the usual shape: one API below one address, asked with a token, whose posts have an id.

Such a network's settings name ``api_base``, usually ``access_token``, and, where people read it elsewhere, ``web_base``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from reverberate.baton import lent
from reverberate.errors import Unsure
from reverberate.model import Receipt
from reverberate.networks.answers import json_object, read_list, read_object
from reverberate.networks.base import Network, NetworkSettings
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests
    from requests_oauthlib import OAuth1


class AppSettings(NetworkSettings):
    """Of a network that is connected by an app of the owner's own (OAuth 2)."""

    client_id: str = Field(default="", description="Your app's id; only `connect` needs it.")
    client_secret: Secret | None = Field(default=None, description="Your app's secret; only `connect` needs it.")


class REST(Network):
    """A network with one API.

    Class attributes:
        prefix: what stands between ``api_base`` and each path.
        bearer: the setting whose secret says who asks; "" where no header says it.
    """

    prefix: ClassVar[str] = ""
    bearer: ClassVar[str] = "access_token"

    def proof(self) -> Mapping[str, str]:
        """The headers that say who asks."""
        return {"Authorization": f"Bearer {getattr(self.settings, self.bearer).reveal()}"} if self.bearer else {}

    def root(self) -> str:
        """The address below which all paths lie."""
        return str(self.settings.api_base).rstrip("/") + self.prefix

    def api(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """One call of the API; ``more`` as requests takes it. Raises as ``Network.call``."""
        return self.call(method, self.root() + path, headers={**self.proof(), **(headers or {})}, **more)

    def read(self, path: str, **params: str) -> Mapping[str, Any]:
        """The object that a GET answers. Raises as ``api``, and Transient for what cannot be read."""
        return read_object(self.api("GET", path, params=params))

    def listed(self, path: str, **params: str) -> list[Any]:
        """The list that a GET answers. Raises as ``read``."""
        return read_list(self.api("GET", path, params=params))

    def write(self, method: str, path: str, **more: Any) -> Mapping[str, Any]:
        """The object that a write answers. Raises as ``api``, and Unsure for what cannot be read."""
        return json_object(self.api(method, path, **more))

    def receipt(self, remote_id: object, place: str) -> Receipt:
        """The receipt of a post; ``place`` is its address, what follows ``web_base`` in that, or "" where it has none.

        Raises:
            Unsure: there is no id, though the answer was a success.
        """
        if not remote_id:
            raise Unsure(f"{self.title} answered with success and without the post's id")
        whole = f"{self.settings.web_base.rstrip('/')}{place}" if place.startswith("/") else place
        return Receipt(remote_id=str(remote_id), permalink=whole)


def oauth1(settings: Any) -> OAuth1:
    """What signs a request by OAuth 1.0a, with the account's four keys as they are now."""
    with lent():  # the first imports, and all others wait for that
        from requests_oauthlib import OAuth1  # noqa: PLC0415 - slow to import, and only sending needs it

    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    return OAuth1(*(getattr(settings, name).reveal() for name in names))
