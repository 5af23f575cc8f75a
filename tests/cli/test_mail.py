"""`tally mail`: what waits, as it would be sent; a registration can be completed on a laptop."""

from __future__ import annotations

from tests.cli.terminal import Terminal
from tests.functions.auth.support import EMAIL, PASSWORD, log_in
from tests.shop import Shop


def test_a_registration_is_completed_with_what_it_prints(shop: Shop, terminal: Terminal) -> None:
    at = ["--database-url", shop.url]
    done = terminal.tally("mail", *at)
    assert (done.code, done.out) == (0, "no mail waits\n")
    done = terminal.tally("mail", "--last", "--token", *at)
    assert (done.code, done.out) == (1, "") and "no mail that waits has a link with a token" in done.err
    shop.post("/auth/register", {"email": "earlier@example.com", "password": PASSWORD})
    shop.post("/auth/register", {"email": EMAIL, "password": PASSWORD})
    done = terminal.tally("mail", *at)
    assert f"To: {EMAIL}\nSubject: Please confirm your e-mail address\n" in done.out
    assert "/verify-email#token=" in done.out
    assert done.out.count("To: ") == 2
    token = terminal.tally("mail", "--last", "--token", *at).out.strip()
    assert shop.post("/auth/verify-email", {"token": token, "password": PASSWORD}).status == 204
    assert log_in(shop).status == 200


def test_is_not_for_production(shop: Shop, terminal: Terminal) -> None:
    shop.post("/auth/register", {"email": EMAIL, "password": PASSWORD})
    done = terminal.tally("mail", "--database-url", shop.url, STAGE="production")
    assert (done.code, done.out) == (1, "")
    assert "Set SMTP_URL" in done.err
