"""The shop as a state machine: Hypothesis draws what is asked next, and prints the steps that lead to a difference.

Articles, carts, holds and orders are drawn by number (modulo how many there are), never by id: so a seed always means
the same steps, and what is printed can be run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.clock import stamp
from tests.engines.homes import Homes
from tests.stateful.asking import POINTS, Asking, Request
from tests.stateful.model import STEPS
from tests.stateful.things import Article, Cart, Order

T = TypeVar("T")
NUMBER = st.integers(0, 3)
QUANTITY = st.integers(1, 4)
LINES: st.SearchStrategy[list[tuple[int, int]]] = (
    st.lists(st.tuples(NUMBER, QUANTITY), min_size=1, max_size=3) | st.just([(0, 1)]) | st.just([])
)
POLICY = st.sampled_from(["TRACK", "TRACK", "CONTINUE", "DENY"])
WAITS = st.sampled_from([3_601, 31, 901, 7_201, 90_000])
JOBS = ("expire_reservations", "expire_carts", "expire_unpaid_orders", "roll_up_analytics")
PHONE = "%2B306912345678"
"""Of `shop.checkout_body`, ready for a query string."""


def has(name: str) -> Callable[[Any], bool]:
    return lambda machine: bool(getattr(machine.asking.model, name))


def of(found: list[T], number: int) -> T:
    """The newest first: what is drawn low, and so most often, is what has just been made."""
    return found[-1 - number % len(found)]


class ShopMachine(RuleBasedStateMachine):
    homes: ClassVar[Homes]
    seen: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.asking = Asking(self.homes)
        self.model, self.shop = self.asking.model, self.asking.shop
        self.keys = 0
        self.agreed = True

    def teardown(self) -> None:
        try:
            if self.agreed:
                self.asking.settle()
        finally:
            self.seen.update(self.asking.seen)
            self.asking.close()

    def ask(self, method: str, target: str, predict: Any, body: Any = None, **sent: Any) -> None:
        """`find` and `mortal` are for the asking, the rest is for `Shop.request`."""
        more = {name: sent.pop(name) for name in ("find", "mortal") if name in sent}
        self.agreed = False
        self.asking.ask(Request(method, target, predict, body, sent, **more))

    @invariant()
    def shop_and_model_agree(self) -> None:
        self.agreed = False
        self.asking.agree()
        self.agreed = True

    def key(self, keyed: bool = True) -> dict[str, Any]:
        self.keys += 1
        return {"idempotency_key": f"key-{self.keys}"} if keyed else {}

    def staff(self, keyed: bool = False) -> dict[str, Any]:
        return {"api_key": self.shop.admin, **(self.key() if keyed else {})}

    def made_now(self, table: str, more: str = "") -> Callable[[], Any]:
        """The row that a request at this very millisecond made."""

        def find() -> Any:
            rows = self.shop.rows(f"SELECT id FROM {table} WHERE created_at = ? {more}", stamp(self.model.now))
            return {"id": rows[0][0]} if rows else None

        return find

    def articles(self, lines: list[tuple[int, int]]) -> list[tuple[Article, int]]:
        return [(of(self.model.articles, number), quantity) for number, quantity in lines]

    # -- articles and stock

    @initialize(stock=st.integers(3, 9), owing=st.booleans(), hidden=st.booleans())
    def opened(self, stock: int, owing: bool, hidden: bool) -> None:
        """Something of everything, so that no step waits for another."""
        self.open_article("CONTINUE" if owing else "TRACK", 2, 1_200)
        if hidden:
            self.open_article("DENY", 3, 700)
        self.open_article("TRACK", stock, 500)
        self.create_cart([(0, 1), (2, 1)] if hidden else [(0, 1), (1, 2)], keyed=True)
        self.checkout([(0, 1)], "right")
        self.reserve(0, 1, 900, 0, keyed=True)

    @precondition(lambda self: len(self.model.articles) < 5)
    @rule(policy=POLICY, stock=st.integers(0, 6), price=st.integers(1, 2_000))
    def article(self, policy: str, stock: int, price: int) -> None:
        self.open_article(policy, stock, price)

    def open_article(self, policy: str, stock: int, price: int) -> None:
        self.agreed = False
        self.model.now += 1
        body = {"title": "Lamp", "price": price, "status": "ACTIVE", "inventory_policy": policy}
        reply = self.shop.post("/products", body, api_key=self.shop.admin)
        assert reply.status == 201, reply.text
        article = self.model.opened(reply.body["variants"][0]["id"], price, policy)
        if stock:
            self.adjusted(article, stock, "adjustment", keyed=False)

    @rule(number=NUMBER, delta=st.integers(-4, 6).filter(bool), keyed=st.booleans(),
          reason=st.sampled_from(["receipt", "adjustment", "return"]))  # fmt: skip
    def adjust(self, number: int, delta: int, reason: str, keyed: bool) -> None:
        self.adjusted(of(self.model.articles, number), delta, reason, keyed=keyed)

    def adjusted(self, article: Article, delta: int, reason: str, *, keyed: bool) -> None:
        self.ask(
            "POST", "/stock/adjustments", lambda: self.model.adjust(article, delta, reason),
            {"variant_id": article.variant, "delta": delta, "reason": reason}, **self.staff(keyed),
            find=self.made_now("stock_moves", f"AND reason = '{reason}'"),
        )  # fmt: skip

    @rule(number=NUMBER, quantity=QUANTITY, seconds=st.sampled_from([30, 900, 10_000]), keyed=st.booleans(),
          cart=st.none() | NUMBER)  # fmt: skip
    def reserve(self, number: int, quantity: int, seconds: int, cart: int | None, keyed: bool) -> None:
        article = of(self.model.articles, number)
        holder = of(self.model.carts, cart) if cart is not None and self.model.carts else None
        body = {"variant_id": article.variant, "quantity": quantity, "expires_in": seconds}
        self.ask(
            "POST", "/stock/reservations", lambda: self.model.reserve(article, quantity, seconds, holder),
            body | ({"cart_id": holder.id} if holder else {}), **self.staff(keyed),
            find=self.made_now("reservations"),
        )  # fmt: skip

    @precondition(has("holds"))
    @rule(number=NUMBER)
    def release(self, number: int) -> None:
        hold = of(self.model.holds, number)

        def find() -> Any:
            status = self.shop.one("SELECT status FROM reservations WHERE id = ?", hold.id)
            return {} if status == "RELEASED" else None

        target = f"/stock/reservations/{hold.id}"
        self.ask("DELETE", target, lambda: self.model.release(hold), find=find, **self.staff())

    # -- carts

    @rule(lines=LINES, keyed=st.booleans())
    def create_cart(self, lines: list[tuple[int, int]], keyed: bool) -> None:
        chosen = self.articles(lines)
        # Its token is told once, so nobody could go on with a cart whose answer is lost.
        self.ask("POST", "/carts", lambda: self.model.new_cart(chosen), {"items": bodies(chosen)}, mortal=False,
                 **self.key(keyed))  # fmt: skip

    @precondition(has("carts"))
    @rule(cart=NUMBER, number=NUMBER, quantity=QUANTITY, keyed=st.booleans(), stale=st.sampled_from([None, 0, 0, 1]))
    def add_item(self, cart: int, number: int, quantity: int, keyed: bool, stale: int | None) -> None:
        target, article = of(self.model.carts, cart), of(self.model.articles, number)
        version = None if stale is None else target.version + stale
        self.change(
            target, "POST", "/items", {"variant_id": article.variant, "quantity": quantity},
            lambda: {one.article.variant: one.quantity for one in target.items}, (article, quantity), version,
            **self.key(keyed),
        )  # fmt: skip

    @precondition(lambda self: any(one.items for one in self.model.carts))
    @rule(cart=NUMBER, number=NUMBER, quantity=QUANTITY)
    def set_item(self, cart: int, number: int, quantity: int) -> None:
        target = of([one for one in self.model.carts if one.items], cart)
        item = of(target.items, number)
        wanted = {one.article.variant: quantity if one is item else one.quantity for one in target.items}
        self.change(target, "PATCH", f"/items/{item.id}", {"quantity": quantity}, lambda: wanted, None, None)

    def change(
        self, cart: Cart, method: str, path: str, body: Any, there: Callable[[], dict[str, int]],
        added: tuple[Article, int] | None, version: int | None, **sent: Any,
    ) -> None:  # fmt: skip
        def predict() -> Any:
            wanted = there()
            if added:
                wanted[added[0].variant] = wanted.get(added[0].variant, 0) + added[1]
            return self.model.change_cart(cart, version, wanted, added[0] if added else None)

        find = self.changed_cart(cart)
        self.ask(method, f"/carts/{cart.id}{path}", predict, body, cart_token=cart.token, find=find, if_match=version,
                 **sent)  # fmt: skip

    def changed_cart(self, cart: Cart) -> Callable[[], Any]:
        """The cart as its rows are, if they have a version that was not told."""

        def find() -> Any:
            if self.shop.one("SELECT version FROM carts WHERE id = ?", cart.id) == cart.version:
                return None
            rows = self.shop.rows("SELECT id, variant_id, quantity FROM cart_items WHERE cart_id = ?", cart.id)
            return {"items": [dict(zip(("id", "variant_id", "quantity"), row, strict=True)) for row in rows]}

        return find

    @precondition(lambda self: any(one.items for one in self.model.carts))
    @rule(cart=NUMBER, number=NUMBER)
    def remove_item(self, cart: int, number: int) -> None:
        target = of([one for one in self.model.carts if one.items], cart)
        item = of(target.items, number)
        self.ask(
            "DELETE", f"/carts/{target.id}/items/{item.id}", lambda: self.model.remove_item(target, item),
            cart_token=target.token, find=self.changed_cart(target),
        )  # fmt: skip

    @precondition(has("carts"))
    @rule(cart=NUMBER)
    def delete_cart(self, cart: int) -> None:
        target = of(self.model.carts, cart)

        def find() -> Any:
            return None if self.shop.one("SELECT count(*) FROM carts WHERE id = ?", target.id) else {}

        self.ask("DELETE", f"/carts/{target.id}", lambda: self.model.delete_cart(target), cart_token=target.token,
                 find=find)  # fmt: skip

    # -- orders

    @rule(lines=LINES, total=st.sampled_from(["unsaid", "unsaid", "right", "wrong"]))
    def checkout(self, lines: list[tuple[int, int]], total: str) -> None:
        chosen = self.articles(lines)
        self.placed(chosen, None, total, lines=bodies(chosen))

    @precondition(has("carts"))
    @rule(cart=NUMBER, total=st.sampled_from(["unsaid", "unsaid", "right", "wrong"]))
    def checkout_cart(self, cart: int, total: str) -> None:
        target = of(self.model.carts, cart)
        self.placed([(one.article, one.quantity) for one in target.items], target, total, cart_id=target.id)

    def placed(self, chosen: list[tuple[Article, int]], cart: Cart | None, total: str, **more: Any) -> None:
        expected = None
        if total != "unsaid":
            expected = sum(article.price * quantity for article, quantity in chosen) + (total == "wrong")
            more["expected_total"] = expected
        sent = self.key()
        self.ask(
            "POST", "/checkout", lambda: self.model.checkout(chosen, cart, expected, sent["idempotency_key"]),
            {**self.shop.checkout_body(), **more}, **sent, **({"cart_token": cart.token} if cart else {}),
        )  # fmt: skip

    @precondition(has("orders"))
    @rule(number=NUMBER, amount=st.sampled_from(["all", "all", "a part", "too much"]))
    def pay(self, number: int, amount: str) -> None:
        order = of(self.model.orders, number)
        due = order.total - order.paid
        self.paid(order, {"all": due or 1, "a part": max(due // 2, 1), "too much": due + 1}[amount])

    def paid(self, order: Order, amount: int) -> None:
        self.ask(
            "POST", f"/orders/{order.id}/payments", lambda: self.model.pay(order, amount),
            {"provider": "manual", "amount": amount}, **self.staff(keyed=True),
        )  # fmt: skip

    @precondition(has("orders"))
    @rule(number=NUMBER, verb=st.sampled_from(["fulfil", "ship", "deliver", "cancel"]), keyed=st.booleans(),
          stale=st.sampled_from([0, 0, 0, 0, 1, None]))  # fmt: skip
    def step(self, number: int, verb: str, keyed: bool, stale: int | None) -> None:
        self.stepped(of(self.model.orders, number), verb, "", stale, **self.staff(keyed))

    @precondition(lambda self: self.unfinished())
    @rule(number=NUMBER, keyed=st.booleans())
    def move_on(self, number: int, keyed: bool) -> None:
        """What follows, where drawing a step would mostly meet a refusal."""
        order = of(self.unfinished(), number)
        if order.status == "PENDING":
            self.paid(order, order.total - order.paid)
        else:
            verb = next(verb for verb, (status, _) in STEPS.items() if status == order.status)
            self.stepped(order, verb, "", 0, **self.staff(keyed))

    def unfinished(self) -> list[Order]:
        return [one for one in self.model.orders if one.status not in ("DELIVERED", "CANCELLED")]

    @precondition(has("orders"))
    @rule(number=NUMBER, keyed=st.booleans())
    def cancel_as_guest(self, number: int, keyed: bool) -> None:
        self.stepped(of(self.model.orders, number), "cancel", f"?phone={PHONE}", 0, **self.key(keyed))

    def stepped(self, order: Order, verb: str, query: str, stale: int | None, **sent: Any) -> None:
        version, before = None if stale is None else order.version + stale, order.version

        def find() -> Any:
            return None if self.shop.one("SELECT version FROM orders WHERE id = ?", order.id) == before else {}

        self.ask(
            "POST", f"/orders/{order.id}/{verb}{query}",
            lambda: self.model.step(order, verb, version, guest=bool(query)), {}, if_match=version, find=find, **sent,
        )  # fmt: skip

    # -- whatever else happens

    @precondition(lambda self: self.asking.told)
    @rule(number=st.integers(0, 9))
    def ask_again(self, number: int) -> None:
        self.agreed = False
        self.asking.again(of(self.asking.told, number))

    @precondition(lambda self: self.asking.told)
    @rule(number=st.integers(0, 9))
    def ask_for_something_else(self, number: int) -> None:
        self.agreed = False
        self.asking.another(of(self.asking.told, number))

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.model.now += seconds * 1000

    @rule(seconds=WAITS, first=NUMBER)
    def jobs(self, seconds: int, first: int) -> None:
        """All have their turn after so long; one that dies is the first."""
        self.wait(seconds)
        self.agreed = False
        for name in (*JOBS[first:], *JOBS[:first]):
            self.asking.run_job(name)

    @rule(keyed=st.booleans())
    def event(self, keyed: bool) -> None:
        self.ask("POST", "/events", self.model.recorded, {"event_type": "pageview"}, **self.key(keyed),
                 find=self.made_now("analytics_events"))  # fmt: skip

    @rule(point=st.sampled_from(POINTS))
    def crash(self, point: str) -> None:
        """The process of the next request is killed there."""
        self.asking.point = point

    @rule(point=st.sampled_from(POINTS), number=NUMBER, delta=st.integers(1, 6))
    def crash_in_a_receipt(self, point: str, number: int, delta: int) -> None:
        """Of what is hardly ever refused, so that there is something to be kept or lost."""
        self.crash(point)
        self.adjusted(of(self.model.articles, number), delta, "receipt", keyed=True)


def bodies(lines: list[tuple[Article, int]]) -> list[dict[str, Any]]:
    return [{"variant_id": article.variant, "quantity": quantity} for article, quantity in lines]
