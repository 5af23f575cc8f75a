"""Threat 27: more tries than the limit, one after the other; tests/race/test_people.py sends them at once."""

from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, PASSWORD, TRAIL, log_in
from tests.shop import Shop


def test_of_thirty_guesses_five_are_judged(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    with shop.unchanged(COUNTS, *TRAIL):
        told = [log_in(shop, password=f"a guess, number {number}") for number in range(30)]
    assert [one.status for one in told] == [401] * 5 + [429] * 25
    assert {one.body["code"] for one in told[5:]} == {"rate_limited"}
    assert all(int(one.headers["retry-after"]) > 0 for one in told[5:])
    with shop.unchanged():  # the right one, too
        assert log_in(shop).status == 429
    shop.clock(900)
    assert log_in(shop).status == 200


def test_another_spelling_of_the_address_is_no_other_account(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    spellings = [EMAIL, EMAIL.upper(), EMAIL.title(), "ELENI@example.com", "eleni@EXAMPLE.COM", "Eleni@Example.Com"]
    told = [log_in(shop, one, OTHER_PASSWORD).status for one in spellings]
    assert told == [401] * 5 + [429]


def test_a_header_does_not_make_another_address_of_the_client(shop: Shop) -> None:
    for number in range(50):
        assert log_in(shop, f"user-{number}@example.com").status == 401
    body = {"email": EMAIL, "password": PASSWORD}
    with shop.unchanged():
        reply = shop.post("/auth/log-in", body, headers={"x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9"})
    assert reply.status == 429


def test_a_password_too_long_to_be_one_costs_no_work(shop: Shop) -> None:
    with shop.unchanged():
        assert log_in(shop, password="x" * 100_000).status == 422
        assert log_in(shop, password="x" * 300_000).status == 413
