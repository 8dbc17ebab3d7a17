from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reverberate.errors import Duplicate, Outcome, RateLimited, Refused, Unauthorised, Unsure
from reverberate.networks.reddit import Reddit, RedditText
from reverberate.testing import Asked, HTTPNetworkContract, Reply

DATA = {"url": "https://www.reddit.com/r/test/comments/abc/", "id": "abc", "name": "t3_abc"}


def no(code: str, words: str = "said", **more: float) -> Reply:
    return Reply(body=json.dumps({"json": {"errors": [[code, words, "url"]], **more}}).encode())


def reason(code: str) -> Reply:
    told = {"fields": ["title"], "explanation": "said", "reason": code, "message": "Bad Request"}
    return Reply(status=400, body=json.dumps(told).encode())


ERRORS = (
    (no("RATELIMIT", "you are doing that too much. try again in 9 minutes."), RateLimited),
    (no("ALREADY_SUB"), Duplicate),
    (no("SUBREDDIT_NOEXIST"), Unauthorised),
    (no("BANNED_FROM_SUBREDDIT"), Unauthorised),
    (no("NO_LINKS"), Unauthorised),
    (no("BAD_URL"), Refused),
    (no("DOMAIN_BANNED"), Refused),
    (no("TOO_LONG"), Refused),
    (reason("SUBMIT_VALIDATION_TITLE_BLACKLISTED_STRING"), Refused),
    (reason("SUBMIT_VALIDATION_FLAIR_REQUIRED"), Unauthorised),
    (reason("SUBMIT_VALIDATION_REPOST"), Duplicate),
    (Reply(status=401, body=b'{"message": "Unauthorized", "error": 401}'), Unauthorised),
    (Reply(status=403, body=b'{"message": "Forbidden", "error": 403}'), Unauthorised),
    (Reply(status=429, headers={"x-ratelimit-reset": "373", "x-ratelimit-remaining": "0.0"}), RateLimited),
    (Reply(body=b'{"json": {"errors": []}}'), Unsure),
)


class TestReddit(HTTPNetworkContract):
    network = Reddit
    settings: dict[str, Any] = {"subreddit": "test"}
    errors = ERRORS

    def accept(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(body=b'{"name": "alice", "data": {"children": []}}')
        assert b"resubmit=false" in asked.body
        return Reply(body=json.dumps({"json": {"errors": [], "data": DATA}}).encode())

    @pytest.mark.parametrize(
        ("reply", "wait"),
        [
            (no("RATELIMIT", "try again in 9 minutes."), timedelta(minutes=9)),
            (no("RATELIMIT", "Take a break for 45 seconds before trying again."), timedelta(seconds=45)),
            (no("RATELIMIT", "try again in 700 milliseconds."), timedelta(milliseconds=700)),
            (no("RATELIMIT", "try again later.", ratelimit=125.5), timedelta(seconds=125.5)),
            (no("RATELIMIT", "try again later."), timedelta(minutes=10)),
        ],
    )
    def test_the_wait_is_the_one_that_reddit_tells(
        self, reply: Reply, wait: timedelta, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outcome = self.met_by(reply, monkeypatch)

        assert isinstance(outcome, RateLimited)
        assert outcome.until is not None
        assert abs(outcome.until - (datetime.now(UTC) + wait)) < timedelta(seconds=3)

    @pytest.mark.parametrize(("author", "meant"), [("alice", Duplicate), ("bob", Refused)])
    def test_a_link_that_is_there_is_ours_or_somebody_elses(
        self, author: str, meant: type[Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = {"name": "t3_xyz", "permalink": "/r/test/comments/xyz/", "author": author}
        listing = {"name": "alice", "data": {"children": [{"data": post}]}}
        monkeypatch.setattr(self, "accept", lambda _asked: Reply(body=json.dumps(listing).encode()))
        outcome = self.met_by(no("ALREADY_SUB"), monkeypatch)

        assert type(outcome) is meant
        if isinstance(outcome, Duplicate):
            assert outcome.receipt is not None
            assert outcome.receipt.permalink == "https://www.reddit.com/r/test/comments/xyz/"
        else:
            assert "u/bob" in str(outcome)


class TestRedditText(TestReddit):
    network = RedditText
    settings: dict[str, Any] = {"subreddit": "test", "kind": "self"}

    def test_it_is_the_way_of_texts(self) -> None:
        settings = Reddit.Settings(access_token={"env": "A"}, subreddit="test", kind="self")  # type: ignore[arg-type]  # as a config has it

        assert Reddit.way(settings) is RedditText
