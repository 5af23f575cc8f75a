"""POST /me/two-factor/recovery-codes: ten new ones, and none of the old."""

from tests.functions.auth.support import events
from tests.functions.me.two_factor import RENEW, TURN_ON, factor, live_sessions, protected, refused
from tests.shop import Shop


def test_puts_ten_new_codes_in_the_place_of_the_old(shop: Shop) -> None:
    user = protected(shop)
    shop.session(user.id)
    reply = shop.post(RENEW, token=user.token)
    assert reply.status == 200
    codes = reply.body["recovery_codes"]
    assert len({*codes, *user.recovery_codes}) == 16
    assert factor(shop, user.id)[3:] == (10, 10)
    assert (events(shop), live_sessions(shop, user.id)) == ([("recovery_codes_renewed", user.id)], 2)
    old = shop.post("/auth/step-up", {"code": user.recovery_codes[0]}, token=user.token)
    refused(old, 401, "invalid_credentials")
    assert shop.post("/auth/step-up", {"code": codes[9]}, token=user.token).status == 204
    shop.checked()


def test_refuses_not_found(shop: Shop) -> None:
    token = shop.session(shop.user(), stepped_up=True)
    shop.post(TURN_ON, token=token)
    with shop.unchanged():
        refused(shop.post(RENEW, token=token), 404, "not_found")


def test_refuses_who_did_not_step_up(shop: Shop) -> None:
    user = protected(shop, stepped_up=False)
    with shop.unchanged():
        refused(shop.post(RENEW, token=user.token), 403, "step_up_required")
        refused(shop.post(RENEW), 401, "unauthenticated")
        refused(shop.post(RENEW, api_key=shop.admin), 403, "forbidden")
