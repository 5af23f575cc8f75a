"""What is over is over wherever its token comes from, and between a request's read and its batch, too."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.functions.auth.support import EMAIL, PASSWORD, cookie, log_in
from tests.shop import Shop

ADDRESS = {"full_name": "Eleni", "line1": "Ermou 1", "city": "Athens", "country": "GR"}
CARD = {
    "card_token": "tok_of_the_provider", "bin_number": "454360", "last_four_digits": "1234",
    "card_holder_name": "Eleni", "expiry_month": 12, "expiry_year": 2030,
}  # fmt: skip


def in_a_browser(shop: Shop) -> dict[str, str]:
    """The headers of a browser that has logged in."""
    reply = log_in(shop, cookies=True)
    return {"cookie": f"access_token={cookie(reply, 'access_token')[0]}", "x-csrf-token": reply.body["csrf_token"]}


@pytest.mark.parametrize("how", ["logged out", "suspended"])
def test_a_cookie_of_it_owns_no_cart_and_no_kept_answer(shop: Shop, how: str) -> None:
    user, variant = shop.user("customer", email=EMAIL, password=PASSWORD), shop.variant()
    headers = in_a_browser(shop)
    cart = shop.post("/carts", {"items": [{"variant_id": variant, "quantity": 1}]}, headers=headers).body["id"]
    body = shop.checkout_body({variant: 1})
    first = shop.post("/checkout", body, headers=headers, idempotency_key="mine")
    assert (first.status, shop.get(f"/carts/{cart}", headers=headers).status) == (201, 200)
    if how == "suspended":
        shop.execute("UPDATE user_sessions SET revoked_at = ?", shop.now)
        shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
    else:
        assert shop.post("/auth/log-out", headers=headers).status == 204
    with shop.unchanged():
        assert shop.get(f"/carts/{cart}", headers=headers).status == 404
        sale = {**shop.checkout_body(), "cart_id": cart}
        assert shop.post("/checkout", sale, headers=headers, idempotency_key="cart").status == 404
    again = shop.post("/checkout", body, headers=headers, idempotency_key="mine")
    assert (again.status, again.headers.get("idempotency-replayed")) == (201, None), "a stranger got the kept answer"
    assert again.body["id"] != first.body["id"]


@pytest.mark.parametrize(
    "other", ['x={"a":1}', "x=a b", "Path=/", "x=\u00e9", "flag", "a[b]=1", "x=a,b", 'x="a', "access_tokens=x"]
)
def test_what_other_cookies_look_like_logs_nobody_out(shop: Shop, other: str) -> None:
    shop.user("customer", email=EMAIL, password=PASSWORD)
    own = in_a_browser(shop)["cookie"]
    for jar in (f"{other}; {own}", f"{own}; {other}", f"{own};{other};"):
        assert shop.get("/me", headers={"cookie": jar}).status == 200


def test_two_cookies_of_one_name_are_none(shop: Shop) -> None:
    """A neighbouring host can plant one."""
    shop.user("customer", email=EMAIL, password=PASSWORD)
    own = in_a_browser(shop)["cookie"]
    assert shop.get("/me", headers={"cookie": f"{own}; access_token=planted"}).status == 401
    assert shop.get("/me", headers={"cookie": f"access_token=planted; {own}"}).status == 401


@pytest.mark.parametrize(("module", "path", "body"), [("address", "addresses", ADDRESS), ("card", "cards", CARD)])
def test_a_session_that_ends_between_read_and_batch_writes_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, module: str, path: str, body: dict[str, Any]
) -> None:
    token = shop.session(shop.user("customer", email=EMAIL, password=PASSWORD))
    endpoint = importlib.import_module(f"functions.me.create_{module}")
    real = endpoint.dumps

    def meanwhile(value: Any) -> str:
        shop.execute("UPDATE user_sessions SET revoked_at = ?", shop.now)
        text: str = real(value)
        return text

    monkeypatch.setattr(endpoint, "dumps", meanwhile)
    with shop.unchanged("user_sessions"):
        reply = shop.post(f"/me/{path}", body, token=token, idempotency_key="key")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
