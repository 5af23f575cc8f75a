"""DELETE /stock/reservations/{reservation}."""

import pytest

from tests.functions.stock.support import held, moves_of, reserve, stock_of
from tests.shop import Reply, Shop


def release(shop: Shop, hold: str) -> Reply:
    return shop.delete(f"/stock/reservations/{hold}", api_key=shop.admin)


def test_releases_what_is_held(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    hold, other = held(shop, variant, 3), held(shop, variant, 1)
    reply = release(shop, hold["id"])
    assert (reply.status, reply.body) == (204, None)
    assert reply.headers["server-timing"].endswith('desc="2"')
    found = stock_of(shop, variant)
    assert (found["available"], found["reserved"]) == (4, 1)
    assert dict(shop.rows("SELECT id, status FROM reservations")) == {hold["id"]: "RELEASED", other["id"]: "HELD"}
    assert moves_of(shop, variant) == [("reservation", -3, 2), ("reservation", -1, 1), ("release", 3, 4)]
    shop.checked()


def test_refuses_reservation_ended_the_second_time(shop: Shop) -> None:
    hold = held(shop, shop.variant())["id"]
    assert release(shop, hold).status == 204
    with shop.unchanged():
        reply = release(shop, hold)
    assert (reply.status, reply.body["code"], reply.body["reservation_status"]) == (
        409, "reservation_ended", "RELEASED",
    )  # fmt: skip


def test_refuses_reservation_ended_by_time(shop: Shop) -> None:
    variant = shop.variant()
    hold = held(shop, variant, expires_in=10)["id"]
    shop.clock(10)
    with shop.unchanged():
        reply = release(shop, hold)
    assert (reply.status, reply.body["code"], reply.body["reservation_status"]) == (409, "reservation_ended", "EXPIRED")
    reserve(shop, variant)
    assert shop.one("SELECT status FROM reservations WHERE id = ?", hold) == "EXPIRED"
    with shop.unchanged():
        assert release(shop, hold).body["reservation_status"] == "EXPIRED"


@pytest.mark.parametrize("status", ["CONSUMED", "RELEASED", "EXPIRED"])
def test_refuses_reservation_ended(shop: Shop, status: str) -> None:
    hold = held(shop, shop.variant())["id"]
    shop.execute("UPDATE reservations SET status = ? WHERE id = ?", status, hold)
    with shop.unchanged():
        reply = release(shop, hold)
    assert (reply.status, reply.body["code"], reply.body["reservation_status"]) == (409, "reservation_ended", status)


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        reply = release(shop, shop.ids("reservation")[0])
    assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_without_the_permission(shop: Shop) -> None:
    path = f"/stock/reservations/{held(shop, shop.variant())['id']}"
    reader, holder = shop.api_key("stock:read"), shop.api_key("stock:reserve")
    with shop.unchanged():
        assert shop.delete(path).status == 401
        assert shop.delete(path, api_key=reader).status == 403
    assert shop.delete(path, api_key=holder).status == 204
