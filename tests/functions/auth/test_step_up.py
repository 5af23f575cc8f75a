"""POST /auth/step-up: the password again, or the second factor, good for ten minutes of one session."""

import json

import pytest

from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, PASSWORD, TRAIL, events, log_in
from tests.functions.me.two_factor import RENEW, SECRET, TURN_ON, code, factor, protected, refused
from tests.shop import Reply, Shop


def step_up(shop: Shop, token: str, **sent: object) -> Reply:
    return shop.post("/auth/step-up", sent, token=token)


def test_the_password_again_is_good_for_ten_minutes_of_this_session(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token, other = shop.session(user), shop.session(user)
    reply = step_up(shop, token, password=PASSWORD)
    assert (reply.status, reply.text) == (204, "")
    assert events(shop) == [("stepped_up", user)]
    refused(shop.post(TURN_ON, token=other), 403, "step_up_required")
    assert shop.post(TURN_ON, token=token).status == 201
    shop.clock(599)
    assert shop.post(TURN_ON, token=token).status == 201
    shop.clock(2)
    refused(shop.post(TURN_ON, token=token), 403, "step_up_required")
    shop.checked()


def test_who_has_a_second_factor_shows_that(shop: Shop) -> None:
    user = protected(shop, stepped_up=False)
    assert step_up(shop, user.token, code=code()).status == 204
    assert shop.post(RENEW, token=user.token).status == 200
    assert factor(shop, user.id)[2] > 0
    shop.checked()


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_is_good_once(shop: Shop, steps: int) -> None:
    user = protected(shop)
    used = code(steps=steps)
    assert step_up(shop, user.token, code=used).status == 204
    with shop.unchanged(COUNTS, *TRAIL):
        refused(step_up(shop, user.token, code=used), 401, "invalid_credentials")
        refused(step_up(shop, user.token, code=code(steps=steps - 1)), 401, "invalid_credentials")
    assert events(shop) == [("stepped_up", user.id), *[("step_up_failed", user.id)] * 2]


def test_a_recovery_code_is_good_once_however_it_is_written(shop: Shop) -> None:
    user = protected(shop)
    first, second, *_ = user.recovery_codes
    assert step_up(shop, user.token, code=f" {first.replace('-', ' ').upper()} ").status == 204
    assert factor(shop, user.id)[2:] == (0, 6, 5)
    with shop.unchanged(COUNTS, *TRAIL):
        refused(step_up(shop, user.token, code=first), 401, "invalid_credentials")
    assert step_up(shop, user.token, code=second).status == 204
    used = shop.rows("SELECT payload FROM security_events WHERE type = 'recovery_code_used' ORDER BY id")
    assert [json.loads(payload) for (payload,) in used] == [{"left": 5}, {"left": 4}]


@pytest.mark.parametrize(
    "sent",
    [{"code": "000000"}, {"code": "early"}, {"code": "abcde-fgh99"}, {"code": "x", "password": PASSWORD}],
)  # fmt: skip
def test_refuses_invalid_credentials(shop: Shop, sent: dict[str, str]) -> None:
    user = protected(shop, stepped_up=False)
    sent = {**sent, "code": code(SECRET, 3)} if sent["code"] == "early" else sent
    with shop.unchanged(COUNTS, *TRAIL):
        refused(step_up(shop, user.token, **sent), 401, "invalid_credentials")


def test_refuses_a_wrong_password_and_one_of_who_has_none(shop: Shop) -> None:
    plain = shop.session(shop.user(email="plain@example.com", password=PASSWORD))
    without = shop.session(shop.user(email="without@example.com"))
    with shop.unchanged(COUNTS, *TRAIL):
        refused(step_up(shop, plain, password=OTHER_PASSWORD), 401, "invalid_credentials")
        refused(step_up(shop, without, password=PASSWORD), 401, "invalid_credentials")


def test_refuses_two_factor_required(shop: Shop) -> None:
    user = protected(shop, stepped_up=False)
    with shop.unchanged():
        refused(step_up(shop, user.token, password=PASSWORD), 401, "two_factor_required")


def test_refuses_nothing_shown(shop: Shop) -> None:
    token = shop.session(shop.user(email=EMAIL, password=PASSWORD))
    with shop.unchanged():
        reply = step_up(shop, token)
        refused(reply, 422, "invalid")
        assert reply.body["errors"][0]["pointer"] == "/password"
        refused(shop.post("/auth/step-up", {"password": PASSWORD}), 401, "unauthenticated")
        refused(shop.post("/auth/step-up", {"password": PASSWORD}, api_key=shop.admin), 403, "forbidden")


def test_a_right_one_leaves_no_count(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token = shop.session(user)
    assert step_up(shop, token, password=PASSWORD).status == 204
    assert shop.rows("SELECT * FROM rate_limits") == []


def test_refuses_rate_limited_with_those_of_log_in(shop: Shop) -> None:
    user = protected(shop)
    for _ in range(3):
        refused(step_up(shop, user.token, code="000000"), 401, "invalid_credentials")
    for _ in range(2):
        refused(log_in(shop, EMAIL, OTHER_PASSWORD), 401, "invalid_credentials")
    with shop.unchanged():
        reply = step_up(shop, user.token, code=code())
        refused(reply, 429, "rate_limited")
        assert int(reply.headers["retry-after"]) > 0
    assert [kind for kind, _ in events(shop)].count("step_up_failed") == 3
    shop.clock(900)
    assert step_up(shop, shop.session(user.id), code=code()).status == 204
    assert shop.one("SELECT count(*) FROM rate_limits WHERE scope GLOB 'login:*' AND expires_at > ?", shop.now) == 0
