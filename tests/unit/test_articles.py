"""From loose parts to a clean post."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.model import Image, Post
from reverberate.sources.articles import EXCERPT, article, excerpt, language_tag, moment, oldest_first, packed, unpacked

URL = "https://blog.example/one"
LONG = "This sentence is repeated until nobody wants to read it any more. " * 40


class TestArticle:
    def test_what_is_missing_is_taken_from_the_html(self) -> None:
        html = f"<p>Hello &amp; welcome to this rather long first paragraph.</p><p>{LONG}</p><img src=a.jpg alt=A>"
        post = article(url=URL, html=html)
        assert post.text.startswith("Hello & welcome")
        assert post.summary == "Hello & welcome to this rather long first paragraph."
        assert post.images == (Image(url="https://blog.example/a.jpg", alt="A"),)
        assert post.html == html

    def test_what_is_given_counts(self) -> None:
        post = article(url=URL, html="<p>html</p>", text="the text", summary="the summary")
        assert (post.text, post.summary) == ("the text", "the summary")

    @pytest.mark.parametrize("cut", ["so far [\u2026]", "so far [...]", "so far [ ... ]", "so far (\u2026)"])
    def test_a_cut_summary_ends_with_an_ellipsis(self, cut: str) -> None:
        assert article(url=URL, summary=cut).summary == "so far\u2026"

    def test_a_summary_that_is_the_whole_article_becomes_an_excerpt(self) -> None:
        assert len(article(url=URL, summary=LONG, text=LONG).summary) <= EXCERPT

    def test_one_line_fields_are_one_line(self) -> None:
        post = article(url=URL, title=" A\n title\0 ", author="A\tB", site="\nS", guid=" g ")
        assert (post.title, post.author, post.site, post.guid) == ("A title", "A B", "S", "g")

    def test_tags_are_words_each_once_and_said_on_purpose(self) -> None:
        post = article(
            url=URL, tags=["#Garden", "garden ", "", "Uncategorized", "R&D", "#"], categories=["Uncategorised"]
        )
        assert post.tags == ("garden", "R&D")
        assert post.categories == ()

    def test_an_image_is_there_once_with_the_first_words_that_any_mention_has(self) -> None:
        lead = Image(url="https://blog.example/a.jpg")
        post = article(url=URL, images=[lead, Image(url="")], html='<img src="a.jpg" alt="Alt"><img src="b.jpg">')
        assert post.images == (Image(url=lead.url, alt="Alt"), Image(url="https://blog.example/b.jpg"))

    def test_thumbnails_count_only_where_there_is_nothing_better(self) -> None:
        small = Image(url="https://blog.example/small.jpg")
        assert article(url=URL, thumbnails=[small]).images == (small,)
        assert small not in article(url=URL, thumbnails=[small], html="<img src=b.jpg>").images

    def test_there_are_ten_images_at_most(self) -> None:
        assert len(article(url=URL, html="".join(f"<img src={n}.jpg>" for n in range(30))).images) == 10

    def test_nothing_is_kept_that_a_database_refuses(self) -> None:
        post = article(
            url=URL, title="a\0", html="<p>a\0\ud800</p>", extra={"a\0": ["b\0", {1: "\udfff"}, None, 1.5, True, None]}
        )
        assert (post.title, post.html) == ("a", "<p>a</p>")
        assert post.extra == {"a": ["b", {"1": ""}, None, 1.5, True, None]}


class TestExcerpt:
    def test_a_short_first_paragraph_is_taken_whole(self) -> None:
        first = "A first paragraph that says what it is all about."
        assert excerpt(f"{first}\n\nSecond.") == first

    def test_a_caption_is_passed_over(self) -> None:
        first = "A first paragraph that says what it is all about."
        assert excerpt(f"Day twelve\n\n{first}") == first
        assert excerpt("Only this.") == "Only this."
        assert excerpt("") == ""

    def test_a_long_one_ends_with_a_sentence(self) -> None:
        assert excerpt(LONG) == LONG[: 66 * 4 - 1]
        assert excerpt("\u65e5\u672c\u8a9e\u3067\u3059\u3002" * 100) == "\u65e5\u672c\u8a9e\u3067\u3059\u3002" * 50

    def test_or_with_a_word(self) -> None:
        cut = excerpt("word, " * 100)
        assert cut.endswith("word\u2026")
        assert len(cut) <= EXCERPT
        assert excerpt("w" * 1000) == "w" * (EXCERPT - 1) + "\u2026"

    @given(st.text(alphabet="ab. ,\n\u3002", max_size=1000))
    def test_it_is_never_too_long(self, text: str) -> None:
        assert len(excerpt(text)) <= EXCERPT


class TestMoment:
    @pytest.mark.parametrize(
        ("value", "instant"),
        [
            ("2026-03-05T17:40:12-05:00", datetime(2026, 3, 5, 22, 40, 12, tzinfo=UTC)),
            (" 2026-03-05T17:40:12Z ", datetime(2026, 3, 5, 17, 40, 12, tzinfo=UTC)),
            ("2026-03-05", datetime(2026, 3, 5, tzinfo=UTC)),
            ("Mar 05 2026", datetime(2026, 3, 5, tzinfo=UTC)),
            ("Thu, 05 Mar 2026 17:40:12 EST", datetime(2026, 3, 5, 22, 40, 12, tzinfo=UTC)),
            (date(2026, 3, 5), datetime(2026, 3, 5, tzinfo=UTC)),
            (datetime(2026, 3, 5, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 3, 5, tzinfo=UTC)),
            (datetime(2026, 3, 5), datetime(2026, 3, 5, tzinfo=UTC)),  # noqa: DTZ001 - front matter may have no zone
        ],
    )
    def test_dates_become_instants_in_utc(self, value: object, instant: datetime) -> None:
        found = moment(value)
        assert found == instant
        assert found is not None
        assert found.tzinfo is UTC

    @pytest.mark.parametrize(
        "value", [None, "", "yesterday", "0001-01-01T00:00:00Z", "1970-01-01", 5, True, "9999-12-31T23:59:59-23:00"]
    )
    def test_what_is_no_date_or_absurd_is_none(self, value: object) -> None:
        assert moment(value) is None


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("en-us", "en-US"),
        ("de", "de"),
        ("PT_br", "pt-BR"),
        ("zh-hans-cn", "zh-Hans-CN"),
        (" fr ", "fr"),
        ("", ""),
        ("english", ""),
        ("x" * 99, ""),
        ("en-", ""),
    ],
)
def test_languages_have_one_spelling(given: str, tag: str) -> None:
    assert language_tag(given) == tag


class TestOldestFirst:
    def dates(self, *days: int | None) -> list[datetime | None]:
        return [None if day is None else datetime(2026, 1, day, tzinfo=UTC) for day in days]

    def test_by_date_where_all_have_one(self) -> None:
        dates = self.dates(2, 3, 1)
        assert oldest_first(dates, lambda when: when, newest=10) == self.dates(1, 2, 3)
        assert oldest_first(dates, lambda when: when, newest=2) == self.dates(2, 3)

    def test_by_the_documents_order_otherwise(self) -> None:
        dates = self.dates(2, None, 3)
        assert oldest_first(dates, lambda when: when, newest=10) == self.dates(3, None, 2)
        assert oldest_first(dates, lambda when: when, newest=1) == self.dates(2)

    def test_of_two_from_the_same_moment_the_upper_is_the_newer(self) -> None:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        assert oldest_first(["upper", "lower"], lambda _: moment, newest=5) == ["lower", "upper"]


@given(
    st.builds(
        Post,
        url=st.text(),
        title=st.text(),
        tags=st.lists(st.text()).map(tuple),
        images=st.lists(st.builds(Image, url=st.text(), alt=st.text()), max_size=3).map(tuple),
        published=st.none() | st.datetimes(min_value=datetime(1980, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis wants it naive
        extra=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.lists(st.text())),
    )
)
def test_a_post_survives_its_way_through_json(post: Post) -> None:
    assert unpacked(json.loads(json.dumps(packed(post)))) == post
