"""POST /auth/log-in of who has a second factor."""

import pytest

from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, TRAIL, events, log_in
from tests.functions.me.two_factor import RENEW, SECRET, code, factor, protected, refused
from tests.shop import Shop


def test_refuses_two_factor_required(shop: Shop) -> None:
    protected(shop)
    with shop.unchanged(COUNTS):
        refused(log_in(shop), 401, "two_factor_required")
    scopes = "SELECT count(*) FROM rate_limits WHERE substr(scope, 1, ?) = ?"
    # A right password is none of the client's tries; the account's it is, until the code is right, too.
    assert [shop.one(scopes, len(one), one) for one in ("login:", "address:")] == [1, 0]
    with shop.unchanged(COUNTS, *TRAIL):  # nobody is told of a factor who does not know the password
        refused(log_in(shop, EMAIL, OTHER_PASSWORD), 401, "invalid_credentials")


def test_a_code_opens_a_session_that_is_stepped_up(shop: Shop) -> None:
    user = protected(shop)
    used = code()
    reply = log_in(shop, code=used)
    assert reply.status == 200
    assert reply.body["user"]["two_factor_enabled"] is True
    assert shop.post(RENEW, token=reply.body["access_token"]).status == 200
    with shop.unchanged(COUNTS, *TRAIL):
        refused(log_in(shop, code=used), 401, "invalid_credentials")
    assert factor(shop, user.id)[2] > 0
    shop.checked()


def test_a_recovery_code_opens_one_session(shop: Shop) -> None:
    user = protected(shop)
    assert log_in(shop, code=user.recovery_codes[2]).status == 200
    assert sorted(kind for kind, _ in events(shop)) == ["log_in", "recovery_code_used"]
    with shop.unchanged(COUNTS, *TRAIL):
        refused(log_in(shop, code=user.recovery_codes[2]), 401, "invalid_credentials")
    assert log_in(shop, code=user.recovery_codes[3]).status == 200
    shop.checked()


@pytest.mark.parametrize("wrong", ["000000", "early", "abcde-fgh99", "x"])
def test_a_wrong_code_answers_as_a_wrong_password(shop: Shop, wrong: str) -> None:
    user = protected(shop)
    wrong = code(SECRET, 3) if wrong == "early" else wrong
    with shop.unchanged(COUNTS, *TRAIL):
        reply = log_in(shop, code=wrong)
    assert (reply.status, reply.text) == (401, log_in(shop, EMAIL, OTHER_PASSWORD, code=wrong).text)
    assert events(shop) == [("log_in_failed", user.id)] * 2


def test_who_has_none_may_send_a_code(shop: Shop) -> None:
    user = protected(shop)
    shop.execute("UPDATE users SET two_factor_enabled_at = NULL WHERE id = ?", user.id)
    reply = log_in(shop, code="000000")
    assert reply.status == 200
    refused(shop.delete("/me/two-factor", token=reply.body["access_token"]), 403, "step_up_required")
