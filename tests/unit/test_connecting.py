"""A sign-in, step by step: only the one that was begun is finished, once, in time, and nothing of it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from reverberate import connecting
from reverberate.connecting import Begun, ConnectError
from reverberate.connector import Pending
from reverberate.errors import Unauthorised
from reverberate.http import Session
from reverberate.networks.bluesky import Bluesky, BlueskySettings
from reverberate.networks.flows import Ended, Grant, OAuth1Flow, OAuth2Flow
from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.networks.twitter import Twitter, TwitterSettings
from reverberate.secrets import VAULT, Secret
from reverberate.testing import CANARY, Asked, Reply, ScriptedServer
from support.provider import Club, ClubSettings, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:8641/callback"
KEPT = Secret(VAULT, "")


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as made:
        yield made


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("APP_SECRET", "app-secret")
    with Provider() as running:
        yield running


@pytest.fixture
def settings(provider: Provider) -> ClubSettings:
    return ClubSettings(base=provider.url, client_secret=Secret("env", "APP_SECRET"), access_token=KEPT)


def begin(settings: ClubSettings, session: Session) -> Begun:
    return connecting.start(Club.flow(settings), settings, account="club", redirect=REDIRECT, session=session, now=NOW)


def refused(settings: ClubSettings, session: Session, begun: Begun, address: str, *, now: datetime = NOW) -> str:
    with pytest.raises(ConnectError) as raised:
        connecting.finish(Club.flow(settings), settings, begun, connecting.pasted(address), session=session, now=now)
    return str(raised.value)


def finished(settings: ClubSettings, session: Session, begun: Begun, address: str) -> Grant:
    params = connecting.pasted(address)
    return connecting.finish(Club.flow(settings), settings, begun, params, session=session, now=NOW)


class TestOAuth2:
    def test_it_asks_for_what_the_flow_says_and_no_more(self, settings: ClubSettings, session: Session) -> None:
        begun = begin(settings, session)
        asked = dict(parse_qsl(urlsplit(begun.address).query))

        assert asked["scope"] == "post read"
        assert asked["redirect_uri"] == REDIRECT
        assert asked["code_challenge_method"] == "S256"
        assert begun.secret not in begun.address

    def test_no_two_sign_ins_are_alike(self, settings: ClubSettings, session: Session) -> None:
        many = [begin(settings, session) for _ in range(20)]

        assert len({one.state for one in many}) == len({one.secret for one in many}) == 20
        assert all(len(one.state) >= 43 and len(one.secret) >= 43 for one in many)

    def test_consent_becomes_a_grant(self, settings: ClubSettings, session: Session, provider: Provider) -> None:
        begun = begin(settings, session)
        grant = finished(settings, session, begun, provider.consent(begun.address))

        assert provider.good(grant.values["access_token"])
        assert grant.refresh
        assert grant.expires == NOW + timedelta(hours=1)

    @pytest.mark.parametrize("form", ["{}", "  {}\n", "?{q}", "{q}"])
    def test_the_address_may_be_pasted(
        self, settings: ClubSettings, session: Session, provider: Provider, form: str
    ) -> None:
        begun = begin(settings, session)
        address = provider.consent(begun.address)
        text = form.format(address, q=urlsplit(address).query)

        assert finished(settings, session, begun, text).values

    def test_an_answer_to_another_sign_in_is_refused(
        self, settings: ClubSettings, session: Session, provider: Provider
    ) -> None:
        mine, other = begin(settings, session), begin(settings, session)
        words = refused(settings, session, mine, provider.consent(other.address))

        assert "belongs to another sign-in" in words
        assert provider.codes, "the code was not even sent"

    def test_an_answer_without_state_is_refused(
        self, settings: ClubSettings, session: Session, provider: Provider
    ) -> None:
        begun = begin(settings, session)
        address = provider.consent(begun.address).replace(begun.state, "")

        assert "belongs to another sign-in" in refused(settings, session, begun, address)

    def test_another_s_verifier_does_not_fit(
        self, settings: ClubSettings, session: Session, provider: Provider
    ) -> None:
        begun = begin(settings, session)
        stolen = replace(begun, secret="x" * 64)

        assert "invalid_grant" in refused(settings, session, stolen, provider.consent(begun.address))

    def test_a_code_works_once(self, settings: ClubSettings, session: Session, provider: Provider) -> None:
        begun = begin(settings, session)
        address = provider.consent(begun.address)
        finished(settings, session, begun, address)

        assert "invalid_grant" in refused(settings, session, begun, address)

    def test_it_is_over_after_ten_minutes(self, settings: ClubSettings, session: Session, provider: Provider) -> None:
        begun = begin(settings, session)
        late = NOW + timedelta(minutes=10, seconds=1)

        assert "longer than 10 minutes" in refused(settings, session, begun, provider.consent(begun.address), now=late)

    def test_an_owner_s_no_is_told(self, settings: ClubSettings, session: Session) -> None:
        begun = begin(settings, session)
        address = f"{REDIRECT}?error=access_denied&error_description=You+said+no&state={begun.state}"

        assert refused(settings, session, begun, address) == "club is not connected: You said no"

    def test_the_words_of_a_stranger_are_not_told(self, settings: ClubSettings, session: Session) -> None:
        begun = begin(settings, session)

        assert "fake" not in refused(settings, session, begun, f"{REDIRECT}?error=x&error_description=fake")

    def test_a_missing_key_of_the_app_is_named(self, settings: ClubSettings, session: Session) -> None:
        bare = settings.model_copy(update={"client_id": ""})
        with pytest.raises(ConnectError, match=r"accounts\.club\.client_id is missing"):
            begin(bare, session)

    def test_nothing_of_it_shows(self, settings: ClubSettings, session: Session, provider: Provider) -> None:
        begun = begin(settings, session)
        grant = finished(settings, session, begun, provider.consent(begun.address))
        shown = repr((begun, grant))

        assert not any(secret in shown for secret in (begun.secret, grant.refresh, *grant.values.values()))

    def test_a_refresh_token_is_kept_where_no_new_one_comes(self, settings: ClubSettings, session: Session) -> None:
        answer = Reply(body=b'{"access_token": "new", "expires_in": 60}')
        with ScriptedServer(lambda _: answer) as server:
            here = settings.model_copy(update={"base": server.url})
            kept = {"access_token": "old", connecting.REFRESH: "stays"}
            grant = connecting.refresh(Club.flow(here), here, kept, session=session, now=NOW)

        assert (grant.values, grant.refresh) == ({"access_token": "new"}, "stays")

    def test_what_is_kept_shows_in_no_refusal(self, settings: ClubSettings, session: Session) -> None:
        answer = Reply(status=400, body=b'{"error": "invalid_grant", "error_description": "%s"}' % CANARY.encode())
        with ScriptedServer(lambda _: answer) as server:
            here = settings.model_copy(update={"base": server.url})
            with pytest.raises(Ended) as raised:
                connecting.refresh(Club.flow(here), here, {connecting.REFRESH: CANARY}, session=session, now=NOW)

        assert raised.value.words == "400 ***"


def test_a_sign_in_that_waits_is_taken_once(settings: ClubSettings, session: Session) -> None:
    waiting, begun = Pending(), begin(settings, session)
    waiting.put(begun, now=NOW)

    assert waiting.take({"state": begun.state}) is begun
    with pytest.raises(ConnectError, match="no sign-in waits"):
        waiting.take({"state": begun.state})


def test_what_waits_too_long_is_forgotten(settings: ClubSettings, session: Session) -> None:
    waiting, old = Pending(), begin(settings, session)
    waiting.put(old, now=NOW)
    waiting.put(begin(settings, session), now=NOW + timedelta(minutes=11))

    with pytest.raises(ConnectError):
        waiting.take({"state": old.state})


def test_mastodon_makes_an_app_on_the_owner_s_server(session: Session) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        seen.append(asked)
        if asked.target == "/api/v1/apps":
            return Reply(body=b'{"client_id": "made", "client_secret": "made-secret"}')
        return Reply(body=b'{"access_token": "t", "token_type": "Bearer", "scope": "read write"}')

    with ScriptedServer(answer) as server:
        settings = MastodonSettings(instance=server.url, access_token=KEPT)
        flow = Mastodon.flow(settings)
        begun = connecting.start(flow, settings, account="fedi", redirect=REDIRECT, session=session, now=NOW)
        params = {"code": "c", "state": begun.state}
        grant = connecting.finish(flow, settings, begun, params, session=session, now=NOW)
        kept = connecting.kept_fields(grant, begun.app)
        assert connecting.revoke(flow, settings, kept, session=session)

    forms = [dict(parse_qsl(one.body.decode())) for one in seen]
    assert forms[0]["redirect_uris"] == REDIRECT
    assert "client_id=made" in begun.address
    assert (forms[1]["client_id"], forms[1]["client_secret"]) == ("made", "made-secret")
    assert (forms[2]["token"], forms[2]["client_id"]) == ("t", "made")
    assert grant.expires is None


def test_bluesky_asks_for_an_app_password() -> None:
    flow = Bluesky.flow(BlueskySettings(handle="me.example", app_password=KEPT))

    assert [ask.setting for ask in flow.asks] == ["app_password"]
    assert "me.example" in flow.where


def test_a_second_token_that_ended_with_the_first_is_no_trouble(settings: ClubSettings, session: Session) -> None:
    """Revoking a refresh token ends its access token at many vendors, who then call that one unknown."""
    answers = iter([Reply(), Reply(status=400, body=b'{"error": "invalid_token"}')])
    with ScriptedServer(lambda _: next(answers)) as server:
        here = settings.model_copy(update={"base": server.url})
        kept = {"access_token": "a", connecting.REFRESH: "r"}

        assert connecting.revoke(Club.flow(here), here, kept, session=session)


class TestTwitter:
    def settings(self, **more: object) -> TwitterSettings:
        return TwitterSettings(access_token=KEPT, **more)  # type: ignore[arg-type]  # the test's own shorthand

    def test_a_consumer_key_means_oauth_1(self) -> None:
        flow = Twitter.flow(self.settings(consumer_key=KEPT, consumer_secret=KEPT, access_token_secret=KEPT))

        assert isinstance(flow, OAuth1Flow)
        assert flow.request_url == "https://api.x.com/oauth/request_token"

    def test_a_client_id_means_oauth_2(self) -> None:
        flow = Twitter.flow(self.settings(client_id="c"))

        assert isinstance(flow, OAuth2Flow)
        assert flow.client == "public"
        assert {"offline.access", "tweet.write"} <= set(flow.scopes)

    def test_a_confidential_app_proves_itself_in_the_header(self) -> None:
        flow = Twitter.flow(self.settings(client_id="c", client_secret=KEPT))

        assert isinstance(flow, OAuth2Flow)
        assert flow.client == "basic"

    def test_both_ways_at_once_are_refused(self) -> None:
        with pytest.raises(ValueError, match="exclude each other"):
            self.settings(client_id="c", consumer_key=KEPT)

    def test_neither_way_is_refused(self) -> None:
        with pytest.raises(ValueError, match="consumer_key is missing; or give a client_id"):
            self.settings()


def test_a_refusal_of_the_vendor_s_own_step_is_told(session: Session) -> None:
    def no(_session: Session, _grant: Grant) -> Grant:
        raise Unauthorised("not you")

    with ScriptedServer(lambda _: Reply(body=b'{"access_token": "t"}')) as server:
        flow = OAuth2Flow(authorize_url=server.url, token_url=server.url, client="public", settle=no)
        settings = ClubSettings(base="", client_secret=KEPT, access_token=KEPT)
        begun = connecting.start(flow, settings, account="club", redirect=REDIRECT, session=session, now=NOW)
        with pytest.raises(ConnectError, match="club is not connected: not you"):
            connecting.finish(flow, settings, begun, {"code": "c", "state": begun.state}, session=session, now=NOW)
