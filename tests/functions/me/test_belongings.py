"""/me/addresses and /me/cards: kept, shown, changed and forgotten by their owner alone; one default of each."""

from typing import Any

import pytest

from tests.functions.me.belongings import KINDS, add, defaults
from tests.shop import Shop

NUMBER = "4111 1111 1111 1111"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_kept_shown_changed_and_forgotten(shop: Shop, kind: str) -> None:
    body, table, name = KINDS[kind]
    token = shop.session(shop.user("customer"))
    reply = add(shop, kind, token)
    made = reply.body
    path = f"/me/{kind}/{made['id']}"
    assert (reply.status, reply.headers["location"]) == (201, path)
    assert {key: made[key] for key in body} == body
    assert set(made) == {*body, "id", "created_at", "updated_at"}, "no token in the answer"
    assert shop.get(f"/me/{kind}", token=token).body == {"items": [made], "next_cursor": None}
    if kind == "addresses":
        assert shop.get(path, token=token).body == made
    shop.clock(1)
    changed = shop.patch_(path, {name: "Other"}, token=token).body
    assert changed == {**made, name: "Other", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    assert shop.get(f"/me/{kind}", token=token).body["items"] == [changed]
    with shop.unchanged():
        assert shop.patch_(path, {}, token=token).body == changed
    assert shop.delete(path, token=token).status == 204
    assert shop.rows(f"SELECT * FROM {table}") == []
    assert shop.delete(path, token=token).status == 404
    shop.checked()


def test_one_default(shop: Shop, kind: str) -> None:
    token = shop.session(shop.user("customer"))
    another = add(shop, kind, shop.session(shop.user("customer")), is_default=True).body["id"]
    first = add(shop, kind, token, is_default=True).body
    second = add(shop, kind, token, is_default=True).body
    assert second["is_default"] is True
    assert defaults(shop, kind) == sorted([another, second["id"]])
    shop.clock(1)
    assert shop.patch_(f"/me/{kind}/{first['id']}", {"is_default": True}, token=token).body["is_default"] is True
    assert defaults(shop, kind) == sorted([another, first["id"]])
    assert shop.patch_(f"/me/{kind}/{first['id']}", {"is_default": False}, token=token).status == 200
    assert defaults(shop, kind) == [another]
    shop.checked()


def test_the_same_key_keeps_one(shop: Shop, kind: str) -> None:
    token = shop.session(shop.user("customer"))
    body = {**KINDS[kind][0], **({"card_token": "tok_abcdefgh"} if kind == "cards" else {})}
    replies = [shop.post(f"/me/{kind}", body, token=token, idempotency_key="key") for _ in range(2)]
    assert replies[0].body == replies[1].body
    assert shop.one(f"SELECT count(*) FROM {KINDS[kind][1]}") == 1
    assert "tok_abcdefgh" not in shop.one("SELECT answer FROM idempotency_keys")


def test_pages(shop: Shop, kind: str) -> None:
    token = shop.session(shop.user("customer"))
    ids = []
    for _ in range(3):
        shop.clock(1)
        ids.append(add(shop, kind, token).body["id"])
    first = shop.get(f"/me/{kind}?limit=2", token=token).body
    rest = shop.get(f"/me/{kind}?limit=2&cursor={first['next_cursor']}", token=token).body
    assert [item["id"] for item in first["items"] + rest["items"]] == ids


def test_nobody_and_no_key_has_any(shop: Shop, kind: str) -> None:
    add(shop, kind, shop.session(shop.user("customer")))
    other = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert shop.get(f"/me/{kind}", token=other).body["items"] == []
        assert shop.get(f"/me/{kind}", api_key=shop.admin).status == 403
        assert shop.get(f"/me/{kind}").status == 401


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("addresses", "country", "gr", "string_pattern_mismatch"),
        ("addresses", "full_name", "", "string_too_short"),
        ("addresses", "phone", "123", "phone"),
        ("addresses", "user_id", "user_x", "extra_forbidden"),
        ("cards", "card_token", NUMBER, "card_number"),
        ("cards", "card_token", "1234567890", "card_number"),
        ("cards", "card_token", "tok_4111111111111111", "card_number"),
        ("cards", "card_alias", f"mine {NUMBER}", "card_number"),
        ("cards", "card_holder_name", "4111111111111111", "card_number"),
        ("cards", "bin_number", "45436", "string_pattern_mismatch"),
        ("cards", "bin_number", "454360123", "string_pattern_mismatch"),
        ("cards", "last_four_digits", "12345", "string_pattern_mismatch"),
        ("cards", "expiry_month", 13, "less_than_equal"),
        ("cards", "card_number", NUMBER, "extra_forbidden"),
    ],
)
def test_refuses_invalid(shop: Shop, kind: str, field: str, value: Any, code: str) -> None:
    token = shop.session(shop.user("customer"))
    with shop.unchanged():
        reply = add(shop, kind, token, **{field: value})
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, f"/{field}")
    assert reply.body["errors"][0]["code"] == code
    assert "4111" not in reply.text
