"""Every status against every step: through the API, and past it on a raw connection."""

import itertools

import pytest

from tests.engines.homes import REFUSED
from tests.functions.orders.support import PATHS, brought, step, view
from tests.shop import Shop

STEPS = {"pay": "PAID", "fulfil": "FULFILLED", "ship": "SHIPPED", "deliver": "DELIVERED", "cancel": "CANCELLED"}
LEGAL = {
    ("PENDING", "PAID"), ("PAID", "FULFILLED"), ("FULFILLED", "SHIPPED"), ("SHIPPED", "DELIVERED"),
    ("PENDING", "CANCELLED"), ("PAID", "CANCELLED"), ("FULFILLED", "CANCELLED"),
}  # fmt: skip
TIMES = ("paid_at", "fulfilled_at", "shipped_at", "delivered_at", "cancelled_at")


@pytest.mark.parametrize(("status", "verb"), list(itertools.product(PATHS, STEPS)))
def test_every_step_from_every_status_through_the_api(shop: Shop, status: str, verb: str) -> None:
    to = STEPS[verb]
    before = brought(shop, status)
    if (status, to) in LEGAL:
        reply = step(shop, before, verb)
        assert reply.status == (201 if verb == "pay" else 200)
        after = view(shop, before["id"])
        assert (after["status"], after["version"]) == (to, before["version"] + 1)
        assert reply.headers["etag"] == f'"{after["version"]}"'
        assert [item["status"] for item in after["items"]] == [to]
        assert {time for time in TIMES if after[time] != before[time]} == {f"{to.lower()}_at"}
        assert verb == "pay" or reply.body == after
        shop.checked()
    else:
        with shop.unchanged():
            reply = step(shop, before, verb, idempotency_key="another")
        assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
        assert (reply.body["from"], reply.body["to"]) == (status, to)


@pytest.mark.parametrize(("status", "to"), list(itertools.product(PATHS, repeat=2)))
def test_every_pair_past_the_api(shop: Shop, status: str, to: str) -> None:
    order = brought(shop, status)
    times = ", ".join(f"{time} = 'x'" for time in TIMES)
    if (status, to) in LEGAL or status == to:
        shop.execute(f"UPDATE orders SET status = ?, {times} WHERE id = ?", to, order["id"])
        assert shop.one("SELECT status FROM orders") == to
    else:
        with shop.unchanged(), pytest.raises(REFUSED) as refused:
            shop.execute(f"UPDATE orders SET status = ?, {times} WHERE id = ?", to, order["id"])
        assert f'guard:illegal_transition:{{"from":"{status}","to":"{to}"}}' in str(refused.value)


@pytest.mark.parametrize("status", [status for status in PATHS if status != "PENDING"])
def test_a_status_has_its_time(shop: Shop, status: str) -> None:
    order = brought(shop, status)
    with pytest.raises(REFUSED, match="orders_status_has_its_time"):
        shop.execute(f"UPDATE orders SET {status.lower()}_at = NULL WHERE id = ?", order["id"])


@pytest.mark.parametrize("status", [status for status in PATHS if status != "PENDING"])
def test_an_order_begins_pending(shop: Shop, status: str) -> None:
    order = shop.order({shop.variant(): 1})
    names = [name for (name,) in shop.rows("SELECT name FROM pragma_table_info('orders')")]
    other = {"id": "'order_2'", "reference": "'2222-2222'", "status": f"'{status}'"}
    picked = ", ".join(other.get(name, f"'{shop.now}'" if name in TIMES else name) for name in names)
    with pytest.raises(REFUSED, match="orders_beginning_refused"):
        shop.execute(f"INSERT INTO orders ({', '.join(names)}) SELECT {picked} FROM orders WHERE id = ?", order["id"])
