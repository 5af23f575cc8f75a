"""GET /stock/low."""

from urllib.parse import quote

from tests.functions.stock.support import adjust, held
from tests.shop import Shop


def listed(shop: Shop, query: str = "") -> list[str]:
    reply = shop.get(f"/stock/low{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    return [item["variant_id"] for item in reply.body["items"]]


def test_lists_what_is_at_or_below_its_threshold(shop: Shop) -> None:
    enough, at, below, none = (shop.variant(stock=stock) for stock in (6, 5, 4, 0))
    with shop.unchanged():
        assert listed(shop) == [at, below, none]
    shop.execute("UPDATE inventory SET low_stock_threshold = 6 WHERE variant_id = ?", enough)
    shop.execute("UPDATE inventory SET low_stock_threshold = 0 WHERE variant_id = ?", at)
    assert listed(shop) == [enough, below, none]
    adjust(shop, enough, 1)
    assert listed(shop) == [below, none]
    item = shop.get("/stock/low", api_key=shop.admin).body["items"][0]
    assert (item["available"], item["low_stock_threshold"], item["policy"]) == (4, 5, "TRACK")


def test_counts_expired_holds_as_available(shop: Shop) -> None:
    variant, other = shop.variant(stock=8), shop.variant(stock=8)
    held(shop, variant, 4, expires_in=10)
    held(shop, other, 4, expires_in=100)
    assert listed(shop) == [variant, other]
    shop.clock(11)
    with shop.unchanged():
        assert listed(shop) == [other]


def test_leaves_out_what_is_deleted(shop: Shop) -> None:
    variant, deleted = shop.variant(stock=1), shop.variant(stock=1)
    shop.execute("UPDATE variants SET deleted_at = ?, is_primary = 0 WHERE id = ?", shop.now, deleted)
    assert listed(shop) == [variant]


def test_pages_by_id(shop: Shop) -> None:
    variants = [shop.variant(stock=1) for _ in range(5)]
    found, cursor = [], ""
    for _ in range(3):
        reply = shop.get(f"/stock/low?limit=2{cursor}", api_key=shop.admin)
        found += [item["variant_id"] for item in reply.body["items"]]
        cursor = f"&cursor={quote(reply.body['next_cursor'] or '')}"
    assert found == sorted(variants)
    assert reply.body["next_cursor"] is None


def test_refuses_a_cursor_of_another_list(shop: Shop) -> None:
    for _ in range(2):
        shop.variant(stock=1)
    cursor = shop.get("/stock/moves?limit=1", api_key=shop.admin).body["next_cursor"]
    reply = shop.get(f"/stock/low?cursor={quote(cursor)}", api_key=shop.admin)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")


def test_asks_once_and_says_who_calls_before_what_is_wrong(shop: Shop) -> None:
    assert shop.get("/stock/low", api_key=shop.admin).headers["server-timing"].endswith('desc="1"')
    for query in ("cursor=AAAA", "nonsense=1"):
        assert shop.get(f"/stock/low?{query}", api_key=shop.api_key("orders:read")).status == 403
        assert shop.get(f"/stock/low?{query}", api_key="sk_nobody").status == 401
        assert shop.get(f"/stock/low?{query}", api_key=shop.admin).status == 422


def test_refuses_without_the_permission(shop: Shop) -> None:
    assert shop.get("/stock/low").status == 401
    assert shop.get("/stock/low", api_key=shop.api_key("stock:adjust")).status == 403
    assert shop.get("/stock/low", api_key=shop.api_key("stock:read")).status == 200
