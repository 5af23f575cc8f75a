"""DELETE /products/{product}."""

from typing import Any

from tests.functions.catalog.support import category, collection, hold, listed, medium, product, version_of
from tests.shop import Reply, Shop


def delete(shop: Shop, key: str, version: int | None = 1, **sent: Any) -> Reply:
    return shop.delete(f"/products/{key}", **{"api_key": shop.admin, "if_match": version, **sent})


def test_takes_a_product_and_all_that_hangs_on_it_out_of_sight(shop: Shop) -> None:
    food = category(shop, "food")
    made = product(shop, category_ids=[food], collection_ids=[collection(shop, "spring")], variants=[{}, {}])
    medium(shop, made["id"])
    reply = delete(shop, made["id"])
    assert (reply.status, reply.text) == (204, "")
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert shop.rows("SELECT deleted_at IS NOT NULL FROM variants") == [(1,), (1,)]
    assert version_of(shop, made["id"]) == 2
    assert shop.rows("SELECT * FROM live_products") == shop.rows("SELECT * FROM live_variants") == []
    for query in ("", "category=food", "collection=spring", "q=thyme"):
        assert listed(shop, query) == []
    assert shop.get(f"/products/{made['id']}", api_key=shop.admin).status == 404
    # Nothing hangs on the category any more: it may go.
    shop.execute("UPDATE categories SET deleted_at = updated_at WHERE id = ?", food)
    shop.checked()


def test_by_slug_too(shop: Shop) -> None:
    product(shop)
    assert delete(shop, "thyme-honey").status == 204


def test_stock_and_holds_do_not_stand_in_the_way(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    hold(shop, variant, 2)
    product_id = shop.one("SELECT product_id FROM variants")
    moves = shop.rows("SELECT * FROM stock_moves")
    assert delete(shop, product_id).status == 204
    assert shop.rows("SELECT stock, reserved FROM inventory") == [(3, 2)]
    assert shop.rows("SELECT * FROM stock_moves") == moves
    reply = shop.post("/checkout", shop.checkout_body({variant: 1}), idempotency_key="k")
    assert (reply.status, reply.body["code"]) == (422, "unknown_variant")
    shop.checked()


def test_refuses_product_ordered(shop: Shop) -> None:
    variant = shop.variant()
    shop.order({variant: 1})
    product_id = shop.one("SELECT product_id FROM variants")
    with shop.unchanged():
        reply = delete(shop, product_id)
    assert (reply.status, reply.body["code"]) == (409, "product_ordered")


def test_refuses_stale_version(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = delete(shop, made["id"], 2)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_precondition_required(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        assert delete(shop, made["id"], None).status == 428


def test_refuses_not_found(shop: Shop) -> None:
    made = product(shop)
    assert delete(shop, made["id"]).status == 204
    with shop.unchanged():
        assert delete(shop, made["id"], 2).status == 404
        assert delete(shop, "thyme-honey", 2).status == 404


def test_refuses_forbidden(shop: Shop) -> None:
    made = product(shop)
    key = shop.api_key("products:update")
    with shop.unchanged():
        assert delete(shop, made["id"], api_key=key).status == 403
        assert delete(shop, made["id"], api_key=None).status == 401
