"""Secrets by reference: the config says where a secret lies, never what it is."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from reverberate.masks import hide

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

KINDS = ("env", "file", "command")
VAULT = "vault"
"""The kind of what ``reverberate connect`` brought."""
COMMAND_SECONDS = 10


class SecretMissing(ValueError):
    """A reference leads nowhere. The text says which, and what to do; it never holds a secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret: ``{ env = "NAME" }``, ``{ file = "/path" }`` or ``{ command = "pass show x" }``.

    The value is read anew at each ``reveal()``, kept nowhere, and in no repr. ``{ vault = true }`` is what
    ``reverberate connect`` brought; it can be revealed once it is bound to its account (``Bound``).
    """

    kind: str
    place: str

    def reveal(self) -> str:
        """The secret itself, without trailing line ends.

        Raises:
            SecretMissing: the variable, the file or the command's output is not there.
        """
        value = getattr(self, f"_from_{self.kind}")().rstrip("\r\n")
        if not value:
            raise SecretMissing(f"{self} is empty")
        hide(str(value))
        return str(value)

    def _from_env(self) -> str:
        if self.place not in os.environ:
            raise SecretMissing(f"the environment variable {self.place} is not set")
        return os.environ[self.place]

    def _from_file(self) -> str:
        try:
            return Path(self.place).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError, RuntimeError) as error:  # the last: whose home is meant is not known
            why = _why(error)
        # out here, for a chained error would hold the bytes
        raise SecretMissing(f"cannot read the secret file {self.place}: {why}")

    def _from_command(self) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - running the owner's own command is the feature; no shell is involved
                shlex.split(self.place), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
            )
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:  # IndexError: nothing but spaces
            trouble = f"cannot be run: {type(error).__name__}"
        else:
            if done.returncode == 0:
                return done.stdout
            trouble = f"ended with status {done.returncode}"
        raise SecretMissing(f"the secret command {trouble}")  # out here, for the chained error would hold its output

    def _from_vault(self) -> str:
        raise SecretMissing("it lies in the vault, which is opened for accounts only")

    def __str__(self) -> str:
        if self.kind == VAULT:
            return "{ vault = true }"
        return f"{{ {self.kind} = {self.place!r} }}" if self.kind != "command" else "{ command = ... }"

    def __repr__(self) -> str:
        return f"<Secret {self}>"

    @classmethod
    def parse(cls, value: object) -> Secret:
        """A reference from what the config holds.

        Raises:
            ValueError: it is none; the text never repeats the value, which may be the secret itself.
        """
        if isinstance(value, Secret):
            return value
        if isinstance(value, dict) and len(value) == 1:
            ((kind, place),) = value.items()
            if kind == VAULT and place is True:
                return cls(VAULT, "")
            if kind in KINDS and isinstance(place, str) and place:
                return cls(kind, place)
        raise ValueError(
            'a secret is given by reference: { env = "NAME" }, { file = "/path" }, { command = "..." } or { vault = true }'
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        one = [
            {"type": "object", "properties": {k: {"type": "string"}}, "required": [k], "additionalProperties": False}
            for k in KINDS
        ]
        connected = {"type": "object", "properties": {VAULT: {"const": True}}, "required": [VAULT]}
        one.append(connected | {"additionalProperties": False})
        return {"description": "A secret, by reference.", "oneOf": one}


@dataclass(frozen=True, slots=True, repr=False)
class Bound(Secret):
    """A secret of the vault, bound to the account and the setting that it fills."""

    read: Callable[[], str] = field(compare=False)

    def reveal(self) -> str:
        """The secret as it is now, refreshed if need be.

        Raises:
            Outcome: it is not there, has ended, or cannot be refreshed now.
        """
        value = self.read()
        hide(value)
        return value


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
