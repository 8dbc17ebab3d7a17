"""A post is recognised through edits and moves, and never taken for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reverberate.identity import SUBSTANTIAL, Identity, canonical, distinct, keys, recognise, told_apart
from reverberate.model import Post

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLISHED = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def article(number: int, *, site: str = "https://blog.example") -> Post:
    words = " ".join(f"word{number}x{n}" for n in range(40))
    return Post(
        url=f"{site}/posts/{number}/",
        guid=f"{site}/?p={number}",
        title=f"Article {number}",
        text=words,
        published=PUBLISHED + timedelta(days=number),
    )


IDENTITIES = st.builds(
    Identity,
    guid=st.sampled_from(["", "g1", "g2", "g3"]),
    link=st.sampled_from(["", "l1", "l2"]),
    fingerprint=st.sampled_from(["f1", "f2", "f3"]),
)
WORDS = st.text(max_size=20)


class Memory:
    """What the store keeps: each key leads to the post that had it first."""

    def __init__(self, posts: Sequence[Post] = (), *, source: str = "") -> None:
        self.known: dict[str, int] = {}
        self.count = 0
        self.source = source
        self.look(posts)

    def look(self, posts: Sequence[Post]) -> list[int]:
        identities = told_apart([keys(post, source=self.source) for post in posts])
        ids = []
        for identity, match in zip(identities, recognise(identities, self.known), strict=True):
            self.count += match is None
            ids.append(self.count if match is None else match)
            for key in identity:
                self.known.setdefault(key, ids[-1])
        return ids


class TestCanonical:
    @pytest.mark.parametrize(
        "url",
        [
            "https://blog.example/a/b",
            "http://blog.example/a/b",
            "https://blog.example/a/b/",
            "https://BLOG.example:443/a/b",
            "http://blog.example:80/a/b",
            "https://www.blog.example./a/b",
            "https://user:password@blog.example/a/b",
            "https://blog.example/a/b#comments",
            "https://blog.example/a/b?",
            " https://blog.example/a/b\n",
            "https://blog.example/%61/b",
            "https://blog.example/a/b?utm_source=rss&UTM_Medium=feed&fbclid=x&gclid=y&mc_cid=1&igshid=z",
            "https://blog.example/a/b?source=rss-abc------2",
        ],
    )
    def test_one_page_has_one_spelling(self, url: str) -> None:
        assert canonical(url) == "https://blog.example/a/b"

    @pytest.mark.parametrize(
        ("one", "same"),
        [
            ("https://blog.example/?p=1&lang=de", "http://blog.example/?lang=de&p=1&utm_campaign=x"),
            ("https://b\u00fccher.example/\u00e4", "https://xn--bcher-kva.example/%C3%A4"),
            ("https://blog.example/?q=a+b", "https://blog.example/?q=a%20b"),
            ("https://blog.example", "http://www.blog.example/"),
            ("https://[2001:DB8::1]/", "http://[2001:db8::1]:80"),
        ],
    )
    def test_spellings_of_one_page(self, one: str, same: str) -> None:
        assert canonical(one) == canonical(same)

    @pytest.mark.parametrize(
        "other",
        [
            "https://blog.example/a",
            "https://blog.example/A/b",
            "https://blog.example:8443/a/b",
            "https://blog.example/a/b?page=2",
            "https://blog.example/a/b?source=print",
            "https://other.example/a/b",
            "https://blog.example/a/b/index.html",
        ],
    )
    def test_other_pages_stay_others(self, other: str) -> None:
        assert canonical(other) != canonical("https://blog.example/a/b")

    @pytest.mark.parametrize("url", ["", "not a link", "urn:isbn:1", "https://[::1", "https://h:99999/", "mailto:a@b"])
    def test_what_is_no_page_stays_as_it_is(self, url: str) -> None:
        assert canonical(f" {url} ") == url

    @given(st.one_of(st.text(), st.from_regex(r"https?://[a-zA-Z.%-]{1,20}(:\d{1,5})?/[ -~\u00e9]*", fullmatch=True)))
    def test_the_canonical_spelling_is_its_own(self, url: str) -> None:
        assert canonical(canonical(url)) == canonical(url)


class TestKeys:
    def test_every_post_has_a_key(self) -> None:
        assert list(keys(Post(url="")))
        assert len(list(keys(article(1)))) == 3

    def test_keys_fit_their_column_and_are_told_apart_by_kind(self) -> None:
        identity = keys(replace(article(1), guid="x" * 5000, url="https://blog.example/" + "y" * 5000))
        assert max(map(len, identity)) <= 200
        assert [key.partition(":")[0] for key in identity] == ["guid", "link", "text"]

    def test_a_bare_number_identifies_within_its_source_only(self) -> None:
        post = replace(article(1), guid="42")
        assert keys(post, source="a").guid != keys(post, source="b").guid
        assert keys(article(1), source="a") == keys(article(1), source="b")

    def test_little_text_identifies_with_its_link_only(self) -> None:
        short = replace(article(1), text="x" * (SUBSTANTIAL - 1))
        assert keys(short).fingerprint != keys(replace(short, url="https://moved.example/1")).fingerprint
        long = replace(short, text="x" * SUBSTANTIAL)
        assert keys(long).fingerprint == keys(replace(long, url="https://moved.example/1")).fingerprint

    def test_spacing_and_punctuation_do_not_count(self) -> None:
        post = article(1)
        assert keys(replace(post, text=f"  {post.text.upper()}!\n")).fingerprint == keys(post).fingerprint

    def test_the_same_words_on_another_day_are_another_post(self) -> None:
        post = article(1)
        assert keys(replace(post, published=PUBLISHED)).fingerprint != keys(post).fingerprint

    @given(url=WORDS, title=WORDS, guid=WORDS)
    def test_any_post_has_keys_without_gaps(self, url: str, title: str, guid: str) -> None:
        found = list(keys(Post(url=url, title=title, guid=guid)))
        assert len(found) == 1 + bool(url) + bool(guid)
        assert "" not in found


class TestRecognise:
    def test_nothing_is_known_at_first(self) -> None:
        assert recognise([keys(article(1)), keys(article(2))], {}) == [None, None]

    def test_a_look_without_changes_brings_nothing_new(self) -> None:
        posts = [article(n) for n in range(10)]
        memory = Memory(posts)
        assert memory.look(posts) == list(range(1, 11))

    @pytest.mark.parametrize(
        "edited",
        [
            {"title": "Another title"},
            {"text": "Another text"},
            {"guid": "tag:blog.example,2026:renamed"},
            {"guid": ""},
            {"url": "https://blog.example/posts/another-slug/"},
            {"title": "Another title", "text": "Another text", "url": "https://blog.example/another/"},
            {"title": "Another title", "text": "Another text", "guid": "another"},
            {"guid": "another", "url": "https://blog.example/another/"},
        ],
    )
    def test_an_edited_post_is_the_same_while_one_key_stays(self, edited: dict[str, Any]) -> None:
        memory = Memory([article(1), article(2), article(3)])
        assert memory.look([article(1), replace(article(2), **edited), article(3), article(4)]) == [1, 2, 3, 4]

    def test_a_domain_move_is_recognised_by_the_contents(self) -> None:
        memory = Memory([article(n) for n in range(1, 21)])
        moved = [article(n, site="https://moved.example") for n in range(1, 22)]
        assert memory.look(moved) == list(range(1, 22))

    def test_entries_that_share_one_link_are_told_apart(self) -> None:
        """A podcast: each episode leads to the show's page; the first look knows three, later ones slide on."""
        episodes = [
            Post(url="https://show.example/", guid=f"ep-{n}", title=f"Episode {n}", published=PUBLISHED)
            for n in range(9)
        ]
        memory = Memory(episodes[:3])
        for last in range(4, 10):
            assert memory.look(episodes[last - 3 : last]) == [last - 2, last - 1, last]

    def test_entries_that_share_one_link_and_have_no_guid_are_told_apart_by_their_words(self) -> None:
        notes = [Post(url="https://log.example/", title=f"Note {n}") for n in range(4)]
        memory = Memory(notes[:2])
        assert memory.look(notes) == [1, 2, 3, 4]
        assert memory.look(notes[2:]) == [3, 4]

    def test_a_new_entry_that_links_to_an_old_one_is_new(self) -> None:
        memory = Memory([article(1)])
        follow_up = replace(article(2), url=article(1).url)
        assert memory.look([article(1), follow_up]) == [1, 2]
        assert memory.look([follow_up, article(1)]) == [2, 1]

    def test_a_new_entry_at_an_old_one_s_former_address_is_new(self) -> None:
        memory = Memory([article(1)])
        moved, successor = (
            replace(article(1), url="https://blog.example/archive/1"),
            replace(article(2), url=article(1).url),
        )
        assert memory.look([moved, successor]) == [1, 2]

    def test_the_same_words_in_two_entries_of_one_look_are_two_posts(self) -> None:
        one = article(1)
        other = replace(one, guid="tag:another", url="https://blog.example/another")
        memory = Memory([one])
        assert memory.look([one, other]) == [1, 2]
        assert memory.look([other, one]) == [2, 1]

    def test_a_guid_that_all_entries_share_identifies_none(self) -> None:
        posts = [replace(article(n), guid="https://blog.example/") for n in range(4)]
        memory = Memory(posts[:2])
        assert memory.look(posts) == [1, 2, 3, 4]
        assert memory.look(posts[3:]) == [4]

    def test_entries_with_the_same_guid_and_link_are_one(self) -> None:
        old, new = article(1), replace(article(1), text="Corrected", title="Corrected")
        assert distinct([old, article(2), new]) == [new, article(2)]
        memory = Memory([article(1)])
        assert memory.look([old, new]) == [1, 1]

    def test_an_entry_whose_keys_all_lead_elsewhere_is_not_new_for_ever(self) -> None:
        identity = Identity(guid="g", link="l", fingerprint="f")
        mixed = Identity(guid="g2", link="l", fingerprint="f")
        assert recognise([identity, mixed], {"g": 1, "g2": 1, "l": 1, "f": 1}) == [1, 1]

    def test_guids_count_before_links(self) -> None:
        """Two posts that swap their links stay who they are."""
        one, two = article(1), article(2)
        memory = Memory([one, two])
        assert memory.look([replace(one, url=two.url), replace(two, url=one.url)]) == [1, 2]

    @given(st.lists(IDENTITIES, max_size=6))
    def test_whatever_a_document_holds_the_next_look_at_it_brings_nothing_new(self, identities: list[Identity]) -> None:
        known: dict[str, int] = {}
        for one, match in zip(told_apart(identities), recognise(identities, known), strict=True):
            for key in one:
                known.setdefault(key, match or len(known) + 1)
        assert None not in recognise(identities, known)


