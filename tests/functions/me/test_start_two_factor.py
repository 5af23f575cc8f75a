"""POST /me/two-factor: a secret to be confirmed."""

import base64

from tests.functions.me.two_factor import CONFIRM, TURN_ON, code, factor, protected, refused
from tests.shop import Shop


def test_answers_a_secret_and_its_uri(shop: Shop) -> None:
    user = shop.user("customer", email="eleni@example.com")
    reply = shop.post(TURN_ON, token=shop.session(user, stepped_up=True))
    assert reply.status == 201
    secret = reply.body["secret"]
    assert len(base64.b32decode(secret)) == 20
    assert reply.body["otpauth_uri"].startswith(f"otpauth://totp/localhost:eleni%40example.com?secret={secret}")
    assert factor(shop, user) == (secret, False, 0, 0, 0)
    shop.checked()


def test_started_again_the_new_secret_counts(shop: Shop) -> None:
    user = shop.user()
    token = shop.session(user, stepped_up=True)
    first, second = (shop.post(TURN_ON, token=token).body["secret"] for _ in range(2))
    assert first != second
    with shop.unchanged():
        refused(shop.post(CONFIRM, {"code": code(first)}, token=token), 401, "invalid_credentials")
    assert shop.post(CONFIRM, {"code": code(second)}, token=token).status == 200


def test_refuses_two_factor_enabled(shop: Shop) -> None:
    user = protected(shop)
    with shop.unchanged():
        refused(shop.post(TURN_ON, token=user.token), 409, "two_factor_enabled")


def test_refuses_a_session_that_showed_nothing_lately(shop: Shop) -> None:
    """A stolen access token must not become the thief's second factor, with which they would step up."""
    token = shop.session(shop.user())
    with shop.unchanged():
        refused(shop.post(TURN_ON, token=token), 403, "step_up_required")
        refused(shop.post(TURN_ON), 401, "unauthenticated")
        refused(shop.post(TURN_ON, api_key=shop.admin), 403, "forbidden")
