"""Each invariant of orders and payments: silent on a sound shop, and the only one to speak once its defect is planted.

A defect is one statement or several: what else a single one would break is mended beside it, so that one file alone has
something to say. Where that cannot be, `WIDER` names the files that must speak together, and why.
"""

import pytest

from api.auth import hash_of
from db import invariants
from tests.functions.orders.support import brought, step
from tests.shop import Shop

PAID = "(SELECT id FROM orders WHERE status = 'PAID')"
CANCELLED = "(SELECT id FROM orders WHERE status = 'CANCELLED')"
PENDING = "(SELECT id FROM orders WHERE status = 'PENDING' ORDER BY id LIMIT 1)"
OF_PAID = f"WHERE variant_id IN (SELECT variant_id FROM stock_moves WHERE order_id = {PAID})"
OF_CANCELLED = "WHERE variant_id IN (SELECT variant_id FROM stock_moves WHERE reason = 'return')"
Defect = str | tuple[str, ...]
DEFECTS: dict[str, list[Defect]] = {
    "20_order_total_adds_up": [
        f"UPDATE orders SET total = total + 1 WHERE id = {PENDING}",
        f"UPDATE orders SET discount = subtotal + 1, total = tax + shipping - 1 WHERE id = {PENDING}",
        f"UPDATE orders SET shipping = -1, total = total - 1 WHERE id = {PENDING}",
    ],
    "21_order_subtotal_is_sum_of_lines": [
        "UPDATE order_items SET total = total + quantity, unit_price = unit_price + 1",
        f"UPDATE orders SET subtotal = subtotal - 1, total = total - 1 WHERE id = {PENDING}",
    ],
    "22_order_has_lines": [
        (
            f"""INSERT INTO orders (id, reference, status, currency, subtotal, discount, tax, shipping, total, customer,
              placed_at, created_at, updated_at)
            SELECT 'order_2', 'AAAA-AAAA', status, currency, 0, 0, 0, 0, 0, customer, placed_at, created_at, updated_at
            FROM orders WHERE id = {PENDING}""",
            f"""INSERT INTO order_events (id, order_id, to_status, actor, created_at)
            SELECT 'event_2', 'order_2', to_status, actor, created_at FROM order_events WHERE order_id = {PENDING}""",
            f"""INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
            SELECT 'outbox_2', topic, entity, 'order_2', payload, due_at, created_at, updated_at
            FROM outbox WHERE entity_id = {PENDING}""",
        ),
    ],
    "23_order_line_adds_up": [
        "UPDATE order_items SET unit_price = unit_price + 1",
        (
            f"UPDATE order_items SET unit_price = 1000000001, total = quantity * 1000000001 WHERE order_id = {PENDING}",
            f"UPDATE orders SET subtotal = 2000000002, total = 2000000002 WHERE id = {PENDING}",
        ),
    ],
    "24_sale_moves_are_what_was_ordered": [
        (f"UPDATE inventory SET stock = stock + 2 {OF_PAID}", f"DELETE FROM stock_moves WHERE order_id = {PAID}"),
        (
            f"UPDATE inventory SET stock = stock - 1 {OF_PAID}",
            f"UPDATE stock_moves SET delta = delta - 1, balance_after = balance_after - 1 WHERE order_id = {PAID}",
        ),
        f"UPDATE stock_moves SET order_id = {PENDING} WHERE order_id = {PAID}",
        (
            f"UPDATE inventory SET backordered = 1 {OF_PAID}",
            f"UPDATE order_items SET backordered_quantity = 1 WHERE order_id = {PAID}",
        ),
    ],
    "25_cancelled_order_gave_all_back": [
        (f"UPDATE inventory SET stock = stock - 2 {OF_CANCELLED}", "DELETE FROM stock_moves WHERE reason = 'return'"),
        (
            f"UPDATE inventory SET stock = stock - 1 {OF_CANCELLED}",
            "UPDATE stock_moves SET delta = delta - 1, balance_after = balance_after - 1 WHERE reason = 'return'",
        ),
        (
            f"UPDATE inventory SET stock = stock + 2 {OF_CANCELLED}",
            """INSERT INTO stock_moves
              (id, variant_id, location_id, order_id, delta, reason, balance_after, actor, created_at)
            SELECT 'move_2', variant_id, location_id, order_id, delta, reason, balance_after + delta, actor, created_at
            FROM stock_moves WHERE reason = 'return'""",
        ),
    ],
    "26_moves_name_an_order_if_they_sell": [
        f"UPDATE stock_moves SET order_id = {PAID} WHERE order_id IS NULL",
    ],
    "27_order_history_is_a_legal_path": [
        (
            "UPDATE order_items SET status = 'SHIPPED' WHERE status = 'DELIVERED'",
            "UPDATE orders SET status = 'SHIPPED', delivered_at = NULL WHERE status = 'DELIVERED'",
        ),
        "UPDATE order_events SET from_status = 'SHIPPED' WHERE to_status = 'CANCELLED'",
        (
            "DELETE FROM outbox WHERE topic = 'order.fulfilled'",
            "DELETE FROM order_events WHERE to_status = 'FULFILLED'",
        ),
        "DELETE FROM order_events WHERE to_status = 'PENDING'",
        ("DELETE FROM outbox WHERE topic <> 'order.placed'", "DELETE FROM order_events"),
        (
            "UPDATE orders SET version = version + 1",
            """INSERT INTO order_events (id, order_id, from_status, to_status, actor, created_at)
            SELECT 'event_2', order_id, from_status, to_status, actor, created_at
            FROM order_events WHERE to_status = 'PAID' LIMIT 1""",
        ),
    ],
    "28_order_has_a_time_for_each_status": [
        "UPDATE orders SET paid_at = NULL WHERE status = 'DELIVERED'",
        "UPDATE orders SET shipped_at = placed_at WHERE status = 'PENDING'",
    ],
    "29_items_follow_their_order": [
        "UPDATE order_items SET currency = 'USD'",
        f"UPDATE order_items SET status = 'PENDING' WHERE order_id = {CANCELLED}",
        f"UPDATE order_items SET backordered_quantity = 1 WHERE order_id = {CANCELLED}",
        f"UPDATE order_items SET status = 'CANCELLED' WHERE order_id = {PAID}",
    ],
    "30_settled_payments_not_above_total": ["UPDATE payments SET amount = amount + 1"],
    "31_paid_order_is_fully_paid": [
        "UPDATE payments SET amount = amount - 1 WHERE amount > 1",
        "UPDATE payments SET status = 'FAILED'",
        (
            f"""DELETE FROM idempotency_keys
            WHERE answer ->> 'id' = (SELECT id FROM payments WHERE order_id = {PAID})""",
            f"DELETE FROM payments WHERE order_id = {PAID}",
        ),
        f"UPDATE payments SET order_id = {PENDING} WHERE order_id = {PAID}",
    ],
    "32_payment_currency_is_the_orders": ["UPDATE payments SET currency = 'USD'"],
    "33_settled_payment_has_its_time": [
        "UPDATE payments SET settled_at = NULL",
        "UPDATE payments SET amount = 0 WHERE amount = 1",
    ],
    "34_order_placed_is_told_once": [
        f"DELETE FROM outbox WHERE entity_id = {PAID} AND topic = 'order.placed'",
        """INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
        SELECT 'outbox_2', topic, entity, entity_id, payload, due_at, created_at, updated_at
        FROM outbox WHERE topic = 'order.placed' LIMIT 1""",
    ],
    "35_each_step_is_told_once": [
        "DELETE FROM outbox WHERE topic = 'order.cancelled'",
        f"UPDATE outbox SET entity_id = {PENDING} WHERE topic = 'order.cancelled'",
        """INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
        SELECT 'outbox_2', topic, entity, entity_id, payload, due_at, created_at, updated_at
        FROM outbox WHERE topic = 'order.paid' LIMIT 1""",
    ],
    "36_one_order_per_cart": ["UPDATE orders SET cart_id = (SELECT id FROM carts)"],
    "37_checked_out_cart_has_its_order": [
        "UPDATE carts SET status = 'ACTIVE'",
        "UPDATE orders SET cart_id = NULL",
    ],
    "38_order_reference_once": ["UPDATE orders SET reference = 'AAAA-AAAA'"],
    "39_order_version_counts_its_steps": ["UPDATE orders SET version = 1"],
    "40_provider_reference_pays_once": ["UPDATE payments SET transaction_id = 'tx'"],
    "41_order_is_of_the_carts_owner": [
        "UPDATE carts SET token_hash = NULL, api_key_id = (SELECT id FROM api_keys LIMIT 1)",
    ],
    "44_secrets_are_kept_as_hashes": [
        "UPDATE api_keys SET hash = upper(hash)",
        "UPDATE carts SET token_hash = 'secret'",
        "UPDATE idempotency_keys SET fingerprint = 'x'",
    ],
    "45_versions_have_no_gap": ["DELETE FROM migrations WHERE version = 3", "UPDATE migrations SET checksum = 'x'"],
}