class Blog(RuleBasedStateMachine):
    """A blogger at work: whatever changes between two looks, every article is known as one post."""

    @initialize(count=st.integers(0, 4))
    def begin(self, count: int) -> None:
        self.articles: list[Post] = []
        self.edits = 0
        self.memory = Memory()
        for _ in range(count):
            self.write()
        self.look()

    @rule()
    def write(self) -> None:
        self.articles.append(article(len(self.articles) + 1))

    @rule(which=st.integers(0, 50), what=st.sampled_from(["title", "text", "guid", "url"]))
    def edit(self, which: int, what: str) -> None:
        if self.articles:
            which %= len(self.articles)
            self.edits += 1
            words = f"https://blog.example/edit-{self.edits}" if what in {"guid", "url"} else f"edit {self.edits} " * 20
            change: dict[str, Any] = {what: words}
            self.articles[which] = replace(self.articles[which], **change)
            self.look()

    @rule()
    def move(self) -> None:
        self.edits += 1
        site = f"https://site{self.edits}.example"
        self.articles = [
            replace(post, url=f"{site}/{n}", guid=f"{site}/?p={n}") for n, post in enumerate(self.articles)
        ]
        self.look()

    @rule(window=st.integers(1, 5), data=st.data())
    def look_at_the_newest(self, window: int, data: st.DataObject) -> None:
        self.look()
        ids = list(range(1, len(self.articles) + 1))[-window:]
        shuffled = data.draw(st.permutations(ids))
        assert self.memory.look([self.articles[number - 1] for number in shuffled]) == shuffled

    @invariant()
    def look(self) -> None:
        if hasattr(self, "articles"):
            assert self.memory.look(self.articles) == list(range(1, len(self.articles) + 1))


TestBlog = Blog.TestCase
TestBlog.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
