"""Orders brought to a status through the API, as staff would."""

from typing import Any

from api import clock
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
WRONG_PHONE = "%2B306912345679"


def to_the_next_window(shop: Shop) -> None:
    """Move the clock to one second past an hour: a test of the limit on guesses must not meet its end by chance."""
    shop.clock(3601 - clock.milliseconds_now() // 1000 % 3600)


def guess(shop: Shop, key: str, phone: str = WRONG_PHONE, **sent: Any) -> Reply:
    """GET an order by a phone number."""
    return shop.get(f"/orders/{key}?phone={phone}", **sent)


def guess_cancelling(shop: Shop, key: str, phone: str = WRONG_PHONE, **sent: Any) -> Reply:
    """POST a cancellation by a phone number."""
    return shop.post(f"/orders/{key}/cancel?phone={phone}", **{"if_match": 1, **sent})


def use_up(shop: Shop, key: str, count: int = 10) -> None:
    """Wrong guesses at an order."""
    assert [guess(shop, key).status for _ in range(count)] == [404] * count


def alike(reply: Reply) -> tuple[Any, ...]:
    """What must not tell an order that is not there from a wrong phone: everything but names of this one request."""
    headers = {name: value for name, value in reply.headers.items() if name not in ("x-request-id", "server-timing")}
    trips = reply.headers["server-timing"].rpartition("desc=")[2]
    return reply.status, {**reply.body, "instance": ""}, headers, trips


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
