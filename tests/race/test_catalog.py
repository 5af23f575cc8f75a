"""Two or more people edit the same product, or want the same name for theirs.

Goal: of edits that began from one version one is kept, the others are told; no name is given twice; and a product
that is ordered while it is deleted is either ordered or deleted.
Method: four processes on one file wait at a barrier; afterwards rows are counted, not answers only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking
from tests.functions.catalog.support import category, product
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 5
STALE = (412, "stale_version")


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def asking(shop: Shop, name: str, method: str, target: str, body: Any = None, *, if_match: str | None = None) -> Asking:
    headers = {"authorization": f"Bearer {shop.admin}"}
    if if_match:
        headers["if-match"] = if_match
    return Asking(f"functions.catalog.{name}", target, method, body, headers)


def test_of_edits_from_one_version_one_is_kept(shop: Shop, racers: Racers) -> None:
    food = category(shop, "food")
    for number in range(ROUNDS):
        made = product(shop, f"Product {number}", variants=[{"size": "S"}, {"size": "M"}])
        target, variants = f"/products/{made['id']}", [f"/variants/{one['id']}" for one in made["variants"]]
        edits = [
            asking(shop, "update_product", "PATCH", target, {"price": 100}, if_match='"1"'),
            asking(shop, "update_product", "PATCH", target, {"category_ids": [food]}, if_match='"1"'),
            asking(shop, "update_variant", "PATCH", variants[0], {"price": 200}, if_match='"1"'),
            asking(shop, "update_variant", "PATCH", variants[1], {"is_primary": True}, if_match='"1"'),
            asking(shop, "delete_variant", "DELETE", variants[1], if_match='"1"'),
            asking(shop, "create_variant", "POST", f"{target}/variants", {"size": "L"}, if_match='"1"'),
        ] * 2
        answers = racers.race(shop.url, edits)
        assert sum(answer.status < 300 for answer in answers) == 1
        assert {(answer.status, answer.code) for answer in answers if answer.status >= 300} <= {
            STALE,
            (404, "not_found"),  # the variant that the winner deleted
        }
        assert shop.one("SELECT version FROM products WHERE id = ?", made["id"]) == 2
    shop.checked()


def test_the_primary_mark_is_never_lost_or_doubled(shop: Shop, racers: Racers) -> None:
    made = product(shop, variants=[{"size": size} for size in "ABCD"])
    edits = [
        asking(shop, "update_variant", "PATCH", f"/variants/{one['id']}", {"is_primary": True}, if_match="*")
        for one in made["variants"]
    ] * 3
    answers = racers.race(shop.url, edits)
    assert {answer.status for answer in answers} <= {200, 503}
    assert shop.one("SELECT sum(is_primary) FROM live_variants") == 1
    assert shop.one("SELECT version FROM products") == 1 + sum(answer.status == 200 for answer in answers)
    shop.checked()


def test_one_slug_and_one_sku_are_given_once(shop: Shop, racers: Racers) -> None:
    taken = (409, "already_exists")
    for number in range(ROUNDS):
        wanted = {"title": "T", "price": 1, "slug": f"slug-{number}", "sku": f"SKU-{number}"}
        answers = racers.race(shop.url, [asking(shop, "create_product", "POST", "/products", wanted)] * 8)
        assert tally(answers) == {(201, None): 1, taken: 7}
        assert {error["pointer"] for answer in answers if answer.code for error in answer.body["errors"]} == {
            "/slug",
            "/sku",
        }
        assert shop.one("SELECT count(*) FROM products WHERE slug = ?", f"slug-{number}") == 1


def test_names_that_are_made_evade_each_other(shop: Shop, racers: Racers) -> None:
    answers = racers.race(
        shop.url, [asking(shop, "create_product", "POST", "/products", {"title": "T", "price": 1})] * 8
    )
    assert tally(answers) == {(201, None): 8}
    assert shop.one("SELECT count(DISTINCT slug) FROM products") == 8
    assert shop.one("SELECT count(DISTINCT sku) FROM variants") == 8


def test_a_product_is_ordered_or_deleted(shop: Shop, racers: Racers) -> None:
    for number in range(2 * ROUNDS):
        variant = shop.variant(stock=5)
        product_id = shop.one("SELECT product_id FROM variants WHERE id = ?", variant)
        order = Asking(
            "functions.checkout",
            "/checkout",
            body=shop.checkout_body({variant: 1}),
            headers={"idempotency-key": f"order-{number}"},
        )
        removal = asking(shop, "delete_product", "DELETE", f"/products/{product_id}", if_match='"1"')
        answers = racers.race(shop.url, [order, removal])
        assert tally(answers) in (
            {(201, None): 1, (409, "product_ordered"): 1},
            {(422, "unknown_variant"): 1, (204, None): 1},
        )
        ordered = shop.one("SELECT count(*) FROM order_items WHERE product_id = ?", product_id)
        assert ordered == shop.one("SELECT count(*) FROM live_products WHERE id = ?", product_id)
    shop.checked()
