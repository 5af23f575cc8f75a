"""A good and a bad event for every function: the life of one order, with everything that staff and buyers do around it.

In this order, each building on what the ones before it left; the database holds the demo shop and an API key.
"""

from __future__ import annotations

from typing import Final

from tools.runtime.events import Ask, Case, Due

STAFF: Final = {"authorization": "Bearer {api_key}"}
ANY_VERSION: Final = {**STAFF, "if-match": "*"}
GUEST: Final = {"x-cart-token": "{token}"}
NO_VARIANT: Final = "variant_00000000000000000000000000"
PRODUCT: Final = {
    "title": "Rooted in the cloud",
    "price": 1299,
    "currency": "EUR",
    "status": "ACTIVE",
    "variants": [{"title": "Small", "size": "S"}, {"title": "Large", "size": "L"}],
}
BUYER: Final = {
    "customer": {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"},
    "shipping_address": {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"},
}
EVENTS: Final = {"events": [{"event_type": "pageview", "session_id": "one", "properties": {"path": "/"}}]}


def _lines(quantity: int) -> list[dict[str, object]]:
    return [{"variant_id": "{variant}", "quantity": quantity}]


def _checkout(key: str, **keep: str) -> Ask:
    return Ask("POST", "/checkout", {**BUYER, "lines": _lines(2)}, {"idempotency-key": key}, keep)


def _step(verb: str) -> Ask:
    return Ask("POST", "/orders/{order}/" + verb, {}, ANY_VERSION)


def _list(function: str, target: str, wrong: str, *, staff: bool = False) -> Case:
    headers = STAFF if staff else {}
    return Case(
        function, (Ask("GET", target, headers=headers),), 200,
        Ask("GET", f"{target.partition('?')[0]}?{wrong}", headers=headers), (422, "invalid"),
    )  # fmt: skip


SERVICE: Final = (
    _list("health", "/health", "verbose=1"),
    _list("view_openapi", "/openapi.json", "version=2"),
    _list("list_categories", "/categories", "limit=0"),
    _list("list_collections", "/collections", "cursor=nonsense"),
    _list("list_producers", "/producers?limit=2", "limit=many"),
)
CATALOG: Final = (
    Case(
        "create_product",
        (
            Ask(
                "POST", "/products", PRODUCT, STAFF,
                {"product": "id", "slug": "slug", "variant": "variants/0/id", "other": "variants/1/id"},
            ),
            Ask("POST", "/products", {**PRODUCT, "title": "Never ordered"}, STAFF, {"unwanted": "id"}),
        ),
        201, Ask("POST", "/products", PRODUCT), (401, "unauthenticated"),
    ),
    _list("list_products", "/products?q=rooted&sort=price", "sort=nonsense"),
    Case("view_product", (Ask("GET", "/products/{slug}"),), 200, Ask("GET", "/products/no-such"), (404, "not_found")),
    Case(
        "update_product", (Ask("PATCH", "/products/{product}", {"summary": "New"}, ANY_VERSION),), 200,
        Ask("PATCH", "/products/{product}", {"summary": "Old"}, {**STAFF, "if-match": '"999"'}), (412, "stale_version"),
    ),
    Case(
        "create_variant",
        (Ask("POST", "/products/{product}/variants", {"title": "Huge", "sku": "HUGE"}, STAFF, {"huge": "id"}),), 201,
        Ask("POST", "/products/{product}/variants", {"title": "Huge", "sku": "HUGE"}, STAFF), (409, "already_exists"),
    ),
    Case(
        "update_variant", (Ask("PATCH", "/variants/{huge}", {"title": "Enormous"}, ANY_VERSION),), 200,
        Ask("PATCH", "/variants/{huge}", {"title": "Vast"}, STAFF), (428, "precondition_required"),
    ),
    Case(
        "delete_variant", (Ask("DELETE", "/variants/{huge}", headers=ANY_VERSION),), 204,
        Ask("DELETE", "/variants/{variant}", headers=ANY_VERSION), (409, "primary_variant_required"),
    ),
)  # fmt: skip
STOCK: Final = (
    Case(
        "adjust_stock",
        (
            Ask("POST", "/stock/adjustments", {"variant_id": "{variant}", "delta": 50, "reason": "receipt"}, STAFF),
            Ask("POST", "/stock/adjustments", {"variant_id": "{other}", "delta": 5, "reason": "receipt"}, STAFF),
        ),
        201,
        Ask("POST", "/stock/adjustments", {"variant_id": "{variant}", "delta": 0, "reason": "receipt"}, STAFF),
        (422, "invalid"),
    ),
    Case(
        "view_stock", (Ask("GET", "/variants/{variant}/stock", headers=STAFF),), 200,
        Ask("GET", f"/variants/{NO_VARIANT}/stock", headers=STAFF), (404, "not_found"),
    ),
    _list("list_stock_moves", "/stock/moves?variant={variant}", "reason=nonsense", staff=True),
    Case(
        "list_low_stock", (Ask("GET", "/stock/low", headers=STAFF),), 200,
        Ask("GET", "/stock/low"), (401, "unauthenticated"),
    ),
    Case(
        "create_reservation",
        (
            Ask("POST", "/stock/reservations", {"variant_id": "{variant}", "quantity": 3, "expires_in": 900}, STAFF,
                {"reservation": "id"}),
            Ask("POST", "/stock/reservations", {"variant_id": "{other}", "quantity": 1, "expires_in": 1}, STAFF),
        ),
        201,
        Ask("POST", "/stock/reservations", {"variant_id": "{variant}", "quantity": 999, "expires_in": 900}, STAFF),
        (409, "insufficient_stock"),
    ),
    Case(
        "delete_reservation", (Ask("DELETE", "/stock/reservations/{reservation}", headers=STAFF),), 204,
        Ask("DELETE", "/stock/reservations/{reservation}", headers=STAFF), (409, "reservation_ended"),
    ),
)  # fmt: skip
CARTS: Final = (
    Case(
        "create_cart",
        (
            Ask("POST", "/carts", {"items": _lines(2)}, keep={"cart": "id", "token": "token"}),
            Ask("POST", "/carts", {"items": _lines(1)}, keep={"unwanted_cart": "id", "unwanted_token": "token"}),
            Ask("POST", "/carts", {"items": _lines(1)}, keep={"idle_cart": "id"}),
        ),
        201,
        Ask("POST", "/carts", {"items": [{"variant_id": NO_VARIANT, "quantity": 1}]}), (422, "unknown_variant"),
    ),
    Case(
        "add_cart_item",
        (Ask("POST", "/carts/{cart}/items", {"variant_id": "{other}", "quantity": 1}, GUEST, {"item": "items/1/id"}),),
        201,
        Ask("POST", "/carts/{cart}/items", {"variant_id": "{other}", "quantity": 1}), (404, "cart_not_found"),
    ),
    Case(
        "update_cart_item", (Ask("PATCH", "/carts/{cart}/items/{item}", {"quantity": 2}, GUEST),), 200,
        Ask("PATCH", "/carts/{cart}/items/{item}", {"quantity": 0}, GUEST), (422, "invalid"),
    ),
    Case(
        "delete_cart_item", (Ask("DELETE", "/carts/{cart}/items/{item}", headers=GUEST),), 204,
        Ask("DELETE", "/carts/{cart}/items/{item}", headers=GUEST), (404, "not_found"),
    ),
    Case(
        "update_cart", (Ask("PATCH", "/carts/{cart}", {"items": _lines(3)}, GUEST),), 200,
        Ask("PATCH", "/carts/{cart}", {"items": _lines(3)}, {**GUEST, "if-match": '"999"'}), (412, "stale_version"),
    ),
    Case(
        "view_cart", (Ask("GET", "/carts/{cart}", headers=GUEST),), 200,
        Ask("GET", "/carts/{cart}", headers={"x-cart-token": "wrong"}), (404, "cart_not_found"),
    ),
    Case(
        "delete_cart", (Ask("DELETE", "/carts/{unwanted_cart}", headers={"x-cart-token": "{unwanted_token}"}),), 204,
        Ask("DELETE", "/carts/{cart}", headers={"x-cart-token": "wrong"}), (404, "cart_not_found"),
    ),
)  # fmt: skip
SALE: Final = (
    Case(
        "quote_checkout", (Ask("POST", "/checkout/quote", {"cart_id": "{cart}"}, GUEST),), 200,
        Ask("POST", "/checkout/quote", {"lines": []}), (422, "empty_order"),
    ),
    Case(
        "checkout",
        (
            Ask("POST", "/checkout", {**BUYER, "cart_id": "{cart}"}, {**GUEST, "idempotency-key": "one"},
                {"order": "id", "reference": "reference", "total": "total"}),
            _checkout("two", cancelled="id"),
            _checkout("three", unpaid="id"),
        ),
        201,
        Ask("POST", "/checkout", {**BUYER, "lines": _lines(900)}, {"idempotency-key": "four"}),
        (409, "insufficient_stock"),
    ),
    Case(
        "view_order", (Ask("GET", "/orders/{reference}?phone=%2B306912345678"),), 200,
        Ask("GET", "/orders/{reference}?phone=%2B306912345679"), (404, "not_found"),
    ),
    Case(
        "list_orders", (Ask("GET", "/orders?limit=2", headers=STAFF),), 200,
        Ask("GET", "/orders"), (401, "unauthenticated"),
    ),
    Case(
        "record_payment",
        (
            Ask("POST", "/orders/{order}/payments", {"provider": "manual", "amount": "{total}"},
                {**STAFF, "idempotency-key": "five"}),
        ),
        201,
        Ask("POST", "/orders/{cancelled}/payments", {"provider": "manual", "amount": 999_999},
            {**STAFF, "idempotency-key": "six"}),
        (409, "payment_exceeds_due"),
    ),
    Case("fulfil_order", (_step("fulfil"),), 200, _step("fulfil"), (409, "illegal_transition")),
    Case("ship_order", (_step("ship"),), 200, _step("ship"), (409, "illegal_transition")),
    Case("deliver_order", (_step("deliver"),), 200, _step("deliver"), (409, "illegal_transition")),
    Case(
        "cancel_order", (Ask("POST", "/orders/{cancelled}/cancel", {}, ANY_VERSION),), 200,
        Ask("POST", "/orders/{order}/cancel", {}, ANY_VERSION), (409, "illegal_transition"),
    ),
    Case(
        "delete_product", (Ask("DELETE", "/products/{unwanted}", headers=ANY_VERSION),), 204,
        Ask("DELETE", "/products/{product}", headers=ANY_VERSION), (409, "product_ordered"),
    ),
)  # fmt: skip
INSIGHT: Final = (
    Case(
        "record_events", (Ask("POST", "/events", EVENTS),), 201,
        Ask("POST", "/events", {"events": [{"event_type": "NOT ONE"}]}), (422, "invalid"),
    ),
    _list("list_events", "/events?event_type=pageview", "since=yesterday", staff=True),
    _list("list_daily_analytics", "/analytics/daily", "since=yesterday", staff=True),
)  # fmt: skip
CASES: Final = (*SERVICE, *CATALOG, *STOCK, *CARTS, *SALE, *INSIGHT)

LONG_AGO: Final = "created_at = '2001-01-01T00:00:00.000Z', expires_at = '2001-01-02T00:00:00.000Z'"
DUE: Final = (
    Due("expire_reservations", "", {"expired": 1}),
    Due("expire_carts", f"UPDATE carts SET {LONG_AGO} WHERE id = '{{idle_cart}}'", {"abandoned": 1}),
    Due(
        "expire_unpaid_orders",
        "UPDATE orders SET expires_at = '2001-01-02T00:00:00.000Z' WHERE id = '{unpaid}'",
        {"cancelled": 1},
    ),
    Due("forget_idempotency_keys", f"UPDATE idempotency_keys SET {LONG_AGO}", {"forgotten": 4}),
    Due("roll_up_analytics", "", {"days": 1}),
    Due("measure_soft_deletes", "", {"deleted": 4, "last_day": 4}, looks=True),
)
