"""Slugs, SKUs, and the prices that follow each other."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog import (
    SLUG_LENGTH_MAX,
    Wish,
    check_references,
    drafts,
    new_variant,
    prices_following,
    references,
    settled,
    sku_suffix,
    sku_wish,
    slug_of,
    slug_wish,
    taken,
    variants_following,
)
from domain.refusals import Refusal

PRODUCT_ID = "product_01kaktq2m8e8q8k3v9m1c4x7zd"
VARIANT_ID = "variant_01kaktq2m8e8q8k3v9m1c4x7ze"
FORM = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Thyme honey, 500 g", "thyme-honey-500-g"),
        ("L'huile d’olive", "lhuile-dolive"),
        ("Crème Brûlée", "creme-brulee"),
        ("Straße Ærø Łódź Þór", "strasse-aero-lodz-thor"),
        ("Ελαιόλαδο", "elaiolado"),
        ("Ναύπλιο Εύβοια αυγό", "nafplio-evvoia-avgo"),
        ("μπύρα λάμπα", "byra-lampa"),
        ("Άγγελος έλεγχος σφίγξ", "angelos-elenchos-sfinx"),
        ("ούζο ψωμί ξύδι θυμάρι χυμός", "ouzo-psomi-xydi-thymari-chymos"),
        ("Çay İçin Iğdır Şeker", "cay-icin-igdir-seker"),
        ("Борщ Йогурт Ёж Їжак", "borshch-yogurt-yozh-yizhak"),
        ("दार्जीलिङ चिया", "daarjiling-chiyaa"),
        ("मह ५०० ग्राम", "mah-500-graam"),
        ("हिमालय काठमाडौं", "himaalay-kaathamaadaun"),
        ("क़लम", "kalam"),
        ("مرحبا", ""),
        ("日本茶 😀 --", ""),
        ("", ""),
    ],
)
def test_spells_out_what_it_can(text: str, slug: str) -> None:
    assert slug_of(text) == slug


@given(st.text(max_size=300))
def test_a_slug_has_the_form_of_the_contract(text: str) -> None:
    slug = slug_of(text)
    assert slug == "" or FORM.fullmatch(slug)
    assert len(slug) <= SLUG_LENGTH_MAX
    wish = slug_wish(None, text, PRODUCT_ID)
    assert FORM.fullmatch(wish.value)
    assert wish.otherwise is None or FORM.fullmatch(wish.otherwise)


def test_wishes_for_a_slug() -> None:
    assert slug_wish("sent", "Title", PRODUCT_ID) == Wish("slug", "sent", "/slug")
    assert slug_wish(None, "Title", PRODUCT_ID) == Wish("slug", "title", "", "title-m1c4x7zd")
    assert slug_wish(None, "茶", PRODUCT_ID) == Wish("slug", "product-m1c4x7zd")


def test_wishes_for_a_sku() -> None:
    sent, left_out = {"id": VARIANT_ID, "sku": "A 1"}, {"id": VARIANT_ID, "sku": None}
    assert sku_wish(sent, "/sku", slug="honey", suffix="") == Wish("variant_sku", "A 1", "/sku")
    made = sku_wish(left_out, "/sku", slug="honey", suffix="-M")
    assert made == Wish("variant_sku", "HONEY-M", "", "HONEY-M-M1C4X7ZE")
    longest = sku_wish(left_out, "/sku", slug="x" * 200, suffix=sku_suffix("y" * 50, ""))
    assert longest.otherwise is not None
    assert len(longest.otherwise) <= 100
    assert [sku_suffix("500 g", "2"), sku_suffix("∞", "2"), sku_suffix(None, "")] == ["-500-G", "-2", ""]


def test_settles_what_is_free_and_refuses_the_rest() -> None:
    others = {("slug", "a"), ("variant_sku", "X")}
    wishes = [Wish("slug", "a", otherwise="a-1"), Wish("variant_sku", "A", "/v/0"), Wish("sku", "X", "/sku")]
    assert [wish.value for wish in settled(wishes, others)] == ["a-1", "A", "X"]
    twice = [Wish("variant_sku", "M", otherwise="M-1"), Wish("variant_sku", "M", otherwise="M-2")]
    assert [wish.value for wish in settled(twice, set())] == ["M", "M-2"]
    with pytest.raises(Refusal) as refused:
        settled(
            [Wish("variant_sku", "X", "/a"), Wish("variant_sku", "B", "/b"), Wish("variant_sku", "B", "/c")], others
        )
    assert refused.value.code == "already_exists"
    assert [pointer for pointer, _, _ in refused.value.facts["errors"]] == ["/a", "/c"]


def test_what_the_owner_has_is_not_taken() -> None:
    rows = [{"kind": "slug", "value": "a", "owner": "me"}, {"kind": "sku", "value": "b", "owner": "you"}]
    assert taken(rows, "me") == {("sku", "b")}
    assert taken(rows) == {("slug", "a"), ("sku", "b")}


def test_names_every_reference_that_is_missing() -> None:
    sent = {"category_ids": ["c1", "c2"], "collection_ids": [], "producer_id": "p"}
    assert references(sent) == {"/category_ids/0": "c1", "/category_ids/1": "c2", "/producer_id": "p"}
    assert references({"producer_id": None}) == {}
    check_references(references(sent), {"c1", "c2", "p"})
    with pytest.raises(Refusal) as refused:
        check_references(references(sent), {"c1"})
    assert refused.value.code == "missing_reference"
    assert [pointer for pointer, _, _ in refused.value.facts["errors"]] == ["/category_ids/1", "/producer_id"]


PRODUCT = {"id": PRODUCT_ID, "slug": "honey", "sku": None, "title": "Honey", "price": 10, "compare_at_price": 12}


@pytest.mark.parametrize(
    ("sent", "price", "compare_at_price"),
    [
        ({}, 10, 12),
        ({"price": None}, 10, 12),
        ({"price": 5}, 5, None),
        ({"price": 0}, 0, None),
        ({"price": 5, "compare_at_price": 7}, 5, 7),
        ({"compare_at_price": 11}, 10, 11),
        ({"compare_at_price": None}, 10, None),
    ],
)
def test_a_variant_takes_its_prices_from_the_product(sent: Any, price: int, compare_at_price: int | None) -> None:
    made = new_variant(PRODUCT, sent, VARIANT_ID, is_primary=False)
    assert (made["price"], made["compare_at_price"]) == (price, compare_at_price)


def test_drafts_have_one_primary_variant() -> None:
    variants, wishes = drafts(PRODUCT, [{"size": "S"}, {"sku": "B", "title": "Big"}, {}], ["v1", "v2", "v3"])
    assert [one["is_primary"] for one in variants] == [True, False, False]
    assert [one["title"] for one in variants] == ["S", "Big", "Honey"]
    assert [(wish.value, wish.pointer) for wish in wishes] == [
        ("HONEY-S", ""),
        ("B", "/variants/1/sku"),
        ("HONEY-3", ""),
    ]
    ((alone,), (wish,)) = drafts({**PRODUCT, "sku": "H"}, [], ["v1"])
    assert (alone["is_primary"], wish) == (True, Wish("variant_sku", "H", "/sku"))


def variant(price: int, *, is_primary: bool = False, title: str = "V", compare_at_price: int | None = None) -> Any:
    return {"title": title, "price": price, "compare_at_price": compare_at_price, "is_primary": is_primary}


def test_variants_follow_what_was_the_products() -> None:
    before = {"title": "Honey", "price": 10, "compare_at_price": None}
    after = {"title": "Pine", "price": 20, "compare_at_price": 30}
    followed = variants_following([variant(10, title="Honey"), variant(9, compare_at_price=9)], before, after)
    assert followed == [variant(20, title="Pine", compare_at_price=30), variant(9, compare_at_price=9)]


@pytest.mark.parametrize(
    ("price", "before", "after", "expected"),
    [
        (10, [variant(10, is_primary=True)], [variant(8, is_primary=True)], 8),
        (12, [variant(10, is_primary=True)], [variant(8, is_primary=True)], 12),
        (10, [variant(10, is_primary=True), variant(7)], [variant(10), variant(7, is_primary=True)], 7),
        (10, [variant(10, is_primary=True), variant(7)], [variant(10, is_primary=True), variant(6)], 10),
    ],
)
def test_the_product_follows_its_primary_variant(price: int, before: Any, after: Any, expected: int) -> None:
    followed = prices_following({"price": price, "compare_at_price": None}, before, after)
    assert followed == {"price": expected, "compare_at_price": None}
