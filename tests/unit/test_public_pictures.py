"""Where a picture can be fetched from the internet: told to the network, and missed before it matters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from reverberate.checks import problems
from reverberate.config_tables import Service
from reverberate.runtime import read_config
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from pathlib import Path

    from reverberate.accounts import Accounts

DIGEST = "a" * 64


def accounts(public_url: str) -> Accounts:
    return make_accounts(replace(make_config(["a"]), service=Service(public_url=public_url)))


@pytest.mark.parametrize("base", ["https://share.blog.example", "https://share.blog.example/"])
def test_a_picture_has_an_address_below_the_public_one(base: str) -> None:
    assert accounts(base).picture_address(DIGEST) == f"https://share.blog.example/pictures/{DIGEST}"


def test_without_a_public_address_a_picture_has_none() -> None:
    assert accounts("").picture_address(DIGEST) == ""


@pytest.mark.parametrize("wrong", ["share.blog.example", "ftp://x.example", "https://x.example/?a=1", "https://a b"])
def test_what_is_no_web_address_is_not_taken(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Service(public_url=wrong)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ('network = "instagram"\nuser_id = "1"\npicture = "card"', True),
        ('network = "instagram"\nuser_id = "1"\npicture = "none"', False),
        ('network = "threads"\npicture = "card"', False),
        ('network = "threads"\npicture = "attach"', True),
        ('network = "mastodon"\ninstance = "https://x.example"\npicture = "attach"', False),
    ],
)
@pytest.mark.parametrize("public", [False, True])
def test_check_says_who_needs_a_public_address(
    tmp_path: Path, account: str, said: bool, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "t")
    path = tmp_path / "reverberate.toml"
    address = '[service]\npublic_url = "https://share.blog.example"\n' if public else ""
    path.write_text(f'{address}[accounts.a]\n{account}\naccess_token = {{ env = "A_TOKEN" }}\n', encoding="utf-8")

    lines = problems(read_config(path))
    assert ["set public_url in [service]" in line for line in lines] == [True] * (said and not public)
