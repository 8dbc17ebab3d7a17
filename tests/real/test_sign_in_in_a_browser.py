"""Signing in with a real browser: the command waits, the sandbox's page asks, the browser comes back."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from reverberate.sandbox import Sandbox
from support.servers import free_port
from support.signing import asking, rehearsing

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[service]
connect_port = {port}
vault_key = {{ file = "{key}" }}

"""


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    if not found and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here")
    return found


@pytest.mark.parametrize(("network", "scheme"), [("twitter", "light"), ("linkedin", "dark")])
@pytest.mark.parametrize("answer", ["Allow", "Deny"])
def test_the_page_asks_and_the_browser_comes_back(
    tmp_path: Path, chromium: str, network: str, scheme: str, answer: str
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    path, pictures = tmp_path / "reverberate.toml", os.environ.get("SCREENSHOTS")
    with Sandbox(tmp_path / "sandbox", seed="s") as sandbox:
        table, env = rehearsing(sandbox.url, "s", network, "mine")
        path.write_text(CONFIG.format(port=free_port(), key=tmp_path / "vault.key") + table, encoding="utf-8")
        with asking(path, "mine", "--no-browser", env=env) as command, sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.set_default_timeout(10_000)
            page.goto(command.address)
            if pictures:
                page.screenshot(path=f"{pictures}/{network}-{scheme}.png")
            assert page.inner_text("h1") == "Let your app post for you?"
            page.fill("input[name=sandbox_account]", "mine")
            width = page.evaluate("document.documentElement.scrollWidth")
            page.click(f"button:text-is('{answer}')")
            words = page.inner_text("body")
            browser.close()
            assert words == "Back to the terminal. You can close this page."
            status, out, told = command.ended()

    assert [one for one in said if "favicon" not in one and "404" not in one] == []
    assert width <= 390
    if answer == "Allow":
        assert (status, out[:17]) == (0, "mine is connected"), told
    else:
        assert (status, "mine is not connected: " in told) == (1, True), told


def test_the_page_of_faults_takes_one(tmp_path: Path, chromium: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with Sandbox(tmp_path, seed="s") as sandbox, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{sandbox.url}/faults")
        page.click("button:text-is('Add')")
        words = page.inner_text("table")
        browser.close()

        assert "refuse" in words
