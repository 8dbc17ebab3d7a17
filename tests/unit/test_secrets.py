"""Secrets lie elsewhere, are read when they are needed, and show in nothing that is printed or stored."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter, ValidationError

from reverberate import secrets
from reverberate.secrets import KINDS, VAULT, Secret, SecretMissing
from support.plugins import ToySettings

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-3f9d2c71e5b8"


@pytest.fixture(params=KINDS)
def secret(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Secret:
    """A reference of each kind to the canary, with the line end that files and programs have."""
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\r\n", encoding="utf-8")
    monkeypatch.setenv("TOKEN", CANARY)
    places = {"env": "TOKEN", "file": str(path), "command": f"cat '{path}'"}
    return Secret(request.param, places[request.param])


def missing(kind: str, place: str) -> SecretMissing:
    with pytest.raises(SecretMissing) as raised:
        Secret(kind, place).reveal()
    return raised.value


def test_it_is_revealed_without_its_line_end(secret: Secret) -> None:
    assert secret.reveal() == CANARY


def test_it_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner who changes a token need not restart."""
    token = Secret("env", "TOKEN")
    for value in ("old", "new"):
        monkeypatch.setenv("TOKEN", value)
        assert token.reveal() == value


def test_spaces_within_it_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" two words \n\n", encoding="utf-8")

    assert Secret("file", str(tmp_path / "token")).reveal() == " two words "


def test_a_file_may_lie_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text(CANARY, encoding="utf-8")

    assert Secret("file", "~/token").reveal() == CANARY


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    Secret("command", f"echo x > {tmp_path}/made; $(touch {tmp_path}/made)").reveal()

    assert list(tmp_path.iterdir()) == []


class TestMissing:
    """One line: which, and why. Nothing chained to it tells more."""

    @pytest.mark.parametrize(
        ("kind", "place", "words"),
        [
            ("env", "NO_SUCH_VARIABLE", "the environment variable NO_SUCH_VARIABLE is not set"),
            ("env", "EMPTY", "{ env = 'EMPTY' } is empty"),
            ("file", "/no/such/file", "cannot read the secret file /no/such/file: No such file or directory"),
            ("file", "/", "cannot read the secret file /: Is a directory"),
            ("file", "/dev/null", "{ file = '/dev/null' } is empty"),
            ("file", "~no-such-user/token", "cannot read the secret file ~no-such-user/token: "),
            ("file", "a\0b", "cannot read the secret file "),
            ("command", "no-such-program-here", "the secret command cannot be run: FileNotFoundError"),
            ("command", "/", "the secret command cannot be run: PermissionError"),
            ("command", "echo 'open", "the secret command cannot be run: ValueError"),
            ("command", "  ", "the secret command cannot be run: "),
            ("command", "false", "the secret command ended with status 1"),
            ("command", "true", "{ command = ... } is empty"),
        ],
    )
    def test_it_says_which_and_why(self, kind: str, place: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMPTY", "\n")
        found = str(missing(kind, place))

        assert found.startswith(words)
        assert len(found.splitlines()) == 1

    def test_a_command_that_does_not_end_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.05)

        assert "TimeoutExpired" in str(missing("command", "sleep 9"))

    @pytest.mark.parametrize(
        "command",
        [f"no-such-program {CANARY}", f"echo '{CANARY}", f"sh -c 'echo {CANARY}; echo {CANARY} >&2; exit 3'"],
    )
    def test_a_command_s_words_and_output_are_not_told(self, command: str) -> None:
        """``{ command = "echo SECRET" }`` is somebody's config, and programs print what they like."""
        assert CANARY not in everything(missing("command", command))

    @pytest.mark.parametrize("kind", ["file", "command"])
    def test_what_is_no_text_is_not_told(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_bytes(b"\xff" + CANARY.encode())
        found = missing(kind, str(path) if kind == "file" else f"cat {path}")

        assert CANARY not in everything(found)


def everything(error: BaseException) -> str:
    """All that an error and what is chained to it would print."""
    chained = [one for one in (error.__cause__, error.__context__) if one]
    return " ".join([str(error), repr(error), *map(everything, chained)])


def test_nothing_that_shows_a_reference_shows_the_secret(secret: Secret) -> None:
    """Even after it was revealed: it is kept nowhere."""
    secret.reveal()
    settings = ToySettings(token=secret)
    shown = [
        *(form(value) for form in (repr, str, "{}".format) for value in (secret, settings)),
        *(repr(pickle.dumps(value)) for value in (secret, settings)),
        *(repr(copy.deepcopy(value)) for value in (secret, settings)),
        json.dumps(asdict(secret)),
        str(settings.model_dump()),
        settings.model_dump_json(),
        json.dumps(settings.model_dump(mode="json")),
        repr([getattr(secret, field.name) for field in fields(secret)]),
    ]

    assert [text for text in shown if CANARY in text] == []


def test_a_reference_survives_pickle_and_copy(secret: Secret) -> None:
    for again in (pickle.loads(pickle.dumps(secret)), copy.deepcopy(secret)):  # noqa: S301 - our own value
        assert (again, again.reveal()) == (secret, CANARY)


def test_a_command_may_hold_a_secret_so_str_leaves_it_out() -> None:
    assert str(Secret("command", f"echo {CANARY}")) == "{ command = ... }"
    assert CANARY not in repr(Secret("command", f"echo {CANARY}"))


class TestParse:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_reference_is_a_table_of_one(self, kind: str) -> None:
        parsed = Secret.parse({kind: "place"})

        assert parsed == Secret(kind, "place") == Secret.parse(parsed)

    @pytest.mark.parametrize(
        "value",
        [
            CANARY,
            {"env": ""},
            {"env": 5},
            {"value": CANARY},
            {CANARY: "env"},
            {"env": "A", "file": CANARY},
            {},
            [CANARY],
            None,
            5,
        ],
    )
    def test_what_is_none_is_not_repeated(self, value: object) -> None:
        """It may be the secret itself, put where its reference belongs."""
        with pytest.raises(ValueError, match="a secret is given by reference") as raised:
            Secret.parse(value)
        with pytest.raises(ValidationError, match="a secret is given by reference") as refused:
            ToySettings.model_validate({"token": value})

        assert CANARY not in everything(raised.value) + everything(refused.value)

    def test_its_json_schema_asks_for_exactly_one_kind(self) -> None:
        schema = TypeAdapter(Secret).json_schema()

        assert [list(one["properties"]) for one in schema["oneOf"]] == [[kind] for kind in (*KINDS, VAULT)]
        assert not any(one["additionalProperties"] for one in schema["oneOf"])