WIDER: list[tuple[str, str, Defect]] = [
    (
        "21 22 24",
        "the sum of no lines is nothing, and the pieces left the stock for nobody",
        f"DELETE FROM order_items WHERE order_id = {PAID}",
    ),
    (
        "04 23 24",
        "what a line owes is owed by its stock row, and what it does not owe has left the stock",
        f"UPDATE order_items SET backordered_quantity = quantity + 1 WHERE order_id = {PENDING}",
    ),
    (
        "27 35",
        "a step that becomes another one is told no longer, and its message tells what did not happen",
        "UPDATE order_events SET to_status = 'FULFILLED' WHERE to_status = 'PAID'",
    ),
    (
        "01 24",
        "a sale that is not in the trail has taken its pieces out of the stock all the same",
        f"DELETE FROM stock_moves WHERE order_id = {PAID}",
    ),
    (
        "27 28 29 31",
        "a status that nobody stepped to has neither its steps, nor its times, nor its items, nor its payment",
        "UPDATE orders SET status = 'SHIPPED', shipped_at = placed_at WHERE status = 'PENDING'",
    ),
]
"""What speaks together, why, and the defect."""
FREED = ("orders_cart_once", "orders_reference_once", "payments_transaction_once")
"""Unique indexes that stand before a defect, as the triggers and CHECKs do."""
ALL = [
    (name[:2], f"{name[:2]}-{number}", defect) for name, ones in DEFECTS.items() for number, defect in enumerate(ones)
]
ALL += [(numbers, numbers.replace(" ", "+"), defect) for numbers, _, defect in WIDER]


