"""The way of a request into a handler: whatever is sent, the answer is one of the contract's, and never a 5xx."""

import json
import re
from typing import Any

import pytest

from functions.carts.add_cart_item import add_cart_item
from functions.carts.create_cart import create_cart
from functions.carts.view_cart import view_cart
from functions.checkout import checkout
from functions.orders.cancel_order import cancel_order
from functions.orders.list_orders import list_orders
from tests.api.asgi import JSON, Told, ask
from tests.functions.carts.support import guest
from tests.shop import Shop


def order(shop: Shop, raw: str | bytes, headers: list[tuple[str, str]] | None = None) -> Told:
    """A checkout of `raw` that must change nothing."""
    with shop.unchanged():
        return ask(
            checkout,
            "/checkout",
            headers=[("idempotency-key", "key"), *(JSON if headers is None else headers)],
            pieces=(raw.encode() if isinstance(raw, str) else raw,),
        )


def text_of(shop: Shop, **more: Any) -> str:
    return json.dumps(shop.checkout_body({shop.variant(): 1}, **more))


NOT_JSON = [
    b"{", b"nul", b"{'a': 1}", b'{"a": 1,}', b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}',
    b'{"a": -1e999}', b"\xff\xfe\xfd", b'{"a": "\xc3\x28"}', b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'{"a": 01}',
    b'{"a": .5}', b'{"a": 0x10}', b'{"a": "\x01"}', b'{"a": 1} {"b": 2}', b'{"a": ' + b"9" * 5_000 + b"}", b" ",
]  # fmt: skip


@pytest.mark.parametrize("raw", NOT_JSON, ids=range(len(NOT_JSON)))
def test_refuses_malformed_json(shop: Shop, raw: bytes) -> None:
    told = order(shop, raw)
    assert (told.status, told.code) == (400, "malformed_json")
    assert told.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("raw", ["[]", "null", "1", '"x"', "true", "1.5"])
def test_refuses_a_body_that_is_no_object(shop: Shop, raw: str) -> None:
    told = order(shop, raw)
    assert (told.status, told.body["errors"][0]["code"]) == (422, "object")


@pytest.mark.parametrize(("deep", "code"), [(63, 422), (100, 422), (500, 400), (900, 400), (10_000, 400)])
@pytest.mark.parametrize("form", ["[]", '{"a":}'])
def test_refuses_depth(shop: Shop, deep: int, code: int, form: str) -> None:
    """What is deeper than a parser bears is malformed, what only the parser bears is invalid."""
    told = order(shop, f'{{"metadata": {{"a": {form[:-1] * deep}1{form[-1] * deep}}}}}')
    assert told.status == code
    assert code == 400 or told.body["errors"][0]["code"] == "recursion_loop"


def test_takes_depth_that_people_use(shop: Shop) -> None:
    nested: Any = 1
    for _ in range(60):
        nested = [nested]
    body = shop.checkout_body({shop.variant(): 1}, metadata={"a": nested})
    reply = shop.post("/checkout", body, idempotency_key="key")
    assert (reply.status, reply.body["metadata"]) == (201, {"a": nested})


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\\\\\u0000"])
def test_refuses_nul(shop: Shop, text: str) -> None:
    for raw in (f'{{"notes": "{text}"}}', f'{{"metadata": {{"{text}": 1}}}}'):
        told = order(shop, raw)
        assert (told.status, told.body["errors"][0]["code"]) == (422, "nul")


def test_takes_what_only_looks_like_nul(shop: Shop) -> None:
    body = json.dumps(shop.checkout_body({shop.variant(): 1}))[:-1] + ', "notes": "\\\\u0000 \\u0001"}'
    reply = shop.post("/checkout", body, idempotency_key="key")
    assert (reply.status, reply.body["notes"]) == (201, "\\u0000 \x01")


