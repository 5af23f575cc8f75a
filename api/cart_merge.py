"""A guest's cart at a log-in: it becomes the person's, or what is in it is added to the cart that they have.

All of it is relative SQL in the batch of the log-in: of two log-ins at once the later one finds what the earlier one
left, so nothing is lost, and nothing is added twice. The person's cart is the newest one that is open.

- Without an open one, the guest's cart becomes the person's, and its token is good for nothing any more. So it does,
  as a second cart, where the two are in different currencies: a cart has one.
- Otherwise quantities of a variant are added, and other lines move over as they are, the oldest first. What would pass
  the limits of a cart (10 000 pieces of a variant, 100 lines) stays in the guest's cart, open under its token. A
  guest's cart that was emptied is over.
- What is held for a line that went over is then held for the person's cart.
"""

from __future__ import annotations

from typing import Final

from api.call import Call
from db.sql import Sql, Statement, Value
from domain.checkout import LINES_MAX, QUANTITY_MAX

_GUESTS: Final = "(SELECT id FROM carts WHERE token_hash = :token_hash AND status = 'ACTIVE' AND +expires_at > :now)"
# Ids sort by time; the plus signs keep the primary key from being walked for the highest.
_OWN: Final = "(SELECT max(+id) FROM carts WHERE user_id = :user_id AND +status = 'ACTIVE' AND +expires_at > :now)"
_CURRENCY: Final = """
    (SELECT max(p.currency) FROM cart_items i CROSS JOIN live_variants v ON v.id = i.variant_id
    CROSS JOIN live_products p ON p.id = v.product_id WHERE i.cart_id = {cart})
"""

ADOPT = Sql(
    f"""
    UPDATE carts SET user_id = :user_id, token_hash = NULL, version = version + 1,
      expires_at = max(expires_at, :expires_at), updated_at = :now
    WHERE token_hash = :token_hash AND status = 'ACTIVE' AND +expires_at > :now
      AND ({_OWN} IS NULL OR {_CURRENCY.format(cart="carts.id")} <> {_CURRENCY.format(cart=_OWN)})
    """,
    "carts_token_once",
    "carts_by_user",
    "cart_items_variant_once",
    "variants.pk",
    "products.pk",
)
# Of the lines that both have (`o` the person's, `g` the guest's) first the guest's: what will not fit is what stays.
# One that fits whole keeps its pieces, and no time of change marks it as used up.
LEAVE = Sql(
    f"""
    UPDATE cart_items SET
      quantity = CASE WHEN o.quantity + cart_items.quantity > :quantity_max
        THEN o.quantity + cart_items.quantity - :quantity_max ELSE cart_items.quantity END,
      updated_at = CASE WHEN o.quantity + cart_items.quantity > :quantity_max THEN :now ELSE '' END
    FROM cart_items o
    WHERE cart_items.cart_id = {_GUESTS} AND o.cart_id = {_OWN} AND o.variant_id = cart_items.variant_id
    """,
    "cart_items_by_cart",
    "cart_items_variant_once",
    "carts_token_once",
    "carts_by_user",
)
ADD = Sql(
    f"""
    UPDATE cart_items SET updated_at = :now,
      quantity = CASE g.updated_at WHEN '' THEN cart_items.quantity + g.quantity ELSE :quantity_max END
    FROM cart_items g
    WHERE cart_items.cart_id = {_OWN} AND g.cart_id = {_GUESTS} AND g.variant_id = cart_items.variant_id
    """,
    "cart_items_by_cart",
    "cart_items_variant_once",
    "carts_token_once",
    "carts_by_user",
)
DROP = Sql(
    f"DELETE FROM cart_items WHERE cart_id = {_GUESTS} AND updated_at = ''", "cart_items_by_cart", "carts_token_once"
)
MOVE = Sql(
    f"""
    UPDATE cart_items SET cart_id = {_OWN}, updated_at = :now
    WHERE id IN (
      SELECT g.id FROM cart_items g
      WHERE g.cart_id = {_GUESTS} AND {_OWN} IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM cart_items o WHERE o.cart_id = {_OWN} AND o.variant_id = g.variant_id)
      ORDER BY g.id
      LIMIT max(0, :lines_max - (SELECT count(*) FROM cart_items o WHERE o.cart_id = {_OWN})))
    """,
    "cart_items.pk",
    "cart_items_by_cart",
    "cart_items_variant_once",
    "carts_token_once",
    "carts_by_user",
)
FOLLOW = Sql(
    f"""
    UPDATE reservations SET cart_id = {_OWN}, updated_at = :now
    WHERE cart_id = {_GUESTS} AND +status = 'HELD' AND {_OWN} IS NOT NULL
      AND (EXISTS (SELECT 1 FROM cart_items o WHERE o.cart_id = {_OWN} AND o.variant_id = reservations.variant_id)
        OR NOT EXISTS (
          SELECT 1 FROM cart_items g WHERE g.cart_id = {_GUESTS} AND g.variant_id = reservations.variant_id))
    """,
    "reservations_by_cart",
    "cart_items_variant_once",
    "carts_token_once",
    "carts_by_user",
)
TOUCH = Sql(
    f"""
    UPDATE carts SET version = version + 1, expires_at = max(expires_at, :expires_at), updated_at = :now
    WHERE id = {_OWN} AND {_GUESTS} IS NOT NULL
    """,
    "carts.pk",
    "carts_by_user",
    "carts_token_once",
)
CLOSE = Sql(
    f"""
    UPDATE carts SET version = version + 1, updated_at = :now,
      status = CASE WHEN EXISTS (SELECT 1 FROM cart_items g WHERE g.cart_id = carts.id) THEN status
        ELSE 'ABANDONED' END
    WHERE token_hash = :token_hash AND status = 'ACTIVE' AND +expires_at > :now AND {_OWN} IS NOT NULL
    """,
    "carts_token_once",
    "cart_items_by_cart",
    "carts_by_user",
)


def merging(call: Call, user_id: str) -> list[Statement]:
    """The statements that make the cart named by X-Cart-Token the person's; none without a token. One that names no
    open cart of a guest changes nothing."""
    if call.cart_token_hash is None:
        return []
    values: dict[str, Value] = {
        "token_hash": call.cart_token_hash,
        "user_id": user_id,
        "now": call.now,
        "expires_at": call.later(call.settings.cart_ttl),
        "quantity_max": QUANTITY_MAX,
        "lines_max": LINES_MAX,
    }
    plan = (ADOPT, LEAVE, ADD, DROP, MOVE, FOLLOW, TOUCH, CLOSE)
    return [one(**{name: values[name] for name in one.names}) for one in plan]
