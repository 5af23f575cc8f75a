"""POST /products/{product}/variants."""

from typing import Any

from tests.functions.catalog.support import VARIANT_MEMBERS, product, version_of
from tests.shop import Reply, Shop


def create(shop: Shop, key: str, body: Any = None, **sent: Any) -> Reply:
    return shop.post(f"/products/{key}/variants", body or {}, **{"api_key": shop.admin, **sent})


def test_adds_a_variant_like_its_product(shop: Shop) -> None:
    made = product(shop, compare_at_price=1499)
    reply = create(shop, made["id"])
    assert reply.status == 201
    assert set(reply.body) == VARIANT_MEMBERS
    variant = reply.body
    assert variant == {
        **variant,
        "product_id": made["id"],
        "sku": f"THYME-HONEY-{variant['id'][-8:]}".upper(),
        "title": "Thyme honey",
        "price": 1299,
        "compare_at_price": 1499,
        "available": 0,
        "is_primary": False,
    }
    assert reply.headers["location"] == f"/variants/{variant['id']}"
    assert reply.headers["etag"] == '"2"'
    assert reply.headers["server-timing"].endswith('desc="2"')
    shown = shop.get(f"/products/{made['id']}").body
    assert shown["variants"] == [made["variants"][0], variant]
    assert (shown["version"], shown["price"]) == (2, 1299)
    assert shop.rows("SELECT stock, low_stock_threshold FROM inventory") == [(0, 5), (0, 5)]
    shop.checked()


def test_adds_what_is_sent(shop: Shop) -> None:
    made = product(shop)
    body = {"sku": "BIG", "title": "Big", "size": "1 kg", "attributes": {"a": None}, "weight_grams": 1100, "price": 2}
    reply = create(shop, "thyme-honey", {**body, "compare_at_price": 3, "low_stock_threshold": 9})
    assert reply.status == 201, reply.text
    assert {name: reply.body[name] for name in body} == body
    assert reply.body["compare_at_price"] == 3
    assert shop.one("SELECT max(low_stock_threshold) FROM inventory") == 9
    sized = create(shop, made["id"], {"size": "2 kg"}).body
    assert (sized["sku"], sized["title"]) == ("THYME-HONEY-2-KG", "2 kg")
    again = create(shop, made["id"], {"size": "2 kg"}).body
    assert again["sku"] == f"THYME-HONEY-2-KG-{again['id'][-8:]}".upper()


def test_takes_the_primary_mark_and_the_products_price_with_it(shop: Shop) -> None:
    made = product(shop)
    variant = create(shop, made["id"], {"price": 900, "is_primary": True}).body
    shown = shop.get(f"/products/{made['id']}").body
    assert [(one["id"], one["is_primary"]) for one in shown["variants"]] == [
        (made["variants"][0]["id"], False),
        (variant["id"], True),
    ]
    assert shown["price"] == 900
    shop.checked()


def test_a_price_of_the_products_own_stays(shop: Shop) -> None:
    made = product(shop, price=1000, variants=[{"price": 1200}])
    create(shop, made["id"], {"price": 900, "is_primary": True})
    assert shop.get(f"/products/{made['id']}").body["price"] == 1000


def test_the_first_answer_again_for_the_same_key(shop: Shop) -> None:
    made = product(shop)
    first = create(shop, made["id"], {"size": "M"}, idempotency_key="k")
    with shop.unchanged():
        again = create(shop, made["id"], {"size": "M"}, idempotency_key="k")
    assert (again.status, again.text, again.headers["etag"]) == (201, first.text, '"2"')
    assert again.headers["idempotency-replayed"] == "true"


def test_refuses_already_exists(shop: Shop) -> None:
    made = product(shop, sku="HONEY")
    with shop.unchanged():
        reply = create(shop, made["id"], {"sku": "HONEY"})
    assert (reply.status, reply.body["code"]) == (409, "already_exists")
    assert [error["pointer"] for error in reply.body["errors"]] == ["/sku"]


def test_refuses_more_than_a_hundred(shop: Shop) -> None:
    made = product(shop, variants=[{}] * 99)
    assert create(shop, made["id"]).status == 201
    with shop.unchanged():
        reply = create(shop, made["id"])
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, "too_long")


def test_refuses_invalid(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        for name, value in {"price": -1, "stock": 4, "is_primary": "yes", "size": "", "sku": "a  b"}.items():
            reply = create(shop, made["id"], {name: value})
            assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, f"/{name}")


def test_refuses_stale_version_if_one_is_named(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        assert create(shop, made["id"], if_match=2).body["code"] == "stale_version"
    assert create(shop, made["id"], if_match=1).status == 201
    assert version_of(shop, made["id"]) == 2


def test_refuses_not_found(shop: Shop) -> None:
    made = product(shop)
    shop.delete(f"/products/{made['id']}", api_key=shop.admin, if_match=1)
    with shop.unchanged():
        assert create(shop, made["id"]).status == 404
        assert create(shop, "nothing").status == 404


def test_refuses_forbidden(shop: Shop) -> None:
    made = product(shop)
    key = shop.api_key("products:create")
    with shop.unchanged():
        assert create(shop, made["id"], api_key=key).status == 403
        assert create(shop, made["id"], api_key=None).status == 401
