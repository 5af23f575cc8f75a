"""forget_sessions: what is expired goes, what is not stays."""

from tests.functions.auth.support import EMAIL, PASSWORD, logged_in, mails, refresh
from tests.functions.jobs.support import run
from tests.shop import Shop

TABLES = ("user_sessions", "used_refresh_tokens", "verification_tokens", "password_resets", "oauth_states")


def left(shop: Shop) -> list[int]:
    return [shop.one(f"SELECT count(*) FROM {table}") for table in TABLES]


def counts(shop: Shop) -> tuple[int, int, int]:
    told = run("forget_sessions")
    assert (told["failed"], told["finished"]) == (0, True)
    return told["sessions"], told["tokens"], told["states"]


def one_of_each(shop: Shop, email: str) -> str:
    """A session that was refreshed, a verification, a reset and a sign-in on its way. Returns the session's token."""
    shop.user(email=email, password=PASSWORD)
    body = refresh(shop, logged_in(shop, email)["refresh_token"]).body
    assert shop.post("/auth/password-reset", {"email": email}).status == 202
    assert shop.post("/auth/register", {"email": f"new-{email}", "password": PASSWORD}).status == 202
    now = shop.now
    shop.insert(
        "oauth_states", state_hash=email.rjust(64, "0"), provider="github", code_verifier="v" * 43, nonce="n",
        expires_at=now.replace("Z", "Z0"), created_at=now, updated_at=now,
    )  # fmt: skip
    token: str = body["refresh_token"]
    return token


def test_forgets_what_is_expired_and_nothing_else(shop: Shop) -> None:
    one_of_each(shop, EMAIL)
    shop.clock(2_592_000)
    token = one_of_each(shop, "b@example.com")
    shop.clock(-1)
    assert left(shop) == [2, 2, 2, 2, 2]
    with shop.unchanged(*TABLES):
        assert counts(shop) == (0, 2, 1)
    shop.clock(2)
    with shop.unchanged(*TABLES):
        assert counts(shop) == (1, 0, 1)
    assert left(shop) == [1, 1, 1, 1, 0]
    assert refresh(shop, token).status == 200
    assert len(mails(shop)) == 4
    shop.checked()


def test_more_than_one_round(shop: Shop) -> None:
    user = shop.user()
    for _ in range(230):
        shop.session(user)
    shop.clock(86_401)
    assert counts(shop) == (230, 0, 0)
    with shop.unchanged():
        assert counts(shop) == (0, 0, 0)
