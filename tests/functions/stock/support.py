"""Stock as staff see it: holds, adjustments, and what the shop answers about a variant."""

from typing import Any

from tests.shop import Reply, Shop


def stock_of(shop: Shop, variant: str) -> Any:
    reply = shop.get(f"/variants/{variant}/stock", api_key=shop.admin)
    assert reply.status == 200, reply.text
    return reply.body


def reserve(shop: Shop, variant: str, quantity: int = 1, expires_in: int = 900, **more: Any) -> Reply:
    body = {"variant_id": variant, "quantity": quantity, "expires_in": expires_in, **more}
    return shop.post("/stock/reservations", body, api_key=shop.admin)


def held(shop: Shop, variant: str, quantity: int = 1, expires_in: int = 900, **more: Any) -> Any:
    """A hold that was made: the body of the 201."""
    reply = reserve(shop, variant, quantity, expires_in, **more)
    assert reply.status == 201, reply.text
    return reply.body


def adjust(shop: Shop, variant: str, delta: int, reason: str = "adjustment", **sent: Any) -> Reply:
    body = {"variant_id": variant, "delta": delta, "reason": reason, **sent.pop("more", {})}
    return shop.post("/stock/adjustments", body, **{"api_key": shop.admin, **sent})


def moves_of(shop: Shop, variant: str) -> list[tuple[Any, ...]]:
    """Reason, change and balance of each move but the opening one, as they were written."""
    found = shop.rows(
        "SELECT reason, delta, balance_after FROM stock_moves WHERE variant_id = ? ORDER BY rowid", variant
    )
    return found[1:]


def low_events(shop: Shop, variant: str) -> list[str]:
    """The payloads of the variant's `stock.low` events."""
    found = shop.rows("SELECT payload FROM outbox WHERE topic = 'stock.low' AND entity_id = ?", variant)
    return [payload for (payload,) in found]


def cart(shop: Shop, expires_in: int = 3_600, status: str = "ACTIVE") -> str:
    """A cart without an owner, straight into the table."""
    cart_id = shop.ids("cart")[0]
    shop.insert(
        "carts", id=cart_id, status=status, expires_at=later(shop, expires_in), created_at=shop.now, updated_at=shop.now
    )
    return cart_id


def later(shop: Shop, seconds: int) -> str:
    from api import clock

    return clock.stamp(clock.milliseconds_now() + seconds * 1000)


def three_orders_owed(shop: Shop, variant: str) -> list[Any]:
    """Orders of 3, 2 and 4 pieces of a variant that is sold beyond its stock of 1."""
    return [shop.order({variant: quantity}) for quantity in (3, 2, 4)]
