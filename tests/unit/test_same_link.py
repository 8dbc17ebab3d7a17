"""Our own posts are recognised among what a network shows: by their link, else by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.networks.likeness import same_link, same_words

LINK = "https://blog.example/2026/a-post"
END = st.sampled_from(["", "/", ".", ",", ")", "!", "?", ":", ";", "…", " ", "\n", " and more", ". Next", '">it</a>'])
URL = "abcxyzABC019-._~:/?#[]@!$&'()*+,;=%"


@given(
    before=st.sampled_from(["", "(", "read: ", "x ", '<a href="', "読む→"]), end=END, slash=st.sampled_from(["", "/"])
)
def test_a_link_is_recognised_wherever_it_stands_as_a_whole(before: str, end: str, slash: str) -> None:
    assert same_link(f"{before}{LINK}{end}", LINK + slash)


@given(middle=st.text(alphabet=URL, max_size=8), last=st.sampled_from("abc019é読"))
def test_a_longer_address_is_another(middle: str, last: str) -> None:
    """Another post's, another port's, another page's: taking it for ours would lose a message."""
    for link in (LINK, "https://blog.example/", "https://blog.example/?p=1"):
        longer = link.rstrip("/") + middle + last
        assert not same_link(longer, link)
        assert same_link(f"{longer} {link}", link)


@pytest.mark.parametrize("text", ["", "no link", "https://blog.example/2026/a", "https://blog-example/2026/a-post"])
def test_no_link_is_not_recognised(text: str) -> None:
    assert not same_link(text, LINK)


@pytest.mark.parametrize(
    ("text", "part", "same"),
    [
        ("<p>Hello, <b>World</b>!</p>", "hello world", True),
        ("Hello https://t.co/abc", "Hello https://blog.example/long", True),
        ("Grüße", "GRÜSSE", True),
        ("Hello", "Hello again", False),
        ("", "https://blog.example", False),
    ],
)
def test_words_are_compared_without_what_networks_change(text: str, part: str, same: bool) -> None:
    assert same_words(text, part) is same
