"""What words become in the search index, and what becomes of what people type."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.search import NOTHING, QUERY_LENGTH_MAX, TERMS_MAX, fold, match_query, search_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Honey", "honey"),
        ("ΜΈΛΙ", "μελι"),
        ("Ὀδυσσεύς", "οδυσσευσ"),
        ("ΐ ΰ ᾳ", "ι υ α"),
        ("ΧΥΜΌΣ Χυμός", "χυμοσ χυμοσ"),
        ("İSTANBUL ISPARTA ılık ince", "istanbul isparta ilik ince"),
        ("ŞÇĞÜÖ", "scguo"),
        ("Crème Brûlée", "creme brulee"),
        ("Straße Æsir Øre Łódź Đà", "strasse aesir ore lodz da"),
        ("ﬁne Ｔｅａ ①", "fine tea 1"),
        ("काठमाडौं", "काठमाडौं"),
        ("क\u093c", "क\u093c"),
        ("मह", "मह"),
        ("مَدْرَسَةٌ", "مدرسة"),
        ("كتـــاب", "كتاب"),
        ("آب أحمد إبن", "اب احمد ابن"),
        ("سؤال شيء", "سؤال شيء"),
        ("がぎ", "がぎ"),
        ("한국어", "한국어"),
        ("й ё", "й ё"),
        ("\u0301x", "\u0301x"),
        ("", ""),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text) == unicodedata.normalize("NFC", folded)


def test_marks_that_make_another_word_stay() -> None:
    for one, other in [("कि", "की"), ("गाई", "गाउ"), ("か", "が"), ("и", "й"), ("ي", "ئ"), ("กา", "กำ")]:
        assert fold(one) != fold(other)


@given(st.text())
@example("\u0345\u0130")
@example("क़\u0301")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="αβγάέήίόύώϊΐςσΆΣ abcçğışöüßİIéñøæ"))
def test_case_does_not_matter(text: str) -> None:
    assert fold(text.lower()) == fold(text.upper()) == fold(text)


def test_every_character_folds() -> None:
    for code in range(sys.maxunicode + 1):
        if not 0xD800 <= code <= 0xDFFF:
            folded = fold(f"a{chr(code)}")
            assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("honey", '"honey"*'),
        ("  Thyme   HONEY ", '"thyme"* "honey"*'),
        ("TEA-100", '"tea"* "100"*'),
        ("μέλι", '"μελι"*'),
        ("मह चिया", '"मह"* "चिया"*'),
        ("honey honey", '"honey"*'),
        ('a" OR "b', '"a"* "or"* "b"*'),
        ("title:x NEAR(a)", '"title"* "x"* "near"* "a"*'),
        ("", NOTHING),
        ('"', NOTHING),
        ("*()^-:+", NOTHING),
        ("😀", NOTHING),
        ("😀a", '"a"*'),
    ],
)
def test_queries(text: str, query: str) -> None:
    assert match_query(text) == query


@given(st.text(max_size=400))
def test_no_input_is_syntax(text: str) -> None:
    query = match_query(text)
    if query == NOTHING:
        return
    terms = query.split(" ")
    assert len(terms) <= TERMS_MAX
    for term in terms:
        assert term.startswith('"') and term.endswith('"*')
        assert '"' not in term[1:-2]
        assert term[1:-2]


def test_long_input_is_cut() -> None:
    assert match_query("x" * QUERY_LENGTH_MAX + "yz") == f'"{"x" * QUERY_LENGTH_MAX}"*'
    assert len(match_query(" ".join(f"w{number}" for number in range(50))).split()) == TERMS_MAX


def test_the_words_of_a_product() -> None:
    product = {"title": "Μέλι", "summary": "Dark", "search_keywords": ["Bees", "Σμήνος"]}
    variants = [{"title": "Μέλι", "sku": "H-1"}, {"title": "Big Jar", "sku": "H-2"}]
    text = search_text(product, variants, "Apiáry")
    assert text.title == "μελι"
    assert text.body == "dark bees σμηνοσ h-1 h-2 big jar apiary"
    kept = {**product, "search_keywords": '["Bees", "Σμήνος"]'}
    assert search_text(kept, variants, "Apiáry") == text
    assert search_text({**product, "summary": "", "search_keywords": []}, [], None).body == ""