def sound(shop: Shop) -> None:
    """Orders in every status, one of a cart, one with pieces owed, one paid in part."""
    for status in ("PAID", "FULFILLED", "SHIPPED", "DELIVERED", "CANCELLED", "PENDING"):
        brought(shop, status)
    brought(shop, "PENDING", {shop.variant(stock=1, policy="CONTINUE"): 3, shop.variant(): 1})
    step(shop, {**brought(shop, "PENDING"), "total": 1}, "pay")
    times = {"created_at": shop.now, "updated_at": shop.now}
    cart, token = shop.ids("cart")[0], "secret"
    shop.insert("carts", id=cart, token_hash=hash_of(token), expires_at="2999-01-01T00:00:00.000Z", **times)
    shop.insert("cart_items", id="cartitem_1", cart_id=cart, variant_id=shop.variant(), quantity=1, **times)
    reply = shop.post("/checkout", shop.checkout_body(cart_id=cart), cart_token=token, idempotency_key="cart")
    assert reply.status == 201, reply.text


def test_a_sound_shop_breaks_none(shop: Shop) -> None:
    sound(shop)
    shop.checked()


def test_every_invariant_of_orders_has_its_defects() -> None:
    assert {one.name for one in invariants.read() if "20" <= one.name[:2] <= "45"} == set(DEFECTS)


def speaking(shop: Shop) -> str:
    """The numbers of the files that find something; those that miss the dropped guards and indexes are not asked."""
    asked = [one for one in invariants.read() if one.name[:2] not in ("61", "62")]
    return " ".join(one.name[:2] for one in asked if shop.rows(one.sql.text))


@pytest.mark.file_engine  # only a file's connection takes the CHECKs out of the way, and holds a transaction open
def test_of_all_files_only_those_named_speak(shop: Shop) -> None:
    sound(shop)
    shop.execute("PRAGMA ignore_check_constraints = ON")
    for kind, made in shop.rows("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'index')"):
        if kind == "trigger" or made in FREED:
            shop.execute(f"DROP {kind} {made}")
    shop.execute("CREATE INDEX orders_by_cart ON orders (cart_id) WHERE cart_id IS NOT NULL")
    assert speaking(shop) == ""
    told = {}
    for numbers, name, defect in ALL:
        shop.execute("BEGIN")
        for statement in (defect,) if isinstance(defect, str) else defect:
            shop.execute(statement)
            assert shop.one("SELECT changes()") > 0, f"not planted: {statement}"
        if (heard := speaking(shop)) != numbers:
            told[name] = heard
        shop.execute("ROLLBACK")
    assert told == {}