NUMBERS = [10**30, -(10**30), 10**4_000, 1e300, 2**63]


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_takes_any_number_as_data_and_none_as_a_quantity(shop: Shop, number: float) -> None:
    variant = shop.variant()
    assert order(shop, json.dumps(shop.checkout_body({variant: number}))).status == 422  # type: ignore[dict-item]
    assert order(shop, json.dumps(shop.checkout_body({variant: 1}, expected_total=number))).status in (409, 422)
    body = shop.checkout_body({variant: 1}, metadata={"n": number})
    first = shop.post("/checkout", body, idempotency_key="key")
    assert (first.status, first.body["metadata"]["n"]) == (201, number)
    assert shop.post("/checkout", body, idempotency_key="key").text == first.text


def test_keeps_every_script_as_it_was_sent(shop: Shop) -> None:
    name = "Ελένη Çağrı सीता 🛒 \u202e \x7f \u0301"
    body = shop.checkout_body({shop.variant(): 1}, metadata={name: name}, notes=name)
    placed = shop.post("/checkout", body, idempotency_key="key").body
    found = shop.get(f"/orders/{placed['id']}", api_key=shop.admin).body
    assert placed == found
    assert (found["notes"], found["metadata"]) == (name, {name: name})


# -- media type and size


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"],
)
def test_refuses_another_media_type(shop: Shop, kind: str) -> None:
    told = order(shop, "{}", [("content-type", kind)] if kind else [])
    assert (told.status, told.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", " application/json ;x"])
def test_takes_json_however_it_is_written(shop: Shop, kind: str) -> None:
    assert order(shop, "{}", [("content-type", kind)]).status == 422


def test_an_empty_body_is_an_empty_object(shop: Shop) -> None:
    assert order(shop, "", []).status == 422
    assert ask(create_cart, "/carts").status == 201


def test_a_body_may_come_in_pieces(shop: Shop) -> None:
    raw = text_of(shop).encode()
    pieces = tuple(raw[start : start + 7] for start in range(0, len(raw), 7))
    assert ask(checkout, "/checkout", headers=[*JSON, ("idempotency-key", "key")], pieces=pieces).status == 201


def test_refuses_a_body_that_is_too_large_before_all_of_it_came(shop: Shop) -> None:
    piece = b" " * 100_000
    told = ask(checkout, "/checkout", headers=[*JSON, ("idempotency-key", "key")], pieces=(piece,) * 100)
    assert (told.status, told.code) == (413, "payload_too_large")


# -- paths, methods, queries


@pytest.mark.parametrize(
    "path", ["/", "/cart", "/carts/", "/carts/a/b", "/carts/x\0", "/carts/\ud800", "/CARTS/x", "//carts/x", "/carts/\n"]
)
def test_refuses_a_path_that_is_not_there(shop: Shop, path: str) -> None:
    told = ask(view_cart, path)
    assert told.status == 404
    if path != "/carts/\n":
        assert told.code == "not_found"


def test_a_path_may_be_percent_encoded(shop: Shop) -> None:
    cart = guest(shop)
    encoded = "".join(f"%{byte:02X}" for byte in cart.id.encode())
    assert shop.get(f"/carts/{encoded}", cart_token=cart.token).body["id"] == cart.id
    for strange in ("%2e%2e", "%00", "%FF", "%ed%a0%80", "%2Fcarts", "%25", "é", "%E2%80%AE"):
        assert ask(view_cart, f"/carts/{strange}", headers=[("x-cart-token", cart.token)]).status == 404


def test_a_value_in_the_path_has_a_length(shop: Shop) -> None:
    told = ask(view_cart, "/carts/" + "x" * 5_000)
    assert (told.status, told.pointers) == (422, ["/cart"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "post"])
def test_refuses_another_method_and_names_those_there_are(shop: Shop, method: str) -> None:
    told = ask(checkout, "/checkout", method=method)
    assert (told.status, told.code, told.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_names_every_method_of_a_path(shop: Shop) -> None:
    from tests.shop import endpoints

    endpoints()
    assert ask(view_cart, "/carts/x", method="PUT").headers["allow"] == "DELETE, GET, PATCH"


@pytest.mark.parametrize("query", [b"colour=blue", b"cart=x", b"limit=1", b"X-Cart-Token=x", b"=", b"a%2Fb=1"])
def test_refuses_a_query_parameter_that_is_not_known(shop: Shop, query: bytes) -> None:
    cart = guest(shop)
    told = ask(view_cart, cart.path, query=query, headers=[("x-cart-token", cart.token)])
    name = query.partition(b"=")[0].decode().replace("%2F", "~1")
    assert (told.status, told.code, told.pointers) == (422, "invalid", [f"/{name}"])


@pytest.mark.parametrize("query", [b"quantity=1", b"cart=x", b"variant_id=x"])
def test_a_field_of_the_body_is_no_query_parameter(shop: Shop, query: bytes) -> None:
    cart = guest(shop)
    raw = json.dumps({"variant_id": shop.variant(), "quantity": 1}).encode()
    headers = [*JSON, ("x-cart-token", cart.token)]
    told = ask(add_cart_item, f"{cart.path}/items", query=query, headers=headers, pieces=(raw,))
    assert (told.status, told.code) == (422, "invalid")
    assert cart.quantities() == {}


def test_a_value_of_the_path_is_no_field_of_the_body(shop: Shop) -> None:
    cart = guest(shop)
    raw = json.dumps({"variant_id": shop.variant(), "quantity": 1, "cart": "x"}).encode()
    told = ask(add_cart_item, f"{cart.path}/items", headers=[*JSON, ("x-cart-token", cart.token)], pieces=(raw,))
    assert (told.status, told.pointers) == (422, ["/cart"])


def test_refuses_a_query_parameter_that_comes_twice(shop: Shop) -> None:
    for query in (b"limit=1&limit=1", b"limit=1&limit=2", b"limit=&limit="):
        told = ask(list_orders, "/orders", query=query, headers=[("authorization", f"Bearer {shop.admin}")])
        assert (told.status, told.pointers, told.body["errors"][0]["code"]) == (422, ["/limit"], "repeated")


QUERIES = [b"limit=%zz", b"limit=%ff", b"limit=1;limit=2", b"\xff=1", b"limit=1%00", b"phone=\xc3\xa9", b"&" * 9_000]


@pytest.mark.parametrize("query", [*QUERIES, b"a=1&" * 60, b"limit=" + b"1" * 9_000])
def test_refuses_a_query_that_cannot_be_read(shop: Shop, query: bytes) -> None:
    told = ask(list_orders, "/orders", query=query, headers=[("authorization", f"Bearer {shop.admin}")])
    assert (told.status, told.code) == (422, "invalid")


def test_a_query_may_be_empty(shop: Shop) -> None:
    for query in (b"", b"&", b"&&"):
        told = ask(list_orders, "/orders", query=query, headers=[("authorization", f"Bearer {shop.admin}")])
        assert told.status == 200


def test_a_pointer_is_escaped(shop: Shop) -> None:
    told = order(shop, '{"a/b~c": 1, "customer": {"~/": 1}}')
    assert {"/a~1b~0c", "/customer/~0~1"} <= set(told.pointers)


def test_names_at_most_twenty_errors(shop: Shop) -> None:
    assert len(order(shop, json.dumps({f"f{number}": 1 for number in range(1_000)})).pointers) == 20


# -- headers


@pytest.mark.parametrize("name", ["authorization", "content-type", "idempotency-key", "if-match", "x-cart-token"])
def test_refuses_a_header_that_comes_twice(shop: Shop, name: str) -> None:
    value = {"authorization": f"Bearer {shop.admin}", "content-type": "application/json"}.get(name, "x")
    headers = [*JSON, ("idempotency-key", "key"), (name, value), (name, value)]
    raw = text_of(shop).encode()
    with shop.unchanged():
        told = ask(checkout, "/checkout", headers=headers, pieces=(raw,))
    assert (told.status, told.pointers) == (422, [f"/headers/{name}"])


def test_other_headers_may_come_twice(shop: Shop) -> None:
    headers = [*JSON, ("idempotency-key", "key"), ("x-other", "1"), ("x-other", "2"), ("accept", "a"), ("accept", "b")]
    assert ask(checkout, "/checkout", headers=headers, pieces=(text_of(shop).encode(),)).status == 201


@pytest.mark.parametrize("sent", ["abc", "a" * 128, "1-2_3:4.5", "8f14e45f-ceea-4671-a12e-1b2c3d4e5f60"])
def test_answers_with_a_sane_request_id(shop: Shop, sent: str) -> None:
    assert ask(view_cart, "/carts/x", headers=[("x-request-id", sent)]).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 129, "a b", "a\nb", "a\r\nset-cookie: x", "<script>", "é", "\x00", '"'])
