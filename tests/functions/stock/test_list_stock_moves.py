"""GET /stock/moves."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.functions.stock.support import adjust, held
from tests.shop import Shop


def listed(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    reply = shop.get(f"/stock/moves?{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    items: list[dict[str, Any]] = reply.body["items"]
    return items


def test_lists_every_change_newest_first(shop: Shop) -> None:
    variant, other = shop.variant(stock=10), shop.variant(stock=20)
    move = adjust(shop, variant, -1, more={"note": "broken"}).body
    order = shop.order({variant: 2, other: 3})
    with shop.unchanged():
        found = listed(shop, f"variant={variant}")
    assert [(one["reason"], one["delta"], one["balance_after"], one["order_id"]) for one in found] == [
        ("sale", -2, 7, order["id"]),
        ("adjustment", -1, 9, None),
        ("adjustment", 10, 10, None),
    ]
    assert found[1] == move
    assert len(listed(shop)) == 5
    assert {one["id"] for one in found} < {one["id"] for one in listed(shop)}


def test_filters_by_order_variant_and_reason(shop: Shop) -> None:
    variant, other = shop.variant(stock=10), shop.variant(stock=20)
    order = shop.order({variant: 2, other: 3})
    shop.order({variant: 1})
    held(shop, variant)
    shop.post(f"/orders/{order['id']}/cancel", api_key=shop.admin, if_match=1)
    of_order = listed(shop, f"order={order['id']}")
    assert sorted((one["reason"], one["variant_id"], one["delta"]) for one in of_order) == sorted(
        [("sale", variant, -2), ("sale", other, -3), ("return", variant, 2), ("return", other, 3)]
    )
    assert [one["reason"] for one in of_order] == ["return", "return", "sale", "sale"]
    assert [one["delta"] for one in listed(shop, f"order={order['id']}&variant={other}&reason=return")] == [3]
    assert [one["delta"] for one in listed(shop, f"variant={variant}&reason=sale")] == [-1, -2]
    assert [one["delta"] for one in listed(shop, "reason=reservation")] == [-1]
    assert listed(shop, f"order={shop.ids('order')[0]}") == []


@pytest.mark.parametrize("by", ["", "variant", "order"])
def test_pages_without_loss_or_repetition(shop: Shop, by: str) -> None:
    variants = [shop.variant(stock=50) for _ in range(3)]
    order = shop.order(dict.fromkeys(variants, 1))
    for _ in range(4):
        adjust(shop, variants[0], -1)
    query = {"": "", "variant": f"variant={variants[0]}&", "order": f"order={order['id']}&"}[by]
    everything = [one["id"] for one in listed(shop, f"{query}limit=100")]
    found, cursor = [], ""
    while True:
        reply = shop.get(f"/stock/moves?{query}limit=2{cursor}", api_key=shop.admin)
        found += [item["id"] for item in reply.body["items"]]
        if reply.body["next_cursor"] is None:
            break
        assert 'rel="next"' in reply.headers["link"]
        cursor = f"&cursor={quote(reply.body['next_cursor'])}"
    assert found == everything
    assert len(found) == {"": 10, "variant": 6, "order": 3}[by]


def test_refuses_an_unknown_reason_and_parameter(shop: Shop) -> None:
    for query in ("reason=theft", "variant=1", "sort=oldest", "limit=101"):
        assert shop.get(f"/stock/moves?{query}", api_key=shop.admin).status == 422


def test_asks_once_and_says_who_calls_before_what_is_wrong(shop: Shop) -> None:
    assert shop.get("/stock/moves", api_key=shop.admin).headers["server-timing"].endswith('desc="1"')
    for query in ("cursor=AAAA", "nonsense=1"):
        assert shop.get(f"/stock/moves?{query}", api_key=shop.api_key("orders:read")).status == 403
        assert shop.get(f"/stock/moves?{query}", api_key="sk_nobody").status == 401
        assert shop.get(f"/stock/moves?{query}", api_key=shop.admin).status == 422


def test_refuses_without_the_permission(shop: Shop) -> None:
    assert shop.get("/stock/moves").status == 401
    assert shop.get("/stock/moves", api_key=shop.api_key("stock:adjust")).status == 403
    assert shop.get("/stock/moves", api_key=shop.api_key("stock:read")).status == 200
