"""What is sealed opens for its place alone, and its key is for its owner's eyes alone."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate import vault
from reverberate.secrets import Secret
from reverberate.vault import Keyring, Sealed, VaultError, key_id, key_place, new_key, read_keys, write_keys

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-3f9d2c71e5b8"
RING = Keyring((new_key(),))


def refused(ring: Keyring, account: str, name: str, sealed: Sealed) -> str:
    with pytest.raises(VaultError) as raised:
        ring.open(account, name, sealed)
    assert CANARY not in f"{raised.value}{raised.value.__context__!r}{raised.value.__cause__!r}"
    return str(raised.value)


@given(st.text(), st.text(), st.text())
def test_what_is_sealed_opens_again(account: str, name: str, secret: str) -> None:
    ring = Keyring((b"\7" * 32,))

    assert ring.open(account, name, ring.seal(account, name, secret)) == secret


def test_the_same_secret_is_never_sealed_alike() -> None:
    assert len({RING.seal("a", "token", CANARY).data for _ in range(50)}) == 50


def test_the_secret_is_in_no_byte_of_it() -> None:
    sealed = RING.seal("a", "token", CANARY)

    assert CANARY.encode() not in sealed.data
    assert CANARY not in f"{sealed!r}{RING!r}"
    assert str(RING.keys[0]) not in repr(RING)


@pytest.mark.parametrize(
    ("account", "name"), [("b", "access_token"), ("a", "access_token_secret"), ("A", "access_token")]
)
def test_a_row_that_was_moved_does_not_open(account: str, name: str) -> None:
    assert "was changed or moved" in refused(RING, account, name, RING.seal("a", "access_token", CANARY))


def test_no_byte_can_be_changed() -> None:
    sealed = RING.seal("a", "token", CANARY)
    for place in range(len(sealed.data)):
        changed = bytearray(sealed.data)
        changed[place] ^= 1
        assert "was changed or moved" in refused(RING, "a", "token", replace(sealed, data=bytes(changed)))


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_row_that_was_cut_does_not_open(length: int) -> None:
    sealed = RING.seal("a", "token", CANARY)

    assert "was changed or moved" in refused(RING, "a", "token", replace(sealed, data=sealed.data[:length]))


def test_another_key_does_not_open_it() -> None:
    sealed = RING.seal("a", "token", CANARY)
    other = Keyring((new_key(),))

    assert f"sealed under key {RING.newest}, which is not here" in refused(other, "a", "token", sealed)
    assert "was changed or moved" in refused(other, "a", "token", replace(sealed, key=other.newest))


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = new_key(), new_key()
    before = Keyring((old,)).seal("a", "token", CANARY)
    ring = Keyring((new, old))

    assert ring.open("a", "token", before) == CANARY
    assert ring.seal("a", "token", CANARY).key == key_id(new)


class TestTheKeyFile:
    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "vault.key"
        keys = (new_key(), new_key())
        write_keys(path, keys)

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert read_keys(path).keys == keys
        assert [one.name for one in path.parent.iterdir()] == ["vault.key"]

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644, 0o610])
    def test_it_is_refused_when_others_can_touch_it(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "vault.key"
        write_keys(path, [new_key()])
        path.chmod(mode)

        with pytest.raises(VaultError, match=rf"others can read .* \(mode 0{mode:o}\) \(chmod 600 "):
            read_keys(path)

    @pytest.mark.parametrize("content", [b"", b"# nothing\n", b"not base64!", b"c2hvcnQ=", b"\xff\xfe", b"A" * 43])
    def test_what_is_no_key_is_refused_and_not_repeated(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "vault.key"
        path.write_bytes(content)
        path.chmod(0o600)

        with pytest.raises(VaultError) as raised:
            read_keys(path)
        assert "c2hvcnQ=" not in str(raised.value)
        assert str(path) in str(raised.value)

    def test_a_missing_one_says_how_to_make_it(self, tmp_path: Path) -> None:
        with pytest.raises(VaultError, match="reverberate vault init"):
            read_keys(tmp_path / "vault.key")


class TestWhereTheKeyIs:
    @pytest.fixture(autouse=True)
    def _bare(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in (vault.VARIABLE, f"{vault.VARIABLE}_FILE", "CREDENTIALS_DIRECTORY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def test_by_default_it_is_among_the_user_s_own_settings(self, tmp_path: Path) -> None:
        assert key_place().path == tmp_path / "config" / "reverberate" / "vault.key"

    def test_systemd_s_credentials_go_before_that(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_keys(tmp_path / "vault.key", [new_key()])
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

        assert key_place().path == tmp_path / "vault.key"

    def test_a_named_file_goes_before_that(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        monkeypatch.setenv(f"{vault.VARIABLE}_FILE", str(tmp_path / "named"))

        assert key_place().path == tmp_path / "named"

    def test_a_key_in_the_environment_goes_before_that(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(vault.VARIABLE, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")
        place = key_place()

        assert (place.path, place.read().keys) == (None, (b"\7" * 32,))

    def test_the_config_goes_before_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(vault.VARIABLE, "nonsense")
        monkeypatch.setenv("MINE", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")

        assert key_place(Secret("env", "MINE")).read().keys == (b"\7" * 32,)
        assert key_place(Secret("file", str(tmp_path / "k"))).path == tmp_path / "k"

    def test_a_reference_that_leads_nowhere_is_the_vault_s_trouble(self) -> None:
        with pytest.raises(VaultError, match="NO_SUCH_VARIABLE is not set"):
            key_place(Secret("env", "NO_SUCH_VARIABLE")).read()
