"""Backup and restore: the same rows on either database, and nothing sent twice."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from reverberate.backup import Backup, back_up, opened, restore
from reverberate.config import SourceConfig
from reverberate.errors import Refused, ReverberateError, Unsure
from reverberate.model import Picture, Post, ShareState
from reverberate.schedule import Moment
from reverberate.service import Service
from reverberate.sources.base import Look
from reverberate.store import Store, dump, journal, outbox, pictures, shares, watch
from support.plugins import SOURCES, Box, BoxSettings
from support.world import get, make_accounts, make_config, plan, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reverberate.config import Config
    from reverberate.delivery import Courier
    from support.plugins import Toy


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "reverberate.toml"
    path.write_text("[site]\n", encoding="utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "own.txt").write_text("{{ post.title }}", encoding="utf-8")
    source = SourceConfig(name="blog", type="box", settings=BoxSettings(url="u"), every=timedelta(minutes=5))
    return replace(make_config(["a", "b"]), path=path, sources={"blog": source})


@dataclass
class Lived:
    """A database with shares that are sent, refused and in doubt, by number, and all that comes with them."""

    store: Store
    sent: int
    refused: int
    doubt: int


@pytest.fixture
def lived(store: Store, courier: Callable[..., Courier], toy: type[Toy]) -> Lived:
    toy.settle = timedelta(hours=1)
    toy.script = [Refused("403 no"), Unsure("lost")]
    one, ids = courier("a"), plan(store, accounts=["a"], number=3, title="Zażółć 🎉 'quoted' \"twice\"")
    for share_id in ids:
        one.deliver([share_id])
        assert one.drain(10)
    now = datetime.now(UTC)
    picture = Picture(digest="d" * 64, mime="image/png", width=1, height=1, size=1)
    with store.write() as tx:
        pictures.keep(tx, picture, bytes(range(256)), now=now)
        journal.register_sources(tx, ["blog"], now=now)
    return Lived(store, sent=ids[2], refused=ids[0], doubt=ids[1])


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """A second database."""
    opened_ = Store(f"sqlite:///{tmp_path / 'other.db'}")
    yield opened_
    opened_.close()


def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.read() as tx:
        return {name: list(dump.rows(tx, name)) for name in dump.names()}


def taken(config: Config, source: Store, target: Store, tmp_path: Path, **more: Any) -> Any:
    back_up(config, source, tmp_path / "file")
    with opened(tmp_path / "file") as found:
        return restore(found, config, target, **more)


@pytest.mark.parametrize("way", ["there", "back"])
def test_every_row_comes_back_on_either_database(
    lived: Lived, other: Store, config: Config, tmp_path: Path, way: str
) -> None:
    store = lived.store
    if way == "back":
        taken(config, store, other, tmp_path)
        with store.write() as tx:
            dump.wipe(tx)
    source, target = (store, other) if way == "there" else (other, store)
    before, counted = everything(source), states(source)
    done = taken(config, source, target, tmp_path)
    after = everything(target)

    changed = {"events", "shares", "sources", "switches", "notices", "chores"}
    assert done.rows == {name: len(several) for name, several in before.items()}
    assert {name: rows for name, rows in after.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }
    assert before["pictures"]
    assert before["attempts"]
    assert states(target).get("sent") == counted["sent"] == 1  # the database counted anew, by itself
    plan(target, accounts=["c"])  # new rows are numbered behind the old ones


def test_what_may_have_been_sent_since_is_held_and_never_sent_by_itself(
    lived: Lived, other: Store, config: Config, tmp_path: Path
) -> None:
    store = lived.store
    (due,), (harmless,), (coming,) = (plan(store, accounts=[name]) for name in ("a", "b", "a"))
    later = datetime.now(UTC) + timedelta(days=1)
    with store.write() as tx:
        scheduled = (ShareState.SCHEDULED,)
        assert shares.change(tx, coming, doors=scheduled, to=scheduled[0], now=later, reason="", when=Moment(due=later))
    done = taken(config, store, other, tmp_path, harmless=frozenset({"b"}))

    there = [get(other, one).state.value for one in (lived.sent, lived.refused, lived.doubt, due, harmless, coming)]
    assert there == ["sent", "refused", "held", "held", "unsure", "scheduled"]
    assert done.unsure == 3
    assert "approve it, else cancel it" in get(other, due).reason
    with other.read() as tx:
        assert not outbox.any_untold(tx)
    with other.write() as tx:
        journal.resume(tx, "a", now=datetime.now(UTC))  # a person's hand on the account opens no share's door
    assert get(other, due).wake is None


def test_what_is_new_at_a_source_after_a_restore_is_held_once(
    store: Store, other: Store, config: Config, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with store.write() as tx:
        journal.register_sources(tx, ["blog"], now=now)
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    first, lost, fresh = (Post(url=f"https://blog.example/{n}", title=str(n)) for n in range(3))
    Box.looks = [Look(posts=(first,))]
    service.look("blog")
    back_up(config, store, tmp_path / "file")
    Box.looks = [Look(posts=(first, lost))]
    service.look("blog")  # shared, and then the machine burns down
    assert states(store) == {"scheduled": 2}

    with opened(tmp_path / "file") as found:
        restore(found, config, other)
    again = Service(config, other, make_accounts(config), sources=SOURCES)
    Box.looks = [Look(posts=(first, lost)), Look(posts=(first, lost, fresh))]
    again.look("blog")
    assert states(other) == {"held": 2}
    again.look("blog")
    assert states(other) == {"held": 2, "scheduled": 2}


def test_a_database_in_use_or_in_service_is_not_overwritten(
    store: Store, other: Store, config: Config, tmp_path: Path
) -> None:
    plan(store, accounts=["a"])
    plan(other, accounts=["b"])
    with pytest.raises(ReverberateError, match="not empty"):
        taken(config, store, other, tmp_path)
    with other.write() as tx:
        watch.beat(tx, "host:1", "dispatcher", now=datetime.now(UTC))
    with pytest.raises(ReverberateError, match="dispatcher host:1"):
        taken(config, store, other, tmp_path, force=True)
    with other.write() as tx:
        watch.leave(tx, "host:1")
    taken(config, store, other, tmp_path, force=True)

    with other.read() as tx:
        assert [one.account for one in shares.find(tx)] == ["a"]


def test_templates_come_back_and_none_is_overwritten(
    store: Store, other: Store, config: Config, tmp_path: Path
) -> None:
    back_up(config, store, tmp_path / "file")
    mine, new = config.templates / "own.txt", tmp_path / "elsewhere"
    mine.write_text("newer", encoding="utf-8")
    with opened(tmp_path / "file") as found:
        left = restore(found, config, other).left
        moved = restore(found, replace(config, path=new / "reverberate.toml"), other, force=True).written
        assert found.config.read_text(encoding="utf-8") == "[site]\n"

    assert (left, mine.read_text(encoding="utf-8")) == ((mine,), "newer")
    assert [path.read_text(encoding="utf-8") for path in moved] == ["{{ post.title }}"]


def test_a_sealed_backup_opens_with_its_key_only(store: Store, config: Config, tmp_path: Path) -> None:
    key, stranger = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    file, mine, theirs = tmp_path / "file", tmp_path / "mine", tmp_path / "theirs"
    mine.write_text(f"# made today\n{key}\n", encoding="utf-8")
    theirs.write_text(str(stranger), encoding="utf-8")
    back_up(config, store, file, recipients=[str(key.to_public())])

    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    with opened(file, identity=mine) as found:
        assert isinstance(found, Backup)
    for identity, words in ((None, "sealed with age"), (theirs, "does not open it")):
        with pytest.raises(ReverberateError, match=words), opened(file, identity=identity):
            pass
    with pytest.raises(ReverberateError, match="no recipient"):
        back_up(config, store, file, recipients=["age1nonsense"])


def test_a_damaged_backup_is_refused_before_anything_is_done(store: Store, config: Config, tmp_path: Path) -> None:
    file = tmp_path / "file"
    back_up(config, store, file)
    whole = file.read_bytes()
    for number, data in enumerate((whole[: len(whole) // 2], whole[:200] + b"?" + whole[201:], b"", b"no tar at all")):
        file.write_bytes(data)
        with pytest.raises(ReverberateError, match="no whole backup"), opened(file):
            pytest.fail(f"damage {number} was not seen")


def test_a_member_that_was_changed_or_leads_elsewhere_is_refused(store: Store, config: Config, tmp_path: Path) -> None:
    file = tmp_path / "file"
    back_up(config, store, file)
    with tarfile.open(file) as tar:
        members = [(entry, (tar.extractfile(entry) or io.BytesIO()).read()) for entry in tar]
    for name, data, words in (("config.toml", b"[site]!", "is damaged"), ("../../evil", b"", "no whole backup")):
        with tarfile.open(file, "w:gz") as tar:
            for entry, body in members:
                changed = entry.name == "config.toml"
                one = tarfile.TarInfo(name if changed else entry.name)
                said = data if changed else body
                one.size = len(said)
                tar.addfile(one, io.BytesIO(said))
        with pytest.raises(ReverberateError, match=words), opened(file):
            pass
