"""What the steps of a sign-in share: what waits for consent, what the vault keeps, what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from reverberate.errors import Outcome, ReverberateError
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.networks.base import NetworkSettings
    from reverberate.networks.flows import App, Grant

PATIENCE = timedelta(minutes=10)
"""How long an owner may take to consent."""
REFRESH, APP_ID, APP_SECRET = "@refresh", "@client_id", "@client_secret"
"""What the vault keeps beside the settings: no setting has such a name."""


class ConnectError(ReverberateError):
    """The sign-in did not come about; the text says why, and nothing was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that waits for the owner's consent. Keep it in memory, use it once.

    Attributes:
        account: for which account.
        address: what the owner opens.
        redirect: where the vendor sends the owner back, exactly.
        started: when.
        state: what comes back with the owner, and proves that it is this sign-in.
        secret: the PKCE verifier, or the request token's secret.
        app: the app that was made for it, if one was.
    """

    account: str
    address: str
    redirect: str
    started: datetime
    state: str = field(repr=False)
    secret: str = field(default="", repr=False)
    app: App | None = None


def kept_fields(grant: Grant, app: App | None = None) -> dict[str, str]:
    """All that the vault has to keep of a grant."""
    kept = dict(grant.values)
    kept |= {REFRESH: grant.refresh} if grant.refresh else {}
    kept |= {APP_ID: app.client_id, APP_SECRET: app.client_secret} if app else {}
    return {name: value for name, value in kept.items() if value}


def setting(settings: NetworkSettings, name: str) -> str:
    """A setting's own value, "" where there is none. Raises SecretMissing."""
    value = getattr(settings, name, None)
    return value.reveal() if isinstance(value, Secret) else str(value or "")


def needed(settings: NetworkSettings, name: str, account: str) -> str:
    """A setting's value. Raises a ConnectError where there is none."""
    value = setting(settings, name)
    if not value:
        raise ConnectError(
            f"accounts.{account}.{name} is missing", hint="the network's page in docs/networks says where to get it"
        )
    return value


def with_params(address: str, params: Mapping[str, str]) -> str:
    """The address with a query."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(params, quote_via=quote)}"


class explained:  # noqa: N801 - it reads as a word of the language
    """Turns an outcome into a ConnectError; a chained one could carry secrets."""

    def __init__(self, account: str) -> None:
        self._account = account

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Outcome):
            raise ConnectError(f"{self._account} is not connected: {error.words}") from None
        if isinstance(error, ValueError):  # SecretMissing, and oauthlib's own
            raise ConnectError(f"{self._account} is not connected: {error}") from None
