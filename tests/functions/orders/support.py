"""Orders brought to a status through the API, as staff would."""

from typing import Any

from tests.shop import Reply, Shop

PATHS = {
    "PENDING": (),
    "PAID": ("pay",),
    "FULFILLED": ("pay", "fulfil"),
    "SHIPPED": ("pay", "fulfil", "ship"),
    "DELIVERED": ("pay", "fulfil", "ship", "deliver"),
    "CANCELLED": ("cancel",),
}
PHONE = "%2B306912345678"
"""Of `shop.checkout_body`, ready for a query string."""


def step(shop: Shop, order: dict[str, Any], verb: str, **sent: Any) -> Reply:
    """One step of an order (`version` and `total` as in it), by an administrator unless `sent` says otherwise."""
    sent = {"api_key": shop.admin, "if_match": order["version"], **sent}
    if verb == "pay":
        body = {"provider": "manual", "amount": order["total"]}
        sent = {"idempotency_key": f"pay-{order['id']}", **sent}
        return shop.post(f"/orders/{order['id']}/payments", body, **sent)
    return shop.post(f"/orders/{order['id']}/{verb}", **sent)


def brought(shop: Shop, status: str, lines: dict[str, int] | None = None, **sent: Any) -> Any:
    """An order of `lines` (two pieces of a new variant by default) in `status`, as GET answers it."""
    order = shop.order(lines or {shop.variant(): 2}, **sent)
    for verb in PATHS[status]:
        reply = step(shop, order, verb)
        assert reply.status in (200, 201), reply.text
        order = view(shop, order["id"])
    assert order["status"] == status
    return order


def view(shop: Shop, key: str) -> Any:
    reply = shop.get(f"/orders/{key}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    return reply.body
