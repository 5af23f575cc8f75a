"""POST /me/two-factor/confirm: the factor is on, and the codes for a lost app are shown once."""

import hashlib
import re

import pytest

from tests.functions.auth.support import events
from tests.functions.me.two_factor import (
    CONFIRM,
    RENEW,
    SECRET,
    TURN_ON,
    code,
    factor,
    live_sessions,
    protected,
    refused,
)
from tests.shop import Shop


def test_turns_it_on_and_ends_the_other_sessions(shop: Shop) -> None:
    user = shop.user("customer")
    token, other = shop.session(user, stepped_up=True), shop.session(user)
    stranger = shop.session(shop.user())
    secret = shop.post(TURN_ON, token=token).body["secret"]
    reply = shop.post(CONFIRM, {"code": f" {code(secret)[:3]} {code(secret)[3:]}"}, token=token)
    assert reply.status == 200
    codes = reply.body["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch("[a-z2-7]{5}-[a-z2-7]{5}", one) for one in codes)
    kept = {hashed for (hashed,) in shop.rows("SELECT code_hash FROM recovery_codes")}
    assert kept == {hashlib.sha256(one.replace("-", "").upper().encode()).hexdigest() for one in codes}
    _, on, step, *counted = factor(shop, user)
    assert (on, step > 0, counted) == (1, True, [10, 10])
    assert events(shop) == [("two_factor_enabled", user)]
    assert live_sessions(shop, user) == 1
    assert shop.post(RENEW, token=token).status == 200
    assert shop.post(RENEW, token=other).status == 401
    assert shop.get("/orders", token=stranger).status == 200
    shop.checked()


def test_its_code_is_used_up(shop: Shop) -> None:
    user = shop.user("customer")
    token = shop.session(user, stepped_up=True)
    secret = shop.post(TURN_ON, token=token).body["secret"]
    used = code(secret)
    assert shop.post(CONFIRM, {"code": used}, token=token).status == 200
    refused(shop.post("/auth/step-up", {"code": used}, token=token), 401, "invalid_credentials")


@pytest.mark.parametrize("wrong", ["000000", "12345", "abcde-fgh22", "early", "１２３４５６"])
def test_refuses_invalid_credentials(shop: Shop, wrong: str) -> None:
    token = shop.session(shop.user(), stepped_up=True)
    shop.post(TURN_ON, token=token)
    wrong = code(SECRET, 5) if wrong == "early" else wrong
    with shop.unchanged():
        refused(shop.post(CONFIRM, {"code": wrong}, token=token), 401, "invalid_credentials")


def test_refuses_not_found(shop: Shop) -> None:
    token = shop.session(shop.user(), stepped_up=True)
    with shop.unchanged():
        refused(shop.post(CONFIRM, {"code": "123456"}, token=token), 404, "not_found")


def test_refuses_two_factor_enabled(shop: Shop) -> None:
    user = protected(shop)
    with shop.unchanged():
        refused(shop.post(CONFIRM, {"code": code()}, token=user.token), 409, "two_factor_enabled")


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 123456}, {"code": "1" * 51}, {"code": "123456", "on": 1}])
def test_refuses_another_shape(shop: Shop, body: dict[str, object]) -> None:
    token = shop.session(shop.user(), stepped_up=True)
    shop.post(TURN_ON, token=token)
    with shop.unchanged():
        refused(shop.post(CONFIRM, body, token=token), 422, "invalid")


def test_refuses_step_up_required(shop: Shop) -> None:
    """Whoever holds a session alone can neither guess at a factor that is waiting nor turn it on."""
    user = shop.user()
    shop.post(TURN_ON, token=shop.session(user, stepped_up=True))
    token = shop.session(user)
    with shop.unchanged():
        refused(shop.post(CONFIRM, {"code": "000000"}, token=token), 403, "step_up_required")
