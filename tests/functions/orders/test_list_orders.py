"""GET /orders."""

import itertools
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from functions.orders.list_orders import PAGES
from tests.functions.orders.support import brought, step, view
from tests.shop import Shop

ANNA, BORIS = "+306911111111", "+306922222222"


def placed(shop: Shop, variant: str, phone: str, **sent: Any) -> Any:
    """An order placed with `phone`; each a millisecond or more after the one before."""
    customer = {"name": "Anna", "phone": phone}
    shop.clock(1)
    reply = shop.post(
        "/checkout", shop.checkout_body({variant: 1}, customer=customer), idempotency_key=shop.ids("key")[0], **sent
    )
    assert reply.status == 201, reply.text
    return reply.body


def pages(shop: Shop, caller: dict[str, str], limit: int = 100, **query: str) -> list[Any]:
    """All items, page by page, following the Link headers."""
    items: list[Any] = []
    target: str | None = "/orders?" + urlencode({**query, "limit": limit})
    while target:
        reply = shop.get(target, **caller)
        assert reply.status == 200, reply.text
        assert len(reply.body["items"]) <= limit
        items += reply.body["items"]
        link = re.fullmatch(r'<(.+)>; rel="next"', reply.headers.get("link", ""))
        assert (link is None) == (reply.body["next_cursor"] is None)
        target = link[1] if link else None
        assert link is None or quote(reply.body["next_cursor"]) in link[1]
    return items


def test_lists_each_order_as_it_is_answered_alone(shop: Shop) -> None:
    orders = [brought(shop, status) for status in ("PENDING", "PAID", "CANCELLED")]
    reply = shop.get("/orders", api_key=shop.admin)
    assert reply.body == {"items": orders[::-1], "next_cursor": None}
    assert reply.headers["server-timing"].endswith('desc="2"')


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_every_combination_of_filters_lists_its_orders_once_in_order(shop: Shop, limit: int) -> None:
    variant, storefront, person = shop.variant(stock=100), shop.api_key(), shop.user("customer")
    callers: list[dict[str, str]] = [
        {}, {"api_key": storefront}, {"api_key": shop.admin}, {"token": shop.session(person)},
        {"token": shop.session(shop.user("customer"))},
    ]  # fmt: skip
    for phone, caller in itertools.product((ANNA, BORIS), callers):
        for verb in (None, "pay", "cancel"):
            order = placed(shop, variant, phone, **caller)
            if verb:
                assert step(shop, order, verb).status in (200, 201)
    keys = "SELECT o.id FROM orders o JOIN api_keys k ON k.id = o.api_key_id WHERE k.scopes = '[]'"
    mine = {
        storefront: {id for (id,) in shop.rows(keys)},
        person: {id for (id,) in shop.rows("SELECT id FROM orders WHERE user_id = ?", person)},
    }
    everything = [view(shop, id) for (id,) in shop.rows("SELECT id FROM orders ORDER BY placed_at, id")]
    assert (len(everything), len(mine[storefront]), len(mine[person])) == (30, 6, 6)
    choices = itertools.product(
        (shop.admin, storefront, person), (None, "PENDING", "PAID"), (None, ANNA), ("newest", "oldest")
    )
    for asking, status, wanted_phone, sort in choices:
        wanted = [
            order
            for order in everything
            if (asking == shop.admin or order["id"] in mine[asking])
            and status in (None, order["status"])
            and wanted_phone in (None, order["customer"]["phone"])
        ]
        filters = {"status": status, "phone": wanted_phone, "sort": sort}
        query = {name: value for name, value in filters.items() if value}
        caller = {"token": shop.session(person)} if asking == person else {"api_key": asking}
        assert pages(shop, caller, limit, **query) == (wanted if sort == "oldest" else wanted[::-1])


