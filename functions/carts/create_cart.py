"""POST /carts: make a cart, empty or with its first items, or change nothing.

Anyone may. A guest's cart answers its secret `token` once: only its hash is kept, so a replay answers null in its
place. Who has logged in owns the cart as that person, an API key as that key; they get no token.
"""

import secrets

from mangum import Mangum
from pydantic import Field

from api import auth
from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.carts import Cart, adding, as_it_is
from api.endpoint import TEXT, endpoint
from api.lines import Lines, wanted
from api.shapes import Shape
from db.sql import Sql
from db.statements.checkout import PRICED_LINES
from db.statements.stock import LOCATION
from domain.checkout import check_lines


class CreateCartRequest(Shape):
    items: Lines = Field(default_factory=list, description="What is in it from the start.")


class NewCart(Cart):
    token: str | None = Field(
        description="Send it as X-Cart-Token with every call on this cart. Shown once; null for a cart with an owner."
    )


ADD_CART = Sql("""
    INSERT INTO carts (id, user_id, api_key_id, token_hash, status, expires_at, created_at, updated_at)
    VALUES (:id, :user_id, :api_key_id, :token_hash, 'ACTIVE', :expires_at, :now, :now)
""")


@endpoint(
    "POST /carts",
    status=201,
    permission=PUBLIC,
    idempotency="optional",
    errors=("unknown_variant", "variant_not_for_sale", "mixed_currency"),
)
async def create_cart(request: CreateCartRequest, call: Call) -> Answer[NewCart]:
    pieces = wanted(request.items, "items")
    priced = [PRICED_LINES(lines=dumps(pieces), location_id=LOCATION)] if pieces else []
    for rows in await call.read(*priced):
        check_lines(rows)
    cart_id = call.id("cart")
    lines = [
        {"id": item, "variant_id": variant, "quantity": quantity}
        for item, (variant, quantity) in zip(call.ids("item", len(pieces)), pieces.items(), strict=True)
    ]
    token = None if call.actor.kind != "anonymous" else secrets.token_urlsafe(32)
    plan = [
        ADD_CART(
            id=cart_id,
            user_id=call.actor.user_id,
            api_key_id=call.actor.api_key_id,
            token_hash=auth.hash_of(token) if token else None,
            expires_at=call.later(call.settings.cart_ttl),
            now=call.now,
        ),
        *(adding(cart_id, dumps(lines), call.now) if lines else []),
    ]
    answer = as_it_is(cart_id, status=201, location=f"/carts/{cart_id}")
    return await call.commit(plan, answer._replace(secret={"token": token}))


handler = Mangum(create_cart, lifespan="off", text_mime_types=TEXT)
