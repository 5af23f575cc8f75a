"""What a shop must be after every request, in plain Python: it says beforehand what each answer will be.

Times are milliseconds since 1970, money is minor units. `Done.keep` is called with what was answered (or, if no answer
came, with what the rows say of it), and only then has the model changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from api.auth import hash_of
from api.clock import stamp
from proof.memory import Adjustment
from proof.memory import Hold as KeptHold
from tests.stateful.things import Article, Cart, Hold, Item, Kept, Order

START: Final = 1_768_478_400_000
"""2026-01-15T12:00:00Z: the same in every run, so that every run is the same."""
CART_TTL: Final = 7_200
ORDER_TTL: Final = 3_600
DAY: Final = 86_400_000
STEPS: Final = {"fulfil": ("PAID", "FULFILLED"), "ship": ("FULFILLED", "SHIPPED"), "deliver": ("SHIPPED", "DELIVERED")}
CANCELLED_FROM: Final = ("PENDING", "PAID", "FULFILLED")


class Refused(NamedTuple):
    """Nothing has changed, and the problem says `facts`."""

    code: str
    facts: dict[str, Any] = {}  # noqa: RUF012 - nobody writes into it


class Done(NamedTuple):
    """The answer says `told`, among other things; `version` is its ETag."""

    status: int
    told: dict[str, Any]
    keep: Callable[[Any], None]
    version: int | None = None


Verdict = Done | Refused


class Model:
    def __init__(self) -> None:
        self.now = START
        self.articles: list[Article] = []
        self.holds: list[Hold] = []
        self.carts: list[Cart] = []
        self.orders: list[Order] = []
        self.stale_days: set[str] = set()
        self.kept = Kept(began=START, articles=self.articles)

    # -- stock

    def free(self, article: Article, cart: str | None = None) -> list[Hold]:
        """Holds that are free for whoever asks: those whose time is over, and those of the cart."""
        of_it = [one for one in self.holds if one.article is article and one.status == "HELD"]
        return [one for one in of_it if one.expires <= self.now or (cart is not None and one.cart == cart)]

    def available(self, article: Article, cart: str | None = None) -> int:
        return article.stock + sum(one.quantity for one in self.free(article, cart))

    def reserved(self, article: Article) -> int:
        held = [one for one in self.holds if one.article is article and one.status == "HELD"]
        return sum(one.quantity for one in held if one.expires > self.now)

    def end(self, holds: Iterable[Hold], status: str) -> None:
        """Give back what they hold: those whose time is over have expired, the others are `status`."""
        for one in holds:
            one.status = "EXPIRED" if one.expires <= self.now else status
            one.article.stock += one.quantity

    def opened(self, variant: str, price: int, policy: str) -> Article:
        article = Article(variant, price, policy)
        self.articles.append(article)
        self.kept.opened[variant] = 0
        return article

    def adjust(self, article: Article, delta: int, reason: str) -> Verdict:
        available = self.available(article)
        if available + delta < 0:
            return Refused("insufficient_stock", {"lines": [short(article, -delta, available)]})

        def keep(body: Any) -> None:
            self.end(self.free(article), "EXPIRED")
            article.stock += delta
            if reason == "receipt" and delta > 0:
                self._pay_owed(article)
            self.kept.adjustments[body["id"]] = Adjustment(article.variant, delta)

        return Done(201, {"delta": delta, "reason": reason, "balance_after": available + delta}, keep)

    def _pay_owed(self, article: Article) -> None:
        for order in self.orders:  # the oldest first
            for item in order.items:
                given = min(item.owed, article.stock) if item.article is article else 0
                item.owed -= given
                article.owed -= given
                article.stock -= given

    def reserve(self, article: Article, quantity: int, seconds: int, cart: Cart | None) -> Verdict:
        if article.policy == "DENY":
            return Refused("variant_not_for_sale", {"variant_id": article.variant})
        available = self.available(article)
        if available < quantity:
            return Refused("insufficient_stock", {"lines": [short(article, quantity, available)]})
        if cart is not None and (refused := self.closed(cart)):
            return Refused("missing_reference") if cart not in self.carts else refused
        expires, cart_id = self.now + seconds * 1000, cart.id if cart else None

        def keep(body: Any) -> None:
            self.end(self.free(article), "EXPIRED")
            article.stock -= quantity
            self.holds.append(Hold(body["id"], article, quantity, expires, cart_id))
            self.kept.holds[body["id"]] = KeptHold(article.variant, quantity)

        told = {"status": "HELD", "quantity": quantity, "cart_id": cart_id, "expires_at": stamp(expires)}
        return Done(201, told, keep)

    def release(self, hold: Hold) -> Verdict:
        status = "EXPIRED" if hold.status == "HELD" and hold.expires <= self.now else hold.status
        if status != "HELD":
            return Refused("reservation_ended", {"reservation_status": status})

        def keep(_: Any) -> None:
            self.end([hold], "RELEASED")
            self.kept.holds[hold.id].released = True

        return Done(204, {}, keep)

    # -- carts

    def closed(self, cart: Cart) -> Refused | None:
        if cart not in self.carts:
            return Refused("cart_not_found")
        if cart.status == "CHECKED_OUT":
            return Refused("cart_not_active")
        return Refused("cart_expired") if cart.expires <= self.now else None

    def new_cart(self, lines: Sequence[tuple[Article, int]]) -> Verdict:
        if refused := not_for_sale(article for article, _ in lines):
            return refused
        expires = self.now + CART_TTL * 1000
        wanted = pieces(lines)

        def keep(body: Any) -> None:
            self.carts.append(Cart(body["id"], body["token"], expires, self._items_of(body)))

        told = {"status": "ACTIVE", **self._shown(wanted, None), "expires_at": stamp(expires)}
        return Done(201, told, keep, version=1)

    def change_cart(self, cart: Cart, version: int | None, wanted: dict[str, int], added: Article | None) -> Verdict:
        """The cart gets the pieces of `wanted` by variant; `added` is the article that the client put in."""
        if version not in (None, cart.version) and cart in self.carts:
            return Refused("stale_version")
        if refused := self.closed(cart) or (added and not_for_sale([added])):
            return refused
        expires = max(cart.expires, self.now + CART_TTL * 1000)

        def keep(body: Any) -> None:
            cart.items, cart.expires, cart.version = self._items_of(body), expires, cart.version + 1

        told = {"status": "ACTIVE", **self._shown(wanted, cart.id), "expires_at": stamp(expires)}
        return Done(201 if added else 200, told, keep, version=cart.version + 1)

    def remove_item(self, cart: Cart, item: Item) -> Verdict:
        verdict = self.change_cart(cart, None, {}, None)
        if isinstance(verdict, Refused):
            return verdict
        expires = self.now + CART_TTL * 1000

        def keep(_: Any) -> None:
            cart.items.remove(item)
            cart.expires, cart.version = max(cart.expires, expires), cart.version + 1

        return Done(204, {}, keep)

    def delete_cart(self, cart: Cart) -> Verdict:
        if cart.status == "CHECKED_OUT":
            return Refused("cart_not_active")

        def keep(_: Any) -> None:
            self.end([one for one in self.holds if one.cart == cart.id and one.status == "HELD"], "RELEASED")
            for hold in self.holds:
                hold.cart = None if hold.cart == cart.id else hold.cart
            self.carts.remove(cart)

        return Done(204, {}, keep)

    def article(self, variant: str) -> Article:
        return next(one for one in self.articles if one.variant == variant)

    def _shown(self, wanted: dict[str, int], cart: str | None) -> dict[str, Any]:
        articles = {variant: self.article(variant) for variant in wanted}
        items = [
            {
                "variant_id": variant,
                "quantity": quantity,
                "unit_price": articles[variant].price,
                "available": self.available(articles[variant], cart),
            }
            for variant, quantity in wanted.items()
        ]
        return {"items": items, "subtotal": sum(articles[one].price * wanted[one] for one in wanted)}

    def _items_of(self, body: Any) -> list[Item]:
        return [Item(one["id"], self.article(one["variant_id"]), one["quantity"]) for one in body["items"]]

    # -- orders

    def checkout(
        self, lines: Sequence[tuple[Article, int]], cart: Cart | None, expected_total: int | None, key: str
    ) -> Verdict:
        if cart is not None and (refused := self.closed(cart)):
            return refused
        if not lines:
            return Refused("empty_order")
        if refused := not_for_sale(article for article, _ in lines):
            return refused
        wanted, cart_id = pieces(lines), cart.id if cart else None
        sold = [(self.article(variant), quantity) for variant, quantity in wanted.items()]
        there = {article.variant: self.available(article, cart_id) for article, _ in sold}
        lacking = [
            short(article, quantity, there[article.variant])
            for article, quantity in sold
            if article.policy != "CONTINUE" and quantity > there[article.variant]
        ]
        if lacking:
            return Refused("insufficient_stock", {"lines": lacking})
        total = sum(article.price * quantity for article, quantity in sold)
        if expected_total not in (None, total):
            return Refused("price_changed", {"total": total})
        owed = {article.variant: max(quantity - there[article.variant], 0) for article, quantity in sold}
        expires = self.now + ORDER_TTL * 1000

        def keep(body: Any) -> None:
            for article, quantity in sold:
                self.end(self.free(article, cart_id), "CONSUMED")
                article.stock -= quantity - owed[article.variant]
                article.owed += owed[article.variant]
            items = self._items_of(body)
            for item in items:
                item.owed = owed[item.article.variant]
            self.orders.append(Order(body["id"], items, total, expires))
            self.kept.placed(key, body["id"], wanted, f"cart:{hash_of(cart.token)}" if cart else "anonymous")
            if cart:
                cart.status, cart.version = "CHECKED_OUT", cart.version + 1

        shown = [{"variant_id": v, "quantity": q, "backordered_quantity": owed[v]} for v, q in wanted.items()]
        told = {"status": "PENDING", "version": 1, "total": total, "subtotal": total, "items": shown}
        return Done(201, {**told, "expires_at": stamp(expires)}, keep, version=1)

    def pay(self, order: Order, amount: int) -> Verdict:
        if order.status != "PENDING":
            return Refused("illegal_transition", {"from": order.status, "to": "PAID"})
        due = order.total - order.paid
        if amount > due:
            return Refused("payment_exceeds_due", {"due": due})
        status = "PAID" if amount == due else "PENDING"
        version = order.version + (amount == due)

        def keep(_: Any) -> None:
            order.status, order.version, order.paid = status, version, order.paid + amount

        return Done(201, {"amount": amount, "order_id": order.id, "order_status": status}, keep, version=version)

    def step(self, order: Order, verb: str, version: int | None, *, guest: bool = False) -> Verdict:
        """The order after `verb`, which is cancel or one of STEPS."""
        if version is None:
            return Refused("precondition_required")
        if version != order.version:
            return Refused("stale_version")
        if verb == "cancel":
            legal, to = ("PENDING",) if guest else CANCELLED_FROM, "CANCELLED"
        else:
            legal, to = (STEPS[verb][0],), STEPS[verb][1]
        if order.status not in legal:
            return Refused("illegal_transition", {"from": order.status, "to": to})
        owed = [one for one in order.items if one.owed]
        if verb == "fulfil" and owed:
            lines = [short(one.article, one.quantity, one.quantity - one.owed) for one in owed]
            return Refused("insufficient_stock", {"lines": lines})

        def keep(_: Any) -> None:
            order.status, order.version = to, order.version + 1
            if to == "CANCELLED":
                self._give_back(order)

        items = [{"variant_id": one.article.variant, "status": to, "backordered_quantity": 0} for one in order.items]
        return Done(200, {"status": to, "version": version + 1, "items": items}, keep, version=version + 1)

    def _give_back(self, order: Order) -> None:
        for item in order.items:
            item.article.stock += item.quantity - item.owed
            item.article.owed -= item.owed
            item.owed = 0
        self.kept.orders[order.id].cancelled = True

    # -- jobs and events

    def recorded(self) -> Verdict:
        day = stamp(self.now)[:10]
        return Done(201, {"recorded": 1}, lambda _: self.stale_days.add(day))

    def job(self, name: str) -> Done:
        """What a run will tell, under its own word."""
        if name == "expire_reservations":
            over = [one for one in self.holds if one.status == "HELD" and one.expires <= self.now]
            return Done(200, {"expired": len(over)}, lambda _: self.end(over, "EXPIRED"))
        if name == "expire_carts":
            carts = [one for one in self.carts if one.status == "ACTIVE" and one.expires <= self.now]
            return Done(200, {"abandoned": len(carts)}, lambda _: self._abandon(carts))
        if name == "expire_unpaid_orders":
            late = [one for one in self.orders if one.status == "PENDING" and one.expires <= self.now and not one.paid]
            return Done(200, {"cancelled": len(late)}, lambda _: self._cancel(late))
        return Done(200, {"days": len(self.stale_days)}, lambda _: self.stale_days.clear())

    def _abandon(self, carts: Sequence[Cart]) -> None:
        for cart in carts:
            cart.status, cart.version = "ABANDONED", cart.version + 1
            self.end([one for one in self.holds if one.cart == cart.id and one.status == "HELD"], "RELEASED")

    def _cancel(self, orders: Sequence[Order]) -> None:
        for order in orders:
            order.status, order.version = "CANCELLED", order.version + 1
            self._give_back(order)


def pieces(lines: Iterable[tuple[Article, int]]) -> dict[str, int]:
    """By variant: the same one twice counts as one line."""
    wanted: Counter[str] = Counter()
    for article, quantity in lines:
        wanted[article.variant] += quantity
    return dict(wanted)


def short(article: Article, requested: int, available: int) -> dict[str, Any]:
    return {"variant_id": article.variant, "requested": requested, "available": available}


def not_for_sale(articles: Iterable[Article]) -> Refused | None:
    hidden = list(dict.fromkeys(one.variant for one in articles if one.policy == "DENY"))
    return Refused("variant_not_for_sale", {"lines": [{"variant_id": one} for one in hidden]}) if hidden else None
