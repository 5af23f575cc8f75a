"""DELETE /variants/{variant}."""

from typing import Any

from tests.functions.catalog.support import hold, product
from tests.shop import Reply, Shop


def delete(shop: Shop, variant: str, version: int | None = 1, **sent: Any) -> Reply:
    return shop.delete(f"/variants/{variant}", **{"api_key": shop.admin, "if_match": version, **sent})


def test_takes_a_variant_out_of_the_shop(shop: Shop) -> None:
    made = product(shop, variants=[{"size": "S"}, {"size": "M", "sku": "M"}])
    first, second = made["variants"]
    reply = delete(shop, second["id"])
    assert (reply.status, reply.text) == (204, "")
    assert reply.headers["server-timing"].endswith('desc="2"')
    shown = shop.get(f"/products/{made['id']}").body
    assert (shown["variants"], shown["version"]) == ([first], 2)
    again = shop.post(f"/products/{made['id']}/variants", {"sku": "M"}, api_key=shop.admin)
    assert again.status == 201
    shop.checked()


def test_stock_and_holds_do_not_stand_in_the_way(shop: Shop) -> None:
    shop.variant()
    product_id = shop.one("SELECT product_id FROM variants")
    variant = shop.variant(stock=4, product_id=product_id)
    hold(shop, variant, 1)
    assert delete(shop, variant).status == 204
    assert shop.rows("SELECT stock, reserved FROM inventory WHERE variant_id = ?", variant) == [(3, 1)]
    shop.checked()


def test_refuses_primary_variant_required(shop: Shop) -> None:
    made, alone = product(shop, variants=[{}, {}]), product(shop, "Alone")
    with shop.unchanged():
        for one in (made, alone):
            reply = delete(shop, one["variants"][0]["id"])
            assert (reply.status, reply.body["code"]) == (409, "primary_variant_required")


def test_refuses_variant_ordered(shop: Shop) -> None:
    shop.variant()
    product_id = shop.one("SELECT product_id FROM variants")
    variant = shop.variant(product_id=product_id)
    shop.order({variant: 1})
    with shop.unchanged():
        reply = delete(shop, variant)
    assert (reply.status, reply.body["code"]) == (409, "variant_ordered")


def test_refuses_stale_version(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    with shop.unchanged():
        reply = delete(shop, made["variants"][1]["id"], 9)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_precondition_required(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    with shop.unchanged():
        assert delete(shop, made["variants"][1]["id"], None).status == 428


def test_refuses_not_found(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    assert delete(shop, made["variants"][1]["id"]).status == 204
    with shop.unchanged():
        assert delete(shop, made["variants"][1]["id"], 2).status == 404
        assert delete(shop, "variant_01kaktq2m8e8q8k3v9m1c4x7zd").status == 404


def test_refuses_forbidden(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    key = shop.api_key("products:update")
    with shop.unchanged():
        assert delete(shop, made["variants"][1]["id"], api_key=key).status == 403
        assert delete(shop, made["variants"][1]["id"], api_key=None).status == 401
