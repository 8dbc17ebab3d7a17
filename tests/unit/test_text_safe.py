from __future__ import annotations

import time

import pytest

from reverberate.text.safe import safe

BASE = "https://blog.example/2026/a-post"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("<p>Words &amp; <b>more</b></p>", "<p>Words &amp; <b>more</b></p>"),
        ("1 < 2", "1 &lt; 2"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p {}</style><iframe src='https://x.example'></iframe>after", "after"),
        ('<p onclick="x()" style="x" class="y" lang="de">Hallo</p>', '<p lang="de">Hallo</p>'),
        ('<a href="javascript:alert(1)">here</a>', "<a>here</a>"),
        ('<a href="java\nscript:alert(1)">here</a>', "<a>here</a>"),
        ('<a href=" JaVaScRiPt:alert(1)">here</a>', "<a>here</a>"),
        ('<img src="data:text/html,x" onerror="x()" alt="A hill">', '<img alt="A hill">'),
        ('<a href="../b?c=1&d=2">b</a>', '<a href="https://blog.example/b?c=1&amp;d=2">b</a>'),
        ('<img src="a.png">', '<img src="https://blog.example/2026/a.png">'),
        ('<a href="mailto:a@b.example">mail</a>', '<a href="mailto:a@b.example">mail</a>'),
        ("<form><input name=x>words</form>", "words"),
        ("<div><p>left open", "<div><p>left open</p></div>"),
        ("</div></p>closed twice</b>", "closed twice"),
        ("<b><i>crossed</b></i>", "<b><i>crossed</i></b>"),
        ('<img alt="&quot;><script>x</script>">', '<img alt="&quot;&gt;&lt;script&gt;x&lt;/script&gt;">'),
        ("<!-- gone --><p>there</p>", "<p>there</p>"),
    ],
)
def test_what_harms_leaves_and_its_words_stay(given: str, meant: str) -> None:
    assert safe(given, base=BASE) == meant


def test_what_is_safe_stays_as_it_is_when_made_safe_again() -> None:
    once = safe('<p><a href="/x">y</a><ul><li>1<li>2</ul><img src=a alt="&lt;">', base=BASE)

    assert safe(once, base=BASE) == once


@pytest.mark.parametrize("broken", ["<b>" * 50_000, "</b>" * 50_000, "<b></i>" * 50_000, "<a href='" * 50_000])
def test_a_broken_document_takes_about_as_long_as_a_whole_one(broken: str) -> None:
    assert seconds(broken) < 10 * seconds("<p>a <b>b</b></p>" * 50_000) + 1


def seconds(document: str) -> float:
    """How long it takes to make it safe."""
    began = time.perf_counter()
    safe(document, base=BASE)
    return time.perf_counter() - began