def test_makes_a_request_id_in_place_of_a_strange_one(shop: Shop, sent: str) -> None:
    made = ask(view_cart, "/carts/x", headers=[("x-request-id", sent)]).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_every_answer_says_how_long_the_database_took_and_is_not_stored(shop: Shop) -> None:
    for told in (ask(view_cart, "/carts/x"), ask(create_cart, "/carts"), ask(checkout, "/checkout", method="GET")):
        assert re.fullmatch(r'db;dur=\d+\.\d\d;desc="\d+"', told.headers["server-timing"])
        assert told.headers["cache-control"] == "no-store"
        assert told.headers["content-length"] == str(len(told.raw))


def test_if_match_is_a_version_or_anything(shop: Shop) -> None:
    cart = guest(shop)
    raw = json.dumps({"variant_id": shop.variant(), "quantity": 1}).encode()
    for version, sent in enumerate(('"1"', '"2"', "*", ' "4" ', " * "), 1):
        headers = [*JSON, ("x-cart-token", cart.token), ("if-match", sent)]
        told = ask(add_cart_item, f"{cart.path}/items", headers=headers, pieces=(raw,))
        assert (told.status, told.headers["etag"]) == (201, f'"{version + 1}"')
    for sent in ("6", '"x"', '""', '"6", "7"', '"-6"', '"6', "w/6", 'W/"6"', '"06 "', '"' + "9" * 30 + '"', "é"):
        headers = [*JSON, ("x-cart-token", cart.token), ("if-match", sent)]
        told = ask(add_cart_item, f"{cart.path}/items", headers=headers, pieces=(raw,))
        assert (told.status, told.code) == (412, "stale_version"), sent