def test_orders_of_one_millisecond_are_kept_apart_by_their_ids(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(stock=100)
    frozen = 1_795_248_000_000
    monkeypatch.setattr("api.call.milliseconds_now", lambda: frozen)
    ids, admin = sorted(shop.order({variant: 1})["id"] for _ in range(7)), {"api_key": shop.admin}
    for query in ({}, {"status": "PENDING"}, {"phone": "+306912345678"}):
        assert [order["id"] for order in pages(shop, admin, 2, sort="oldest", **query)] == ids
        assert [order["id"] for order in pages(shop, admin, 2, **query)] == ids[::-1]


def test_an_order_placed_meanwhile_moves_no_page(shop: Shop) -> None:
    variant = shop.variant(stock=100)
    first, second, third = [placed(shop, variant, ANNA) for _ in range(3)]
    page = shop.get("/orders?limit=2", api_key=shop.admin)
    placed(shop, variant, ANNA)
    rest = shop.get(f"/orders?limit=2&cursor={page.body['next_cursor']}", api_key=shop.admin)
    assert [order["id"] for order in page.body["items"]] == [third["id"], second["id"]]
    assert rest.body == {"items": [first], "next_cursor": None}


def test_an_empty_list_is_a_list(shop: Shop) -> None:
    shop.order({shop.variant(): 1})
    for query in ("", "?status=SHIPPED", "?phone=%2B3069999999", "?sort=oldest"):
        assert shop.get(f"/orders{query}", api_key=shop.api_key()).body == {"items": [], "next_cursor": None}


@pytest.mark.file_engine
def test_a_page_costs_as_much_in_a_large_shop_as_in_a_small_one(shop: Shop) -> None:
    """Walking an index until the page is full: the steps of the virtual machine do not grow with the orders."""
    shop.order({shop.variant(): 1}, api_key=(key := shop.api_key()))
    shop.execute("UPDATE orders SET user_id = ?", shop.user())
    values = {
        "status": "PENDING", "phone": "+306912345678",
        "after_placed_at": "~", "after_id": "~",
        "count": 21,
    }  # fmt: skip
    assert key

    def steps() -> dict[tuple[Any, ...], int]:
        found = {}
        for name, page in PAGES.items():
            if name[0] == "newest":
                counted = itertools.count()
                values["owner"] = shop.one(f"SELECT {name[1] or 'id'} FROM orders")
                shop.raw.set_progress_handler(lambda counted=counted: next(counted) * 0, 10)
                assert len(shop.raw.execute(page.text, [values[one] for one in page.names]).fetchall()) == 21
                found[name] = next(counted)
        shop.raw.set_progress_handler(None, 10)
        return found

    def fill(count: int) -> None:
        names = [name for (name,) in shop.rows("SELECT name FROM pragma_table_info('orders')")]
        copied = {"id": "'order_' || n", "reference": "printf('%04d-%04d', n / 10000, n % 10000)"}
        columns = ", ".join(copied.get(name, name) for name in names)
        before = shop.one("SELECT count(*) FROM orders")
        shop.execute(f"""
            WITH RECURSIVE counted (n) AS (SELECT {before} UNION ALL SELECT n + 1 FROM counted WHERE n < {count})
            INSERT INTO orders ({", ".join(names)})
            SELECT {columns} FROM counted, (SELECT * FROM orders ORDER BY rowid LIMIT 1)
        """)

    fill(100)
    small = steps()
    fill(10_000)
    large = steps()
    assert all(large[name] - small[name] <= 2 for name in small), (small, large)


def test_a_cursor_belongs_to_its_list_and_its_caller(shop: Shop) -> None:
    variant, storefront = shop.variant(), shop.api_key()
    for _ in range(2):
        placed(shop, variant, ANNA, api_key=storefront)
    cursor = shop.get("/orders?limit=1", api_key=shop.admin).body["next_cursor"]
    refused = [
        shop.get(f"/orders?limit=1&cursor={cursor}", api_key=storefront),
        shop.get(f"/orders?limit=1&status=PENDING&cursor={cursor}", api_key=shop.admin),
        shop.get(f"/orders?limit=1&sort=oldest&cursor={cursor}", api_key=shop.admin),
        shop.get(f"/orders?limit=1&cursor={cursor[:-2]}AA", api_key=shop.admin),
    ]
    for reply in refused:
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")


@pytest.mark.parametrize(
    "query", ["status=pending", "status=", "phone=123", "sort=total", "limit=0", "limit=101", "limit=x", "page=2"]
)
def test_refuses_invalid(shop: Shop, query: str) -> None:
    reply = shop.get(f"/orders?{query}", api_key=shop.admin)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_refuses_unauthenticated(shop: Shop) -> None:
    shop.order({shop.variant(): 1})
    for sent in ({}, {"api_key": "sk_unknown"}):
        reply = shop.get("/orders", **sent)
        assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
        assert reply.headers["www-authenticate"] == "Bearer"
