"""DELETE /me/two-factor: off, with everything that belonged to it."""

from tests.functions.auth.support import events
from tests.functions.me.two_factor import TURN_ON, factor, live_sessions, protected, refused
from tests.shop import Shop


def test_turns_it_off_and_ends_the_other_sessions(shop: Shop) -> None:
    user, other = protected(shop), protected(shop, "other@example.com")
    shop.session(user.id)
    assert shop.delete(TURN_ON, token=user.token).status == 204
    assert factor(shop, user.id) == (None, 0, 0, 0, 0)
    assert factor(shop, other.id)[1:] == (1, 0, 6, 6)
    assert live_sessions(shop, user.id) == 1
    assert events(shop) == [("two_factor_disabled", user.id)]
    shop.checked()


def test_drops_one_that_was_only_started(shop: Shop) -> None:
    user = shop.user()
    token = shop.session(user, stepped_up=True)
    shop.session(user)
    shop.post(TURN_ON, token=token)
    assert shop.delete(TURN_ON, token=token).status == 204
    assert factor(shop, user) == (None, 0, 0, 0, 0)
    assert (live_sessions(shop, user), events(shop)) == (2, [])


def test_refuses_not_found(shop: Shop) -> None:
    token = shop.session(shop.user(), stepped_up=True)
    with shop.unchanged():
        refused(shop.delete(TURN_ON, token=token), 404, "not_found")


def test_refuses_who_did_not_step_up(shop: Shop) -> None:
    user = protected(shop, stepped_up=False)
    with shop.unchanged():
        refused(shop.delete(TURN_ON, token=user.token), 403, "step_up_required")
        refused(shop.delete(TURN_ON), 401, "unauthenticated")
        refused(shop.delete(TURN_ON, api_key=shop.admin), 403, "forbidden")
