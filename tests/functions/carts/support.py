"""Carts as guests and key owners have them, and the sale that follows."""

from dataclasses import dataclass
from typing import Any

from tests.shop import Reply, Shop


@dataclass(frozen=True)
class Guest:
    """A guest's cart: its id and its token."""

    shop: Shop
    id: str
    token: str

    @property
    def path(self) -> str:
        return f"/carts/{self.id}"

    def view(self) -> Any:
        reply = self.shop.get(self.path, cart_token=self.token)
        assert reply.status == 200, reply.text
        assert reply.headers["etag"] == f'"{reply.body["version"]}"'
        return reply.body

    def add(self, variant: str, quantity: int = 1, **sent: Any) -> Reply:
        body = {"variant_id": variant, "quantity": quantity}
        return self.shop.post(f"{self.path}/items", body, **{"cart_token": self.token, **sent})

    def item(self, variant: str) -> Any:
        """The item of `variant`, as the cart shows it."""
        return next(item for item in self.view()["items"] if item["variant_id"] == variant)

    def quantities(self) -> dict[str, int]:
        return {item["variant_id"]: item["quantity"] for item in self.view()["items"]}

    def checkout(self, key: str = "checkout", **more: Any) -> Reply:
        body = self.shop.checkout_body(cart_id=self.id, **more)
        return self.shop.post("/checkout", body, cart_token=self.token, idempotency_key=key)


def lines_of(lines: dict[str, int]) -> list[dict[str, Any]]:
    return [{"variant_id": variant, "quantity": quantity} for variant, quantity in lines.items()]


def guest(shop: Shop, lines: dict[str, int] | None = None) -> Guest:
    """A guest with a new cart of `lines`."""
    reply = shop.post("/carts", {"items": lines_of(lines or {})})
    assert reply.status == 201, reply.text
    return Guest(shop, reply.body["id"], reply.body["token"])


def stock(shop: Shop, variant: str) -> Any:
    """(stock, reserved, backordered) of a variant."""
    return shop.rows("SELECT stock, reserved, backordered FROM inventory WHERE variant_id = ?", variant)[0]
