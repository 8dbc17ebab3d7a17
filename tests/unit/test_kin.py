"""Mastodon's kin: told apart by nodeinfo, counted and treated as each of them wants it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.errors import Refused, Unsure
from reverberate.model import Message, Picture, Receipt
from reverberate.networks.kin import KIN, kin_of
from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.secrets import Secret
from reverberate.testing import LINK, Asked, Reply, ScriptedServer, a_delivery
from reverberate.text.count import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.model import Delivery

PNG = b"\x89PNG\r\n\x1a\n and the rest"
PICTURES = tuple(
    Picture(digest=f"{n}" * 64, mime="image/png", width=64, height=48, size=len(PNG), alt="w" * 2000) for n in range(8)
)


class Server(ScriptedServer):
    """A server of some software, which takes everything."""

    def __init__(self, software: str, instance: dict[str, Any]) -> None:
        super().__init__(self.answered)
        self.software, self.instance = software, instance

    def answered(self, asked: Asked) -> Reply:
        links = [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": "https://elsewhere.example/ni/2.0"}]
        told: dict[str, Any] = {
            "/.well-known/nodeinfo": {"links": links},
            "/ni/2.0": {"software": {"name": self.software, "version": "1"}},
            "/api/v1/instance": self.instance,
            "/api/v1/accounts/verify_credentials": {"id": "7", "acct": "alice"},
            "/api/v2/media": {"id": "22", "url": "https://x.example/22.png"},
            "/api/v1/statuses": {"id": "1", "url": "https://x.example/1"},
            "/api/v1/statuses/1": {"id": "1", "favourites_count": 3, "reblogs_count": 2, "replies_count": 1},
        }
        if asked.target not in told:
            return Reply(status=404, body=b'{"error": "Record not found"}')
        return Reply(body=json.dumps(told[asked.target]).encode())

    def posted(self) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.target) == ("POST", "/api/v1/statuses")]

    def uploads(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.target == "/api/v2/media"]


Made = tuple[Server, Mastodon]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Made]]:
    """A server and our account there."""
    running: list[Server] = []
    monkeypatch.setenv("KIN_TOKEN", "a-token")

    def make(software: str, instance: dict[str, Any] | None = None, **settings: Any) -> Made:
        server = Server(software, instance or {})
        server.__enter__()
        running.append(server)
        given = {"instance": server.url, "access_token": Secret("env", "KIN_TOKEN")} | settings
        return server, Mastodon("fedi", MastodonSettings(**given))

    yield make
    for server in running:
        server.__exit__()


def delivery(**message: Any) -> Delivery:
    said = Message(parts=(f"A post, in short: {LINK}",), link=LINK, **message)
    return replace(a_delivery(), message=said, load=lambda _digest: PNG)


@pytest.mark.parametrize("software", KIN)
def test_each_is_told_apart_and_says_so(software: str, made: Callable[..., Made]) -> None:
    _, network = made(software)

    (note,) = network.verify().notes

    assert note.startswith(f"{KIN[software].title}; ")


@pytest.mark.parametrize("software", KIN)
def test_each_row_has_a_source_and_a_limit_with_one(software: str) -> None:
    assert KIN[software].source
    assert KIN[software].limit.source


def test_whoever_is_not_known_is_taken_for_mastodon_and_believed(made: Callable[..., Made]) -> None:
    told = {"configuration": {"statuses": {"max_characters": 3000, "characters_reserved_per_url": 30}}}
    _, network = made("somethingelse", told)

    limit = network.live_limit()

    assert (limit.maximum, limit.link, limit.unit) == (3000, 30, kin_of("mastodon").limit.unit)


@pytest.mark.parametrize("software", ["gotosocial", "takahe"])
def test_a_link_counts_whole_where_it_does_whatever_the_server_says(software: str, made: Callable[..., Made]) -> None:
    told = {"max_characters": 900, "characters_reserved_per_url": 25}
    _, network = made(software, {"configuration": {"statuses": told}})

    limit = network.live_limit()

    assert limit.maximum == 900
    assert count(f"a {LINK}", limit) == len(f"a {LINK}")


def test_pleroma_tells_its_limit_in_its_own_word(made: Callable[..., Made]) -> None:
    _, network = made("pleroma", {"max_toot_chars": 7000})
    assert network.live_limit().maximum == 7000


def test_the_software_is_asked_for_once(made: Callable[..., Made]) -> None:
    server, network = made("pleroma")
    for serial in (1, 2):
        network.send(replace(delivery(), key=f"key-{serial}"))
    network.live_limit()

    assert [asked.target for asked in server.asked].count("/ni/2.0") == 1


def test_a_key_goes_to_all_but_those_that_take_a_repeat_for_an_error(made: Callable[..., Made]) -> None:
    for software, kin in KIN.items():
        server, network = made(software)
        network.send(delivery(pictures=PICTURES[:1]))

        (asked,) = server.posted()
        assert ("idempotency-key" in asked.headers) == kin.sends_key


def test_pixelfed_takes_nothing_without_a_picture(made: Callable[..., Made]) -> None:
    server, network = made("pixelfed")
    with pytest.raises(Refused, match='picture = "attach"'):
        network.send(delivery())

    assert server.posted() == []


def test_no_more_pictures_than_the_server_takes_and_no_longer_words(made: Callable[..., Made]) -> None:
    told = {"statuses": {"max_media_attachments": 2}, "media_attachments": {"description_limit": 100}}
    server, network = made("mastodon", {"configuration": told})
    network.send(delivery(pictures=PICTURES))

    assert len(server.uploads()) == 2
    assert all(b"w" * 100 in asked.body and b"w" * 101 not in asked.body for asked in server.uploads())


def test_a_picture_that_is_too_large_there_is_left_out(made: Callable[..., Made]) -> None:
    told = {"media_attachments": {"image_size_limit": len(PNG) - 1}}
    server, network = made("mastodon", {"configuration": told})
    network.send(delivery(pictures=PICTURES))

    assert server.uploads() == []
    assert len(server.posted()) == 1


def test_a_content_warning_goes_before_the_text(made: Callable[..., Made]) -> None:
    server, network = made("mastodon", visibility="unlisted")
    network.send(delivery(warning="Film spoilers", language="de-AT"))

    sent = json.loads(server.posted()[0].body)
    assert (sent["spoiler_text"], sent["sensitive"]) == ("Film spoilers", True)
    assert (sent["visibility"], sent["language"]) == ("unlisted", "de")


@pytest.mark.parametrize("software", [name for name, kin in KIN.items() if not kin.deletes])
def test_what_cannot_delete_is_not_believed_to_have_deleted(software: str, made: Callable[..., Made]) -> None:
    server, network = made(software)
    with pytest.raises(Refused, match=KIN[software].title):
        network.delete(delivery(), Receipt(remote_id="1"))

    assert not any(asked.method == "DELETE" for asked in server.asked)


@pytest.mark.parametrize("software", [name for name, kin in KIN.items() if not kin.edits])
def test_what_cannot_edit_is_not_asked_to(software: str, made: Callable[..., Made]) -> None:
    server, network = made(software)
    with pytest.raises(Refused, match=KIN[software].title):
        network.edit(delivery(), Receipt(remote_id="1"))

    assert not any(asked.method == "PUT" for asked in server.asked)


def test_a_visibility_that_is_not_kept_is_told_beforehand(made: Callable[..., Made]) -> None:
    _, network = made("snac", visibility="unlisted")
    assert "unlisted" in network.verify().troubles[0]
    assert made("mastodon", visibility="unlisted")[1].verify().troubles == ()


def test_reactions_are_counted(made: Callable[..., Made]) -> None:
    _, network = made("mastodon")
    reactions = network.reactions(Receipt(remote_id="1"))

    assert (reactions.likes, reactions.reposts, reactions.replies) == (3, 2, 1)


def test_a_server_without_nodeinfo_is_taken_for_mastodon(made: Callable[..., Made]) -> None:
    _, network = made("")
    assert network.live_limit().unit == kin_of("mastodon").limit.unit


def test_a_lost_answer_stays_unsure_where_there_is_no_key(made: Callable[..., Made]) -> None:
    server, network = made("snac")
    server.script.append(Reply(cut=0))
    with pytest.raises(Unsure):
        network.send(delivery())


def test_the_docs_name_each_and_its_limit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "networks" / "mastodon.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"(?s)## Kin\n.*?## ", page)
    for kin in KIN.values():
        (row,) = [line for line in table.splitlines() if re.match(rf"\|[^|]*\b{kin.title}\b", line)]
        cannot = row.split("|")[4]
        assert ("edit" in cannot, "delete" in cannot) == (not kin.edits, not kin.deletes)
        assert (f"{kin.limit.maximum:,}" in row) or kin.limit.link is not None or kin.title == "Friendica"
