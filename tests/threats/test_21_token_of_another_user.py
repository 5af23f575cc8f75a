"""Threat 21: a token used by somebody else, for something else, or twice."""

import pytest

from tests.functions.auth.support import COUNTS, OTHER_PASSWORD, PASSWORD, logged_in, mails, refresh
from tests.shop import Shop

A, B = "a@example.com", "b@example.com"
THIRD = "a third one, as good"


@pytest.fixture
def tokens(shop: Shop) -> dict[str, str]:
    """What A was mailed and handed: a verification, a reset, a refresh and an access token."""
    shop.user(email=A, password=PASSWORD)
    shop.user(email=B, password=OTHER_PASSWORD)
    shop.post("/auth/register", {"email": "new@example.com", "password": PASSWORD})
    shop.post("/auth/password-reset", {"email": A})
    verification, reset = [said["token"] for _, said in mails(shop)]
    session = logged_in(shop, A)
    return {
        "verification": verification,
        "reset": reset,
        "refresh": session["refresh_token"],
        "access": session["access_token"],
    }


def test_none_is_good_for_what_another_is_good_for(shop: Shop, tokens: dict[str, str]) -> None:
    with shop.unchanged():
        for kind, token in tokens.items():
            if kind != "verification":
                reply = shop.post("/auth/verify-email", {"token": token[:200], "password": THIRD})
                assert (reply.status, reply.body["code"]) == (410, "token_used"), kind
            if kind != "reset":
                reply = shop.post("/auth/password-reset/confirm", {"token": token[:200], "password": THIRD})
                assert (reply.status, reply.body["code"]) == (410, "token_used"), kind
            if kind != "refresh":
                assert refresh(shop, token[:200]).status == 401, kind
            if kind != "access":
                assert shop.get("/me/sessions", token=token).status == 401, kind


def test_the_account_is_the_token_s_and_never_the_caller_s(shop: Shop, tokens: dict[str, str]) -> None:
    of_b = logged_in(shop, B, OTHER_PASSWORD)["access_token"]
    before = shop.rows("SELECT id, password_hash FROM users WHERE email = ?", B)
    body = {"token": tokens["reset"], "password": THIRD}
    with shop.unchanged():  # nor can a body name whose it is to be
        assert shop.post("/auth/password-reset/confirm", {**body, "email": B}).body["code"] == "invalid"
        assert shop.post("/auth/password-reset/confirm", {**body, "user_id": before[0][0]}).body["code"] == "invalid"
    assert shop.post("/auth/password-reset/confirm", body, token=of_b).status == 204
    assert shop.rows("SELECT id, password_hash FROM users WHERE email = ?", B) == before
    assert logged_in(shop, A, THIRD)["user"]["email"] == A


def test_each_is_good_once(shop: Shop, tokens: dict[str, str]) -> None:
    verify = {"token": tokens["verification"], "password": THIRD}
    reset = {"token": tokens["reset"], "password": THIRD}
    assert shop.post("/auth/verify-email", verify).status == 204
    assert shop.post("/auth/password-reset/confirm", reset).status == 204
    with shop.unchanged():
        again = shop.post("/auth/verify-email", verify), shop.post("/auth/password-reset/confirm", reset)
    assert [(one.status, one.body["code"]) for one in again] == [(410, "token_used")] * 2


def test_another_s_session_is_as_one_that_never_was(shop: Shop, tokens: dict[str, str]) -> None:
    of_b = logged_in(shop, B, OTHER_PASSWORD)["access_token"]
    [(of_a,)] = shop.rows("SELECT s.id FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE u.email = ?", A)
    never = "session_01kaktq2m8e8q8k3v9m1c4x7zd"
    with shop.unchanged(COUNTS):
        foreign, unknown = (shop.delete(f"/me/sessions/{one}", token=of_b) for one in (of_a, never))
    assert foreign.status == 404
    assert foreign.text.replace(of_a, never) == unknown.text
    assert shop.delete(f"/me/sessions/{of_a}", token=tokens["access"]).status == 204
