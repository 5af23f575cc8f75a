"""Every administrative write leaves a row in the audit log, in its own batch: who, what, before and after."""

from typing import Any

import pytest

from api import call as api_call
from tests.functions.audit.support import said, trail
from tests.functions.orders.support import PHONE, brought
from tests.functions.stock.support import adjust, reserve
from tests.shop import Shop


def made(shop: Shop, **more: Any) -> Any:
    body = {"title": "Thyme honey", "slug": "thyme", "price": 900, "status": "ACTIVE", **more}
    reply = shop.post("/products", body, api_key=shop.admin)
    assert reply.status == 201, reply.text
    return reply.body


def test_says_who_did_it(shop: Shop) -> None:
    user = shop.user("staff")
    headers = {"x-request-id": "from-the-till", "user-agent": "Till/1"}
    variant = shop.variant()
    body = {"variant_id": variant, "delta": 2, "reason": "receipt", "note": "of the spring"}
    moved = shop.post("/stock/adjustments", body, token=shop.session(user), headers=headers).body
    [row] = trail(shop)
    assert row == {
        "action": "stock:adjust", "entity": "variants", "entity_id": variant, "before": None,
        "after": {"move_id": moved["id"], "delta": 2, "reason": "receipt"}, "actor_type": "user", "actor": user,
        "user_id": user, "request_id": "from-the-till", "sequence": 1,
    }  # fmt: skip
    found = shop.rows("SELECT name, user_id, value FROM personal_values ORDER BY name")
    assert [(name, whose) for name, whose, _ in found] == [("ip_address", user), ("user_agent", user)]
    assert found[1][2] == '"Till/1"'
    assert "Till" not in repr(shop.rows("SELECT * FROM audit_logs"))


def test_an_api_key_is_named_by_its_id(shop: Shop) -> None:
    adjust(shop, shop.variant(), 1)
    [row] = trail(shop)
    assert (row["actor_type"], row["actor"], row["user_id"]) == ("api_key", shop.one("SELECT id FROM api_keys"), None)


def test_of_products(shop: Shop) -> None:
    product = made(shop)
    target = f"/products/{product['id']}"
    body = {"price": 950, "title": "Thyme honey", "attributes": {"origin": "Naxos"}}
    assert shop.patch_(target, body, api_key=shop.admin, if_match=1).status == 200
    assert shop.delete(target, api_key=shop.admin, if_match=2).status == 204
    created, updated, deleted = said(shop)
    assert created[:3] == ("products:create", "products", None)
    assert (created[3]["slug"], created[3]["price"], len(created[3]["variants"])) == ("thyme", 900, 1)
    before = {"price": 900, "attributes": {}}
    assert updated == (
        "products:update", "products", before, {"price": 950, "attributes": {"origin": "Naxos"}},
    )  # fmt: skip
    assert deleted[:2] == ("products:delete", "products")
    assert (deleted[2]["slug"], deleted[2]["version"], deleted[3]) == ("thyme", 2, None)


def test_of_variants(shop: Shop) -> None:
    product = made(shop)
    variant = shop.post(f"/products/{product['id']}/variants", {"size": "1 kg"}, api_key=shop.admin).body["id"]
    changed = {"size": "2 kg", "low_stock_threshold": 3}
    assert shop.patch_(f"/variants/{variant}", changed, api_key=shop.admin, if_match=2).status == 200
    assert shop.delete(f"/variants/{variant}", api_key=shop.admin, if_match=3).status == 204
    _, created, updated, deleted = trail(shop)
    assert (created["action"], created["entity_id"], created["after"]["size"]) == ("products:update", variant, "1 kg")
    assert updated["before"] == {"size": "1 kg", "low_stock_threshold": None}
    assert updated["after"] == changed
    assert (deleted["before"]["product_id"], deleted["after"]) == (product["id"], None)


def test_of_holds(shop: Shop) -> None:
    held = reserve(shop, shop.variant(), 2).body
    assert shop.delete(f"/stock/reservations/{held['id']}", api_key=shop.admin).status == 204
    made_, released = trail(shop)
    assert (made_["action"], made_["entity_id"], made_["after"]["quantity"]) == ("stock:reserve", held["id"], 2)
    assert (released["before"]["status"], released["after"]) == ("HELD", {"status": "RELEASED"})


def test_of_orders(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    target, sent = f"/orders/{order['id']}", {"api_key": shop.admin, "if_match": "*"}
    payment = shop.post(
        f"{target}/payments", {"provider": "manual", "amount": order["total"]}, idempotency_key="p", **sent
    )
    for verb in ("fulfil", "ship", "deliver"):
        assert shop.post(f"{target}/{verb}", **sent).status == 200
    paid, *steps = trail(shop)
    assert (paid["before"], paid["after"]) == ({"order_status": "PENDING"}, payment.body)
    assert [(row["action"], row["before"], row["after"]) for row in steps] == [
        ("orders:fulfil", {"status": one}, {"status": other})
        for one, other in (("PAID", "FULFILLED"), ("FULFILLED", "SHIPPED"), ("SHIPPED", "DELIVERED"))
    ]
    assert {row["entity_id"] for row in trail(shop)} == {order["id"]}


def test_of_a_cancellation_only_the_staffs(shop: Shop) -> None:
    by_guest, by_staff = (brought(shop, "PENDING")["id"] for _ in range(2))
    rows = len(trail(shop))
    assert shop.post(f"/orders/{by_guest}/cancel?phone={PHONE}", if_match=1).status == 200
    assert len(trail(shop)) == rows
    assert shop.post(f"/orders/{by_staff}/cancel", if_match=1, api_key=shop.admin).status == 200
    assert said(shop)[rows:] == [("orders:cancel", "orders", {"status": "PENDING"}, {"status": "CANCELLED"})]


def test_a_refusal_and_a_replay_leave_none(shop: Shop) -> None:
    variant = shop.variant(stock=1)
    with shop.unchanged():
        assert adjust(shop, variant, -2).status == 409
    first = adjust(shop, variant, 1, idempotency_key="once")
    with shop.unchanged():
        assert adjust(shop, variant, 1, idempotency_key="once").text == first.text
    assert len(trail(shop)) == 1


def test_an_administrative_write_without_a_row_is_refused_before_it_is_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = shop.variant()
    monkeypatch.setattr(api_call.Call, "audit", lambda *_, **__: None)
    with shop.unchanged(), pytest.raises(AssertionError, match="does not declare internal"):
        adjust(shop, variant, 1)
