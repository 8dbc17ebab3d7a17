"""The preview's page in a real browser: it says what it should, asks for nothing, and stays within a telephone's width."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support.processes import run

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[site]
title = "The blog"
share_card = true
[accounts.fedi]
network = "mastodon"
instance = "https://mastodon.example"
access_token = { env = "NOT_THERE" }
[accounts.sky]
network = "bluesky"
handle = "a.b"
app_password = { env = "NOT_THERE" }
"""
POST = """---
title: A post with averyveryverylongwordthatdoesnotfitintoatelephoneswidthhoweveryouturnit
url: https://blog.invalid/2026/a-post
tags: [open web]
---
What it says.
"""


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    if not found and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn(tmp_path: Path, chromium: str, scheme: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "post.md").write_text(POST, encoding="utf-8")
    config = tmp_path / "reverberate.toml"
    config.write_text(CONFIG, encoding="utf-8")
    done = run(config, "preview", "post.md", "--pictures", "--html", "page.html")
    assert done.returncode == 0, done.stderr

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto((tmp_path / "page.html").as_uri())
        words = page.inner_text("body")
        width = page.evaluate("document.documentElement.scrollWidth")
        drawn = page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth === 1200)")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()

    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert width <= 390
    assert drawn
    assert "#OpenWeb" in words
    assert "of 500 graphemes" in words
    assert (background == "rgb(15, 18, 22)") == (scheme == "dark")
