"""GET /variants/{variant}/stock."""

from tests.functions.stock.support import held, stock_of
from tests.shop import Shop


def test_shows_what_can_be_sold_and_what_is_held(shop: Shop) -> None:
    variant = shop.variant(stock=10, policy="CONTINUE")
    held(shop, variant, 4)
    with shop.unchanged():
        assert stock_of(shop, variant) == {
            "variant_id": variant,
            "available": 6,
            "reserved": 4,
            "on_hand": 10,
            "low_stock_threshold": 5,
            "policy": "CONTINUE",
            "updated_at": shop.one("SELECT updated_at FROM inventory WHERE variant_id = ?", variant),
        }


def test_counts_an_expired_hold_as_available_before_anybody_ends_it(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    held(shop, variant, 4, expires_in=60)
    held(shop, variant, 1, expires_in=600)
    shop.clock(61)
    with shop.unchanged():
        found = stock_of(shop, variant)
    assert (found["available"], found["reserved"], found["on_hand"]) == (9, 1, 10)


def test_refuses_not_found(shop: Shop) -> None:
    deleted = shop.variant()
    shop.execute("UPDATE variants SET deleted_at = ?, is_primary = 0 WHERE id = ?", shop.now, deleted)
    of_deleted = shop.variant()
    shop.execute(
        "UPDATE products SET deleted_at = ? WHERE id = (SELECT product_id FROM variants WHERE id = ?)",
        shop.now, of_deleted,
    )  # fmt: skip
    with shop.unchanged():
        for variant in (shop.ids("variant")[0], deleted, of_deleted):
            reply = shop.get(f"/variants/{variant}/stock", api_key=shop.admin)
            assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_without_the_permission(shop: Shop) -> None:
    path = f"/variants/{shop.variant()}/stock"
    assert shop.get(path).status == 401
    assert shop.get(path, api_key=shop.api_key("stock:adjust")).status == 403
    assert shop.get(path, api_key=shop.api_key("stock:read")).status == 200