def test_a_precondition_that_is_needed_is_asked_for(shop: Shop) -> None:
    placed = shop.order({shop.variant(): 1})
    with shop.unchanged():
        told = ask(cancel_order, f"/orders/{placed['id']}/cancel", headers=[("authorization", f"Bearer {shop.admin}")])
    assert (told.status, told.code) == (428, "precondition_required")


# -- defects of ours


def test_an_exception_of_ours_is_told_without_its_words(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(request: Any, call: Any) -> Any:
        raise RuntimeError("SELECT secret FROM users")

    monkeypatch.setattr(view_cart, "run", broken)
    told = ask(view_cart, "/carts/x")
    assert (told.status, told.code) == (500, "internal")
    assert b"SELECT" not in told.raw and b"RuntimeError" not in told.raw


def test_a_database_that_is_away_is_busy(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.helper import Busy, TimedOut, Unavailable
    from tests.engines.homes import database_class

    for error in (Busy("locked"), TimedOut("stopped"), Unavailable("disk I/O error")):

        async def read(self: Any, *statements: Any, error: Exception = error, **how: Any) -> Any:
            raise error

        monkeypatch.setattr(database_class(), "read", read)
        told = ask(view_cart, "/carts/x")
        assert (told.status, told.code, told.headers["retry-after"]) == (503, "busy", "1")
        assert str(error).encode() not in told.raw
