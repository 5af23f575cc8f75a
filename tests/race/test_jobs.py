"""Jobs beside each other and beside the people whose rows they touch.

Goal: what a job does is done once, and never instead of what somebody else has just done.
Method: as in test_reservations.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.jobs.support import run
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 5
LONG_AGO = "2026-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def running(name: str) -> Asking:
    return Asking("tests.race.run_job", f"/jobs/{name}")


def test_an_unpaid_order_is_paid_or_cancelled_never_both(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=40, price=1000)
        orders = [shop.order({variant: 2}) for _ in range(10)]
        shop.execute("UPDATE orders SET expires_at = ? WHERE status = 'PENDING'", LONG_AGO)
        paying = [
            Asking(
                "functions.orders.record_payment",
                f"/orders/{order['id']}/payments",
                body={"provider": "manual", "amount": 2000},
                headers={"authorization": f"Bearer {shop.admin}", "idempotency-key": f"{number}-{order['id']}"},
            )
            for order in orders
        ]
        cancelling = [running("expire_unpaid_orders")]
        answers = racers.race(shop.url, [*cancelling, *paying[:5], *cancelling * 3, *paying[5:]])
        told = tally([answer for answer in answers if "job" not in answer.body])
        assert set(told) <= {(201, None), (409, "illegal_transition")}
        run("expire_unpaid_orders")
        ids = ", ".join(f"'{order['id']}'" for order in orders)
        statuses = [status for (status,) in shop.rows(f"SELECT status FROM orders WHERE id IN ({ids})")]
        assert statuses.count("PAID") == told[201, None]
        assert statuses.count("CANCELLED") == 10 - told[201, None]
        assert shop.one("SELECT stock FROM inventory WHERE variant_id = ?", variant) == 40 - 2 * told[201, None]
    shop.checked()


def test_an_expired_cart_is_abandoned_once(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=20)
        for _ in range(8):
            cart = shop.post("/carts", {"items": [{"variant_id": variant, "quantity": 1}]}).body
            body = {"variant_id": variant, "quantity": 1, "expires_in": 900, "cart_id": cart["id"]}
            assert shop.post("/stock/reservations", body, api_key=shop.admin).status == 201
        shop.execute("UPDATE carts SET created_at = '2025-12-31T00:00:00.000Z', expires_at = ?", LONG_AGO)
        racers.race(shop.url, [running("expire_carts"), running("expire_reservations")] * 4)
        assert shop.one("SELECT count(*) FROM carts WHERE status = 'ACTIVE'") == 0
        assert shop.rows("SELECT stock, reserved FROM inventory WHERE variant_id = ?", variant) == [(20, 0)]
    shop.checked()


def test_events_that_come_during_the_count_are_counted(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        recording = [
            Asking(
                "functions.analytics.record_events",
                "/events",
                body={
                    "events": [
                        {
                            "event_type": kind,
                            "timestamp": f"2026-11-0{1 + one % 5}T08:00:00.000Z",
                            "session_id": f"{one}",
                        }
                        for kind in ("a", "b")
                    ]
                    * 5
                },
            )
            for one in range(24)
        ]
        requests = [one for event in recording for one in (event, running("roll_up_analytics"))]
        answers = racers.race(shop.url, requests)
        assert {answer.status for answer in answers[::2]} == {201}
        shop.checked()
        run("roll_up_analytics")
        assert shop.one("SELECT sum(events) FROM analytics_daily") == (number + 1) * 240
        assert shop.one("SELECT count(*) FROM analytics_stale_days") == 0
    shop.checked()


def test_counting_what_was_deleted_changes_nothing_and_stops_nobody(shop: Shop, racers: Racers) -> None:
    gone = 0
    for _ in range(ROUNDS):
        products = [shop.one("SELECT product_id FROM variants WHERE id = ?", shop.variant(stock=0)) for _ in range(6)]
        deleting = [
            Asking(
                "functions.catalog.delete_product",
                f"/products/{product}",
                method="DELETE",
                headers={"authorization": f"Bearer {shop.admin}", "if-match": '"1"'},
            )
            for product in products
        ]
        counting = [running("measure_soft_deletes")] * 6
        answers = racers.race(shop.url, [one for pair in zip(deleting, counting, strict=True) for one in pair])
        assert tally(answers[::2]) == {(204, None): 6}
        counts = [answer.body["deleted"] for answer in answers[1::2]]
        # A product goes with its variant in one batch, so no count falls between the two.
        assert all(2 * gone <= count <= 2 * (gone + 6) and count % 2 == 0 for count in counts), counts
        gone += 6
        with shop.unchanged():
            racers.race(shop.url, counting)
            assert run("measure_soft_deletes")["deleted"] == 2 * gone
    shop.checked()
