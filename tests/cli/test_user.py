"""`tally user`, and the first administrator of a seeded shop."""

from __future__ import annotations

import asyncio
from typing import Any

import bcrypt
import pytest

from cli import audit_chain
from db.helper import connect
from tests.cli.terminal import Done, Terminal
from tests.functions.users.support import roles_of
from tests.shop import Shop

pytestmark = pytest.mark.file_engine


def tally(shop: Shop, terminal: Terminal, *words: str, **environment: str) -> Done:
    return terminal.tally(*words, "--database-url", shop.url, **{"BCRYPT_COST": "4", **environment})


def user(shop: Shop, email: str) -> Any:
    [found] = shop.rows("SELECT id, password_hash, email_verified_at, status FROM users WHERE email = ?", email)
    return found


def log_in(shop: Shop, email: str, password: str) -> int:
    return shop.post("/auth/log-in", {"email": email, "password": password}).status


def test_makes_an_administrator_who_can_log_in(shop: Shop, terminal: Terminal) -> None:
    done = tally(shop, terminal, "user", "create", "eleni@example.com", "--role", "admin")
    assert done.code == 0, done.err
    password = done.out.strip()
    assert len(password) == 24 and password not in done.err
    user_id, hashed, verified_at, status = user(shop, "eleni@example.com")
    assert bcrypt.checkpw(password.encode(), hashed.encode()) and verified_at and status == "ACTIVE"
    assert roles_of(shop, user_id) == ["admin"]
    assert log_in(shop, "eleni@example.com", password) == 200
    assert shop.rows("SELECT actor, action, entity_id FROM audit_logs") == [("cli", "roles:assign", user_id)]
    assert ("role_given",) in shop.rows("SELECT type FROM security_events")
    shop.checked()


def test_the_trail_of_a_shell_is_whole(shop: Shop, terminal: Terminal) -> None:
    tally(shop, terminal, "user", "create", "eleni@example.com", "--role", "admin", "--role", "staff")

    async def verified() -> audit_chain.Verdict:
        db = await connect(shop.url)
        found = await audit_chain.verify(db)
        await db.close()
        return found

    verdict = asyncio.get_event_loop().run_until_complete(verified())
    assert (verdict.rows, verdict.broken) == (2, None)


def test_takes_the_password_of_the_environment(shop: Shop, terminal: Terminal) -> None:
    password = "correct horse battery"
    done = tally(shop, terminal, "user", "create", "a@example.com", "--role", "admin", ADMIN_PASSWORD=password)
    assert (done.code, done.out) == (0, "")
    assert password not in done.err and log_in(shop, "a@example.com", password) == 200


@pytest.mark.parametrize(
    ("words", "environment", "told"),
    [
        (("nobody",), {}, "no e-mail address"),
        (("a@example.com", "--role", "king"), {}, "there are: admin, customer, staff"),
        (("a@example.com",), {"ADMIN_PASSWORD": "short"}, "12 to 72 bytes"),
        (("a@example.com",), {"ADMIN_PASSWORD": "a@example.com"}, "12 to 72 bytes"),
        (("a@example.com",), {"STAGE": "production"}, "10 to 16"),
    ],
)
def test_refuses_what_is_wrong(
    shop: Shop, terminal: Terminal, words: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    with shop.unchanged():
        done = tally(shop, terminal, "user", "create", *words, **environment)
    assert done.code == 2 and told in done.err


def test_an_address_is_taken_once(shop: Shop, terminal: Terminal) -> None:
    shop.user(email="eleni@example.com")
    with shop.unchanged():
        done = tally(shop, terminal, "user", "create", "Eleni@example.com")
    assert done.code == 1 and "there is a user" in done.err


def test_gives_a_role_and_lists(shop: Shop, terminal: Terminal) -> None:
    assert tally(shop, terminal, "user", "list").out.startswith("there is no user")
    user_id = shop.user("customer", email="eleni@example.com")
    assert tally(shop, terminal, "user", "role", "ELENI@example.com", "staff").out == (
        "ELENI@example.com now has the role staff\n"
    )
    with shop.unchanged():
        done = tally(shop, terminal, "user", "role", "eleni@example.com", "staff")
    assert done.out == "eleni@example.com had the role staff\n"
    assert roles_of(shop, user_id) == ["customer", "staff"]
    line = tally(shop, terminal, "user", "list").out.splitlines()[1]
    assert line.split()[:3] == ["eleni@example.com", "ACTIVE", "customer,staff"] and line.endswith(user_id)
    done = tally(shop, terminal, "user", "role", "nobody@example.com", "staff")
    assert done.code == 1 and "there is no user" in done.err


def test_a_seeded_shop_has_the_administrator_that_is_asked_for(shop: Shop, terminal: Terminal) -> None:
    done = tally(shop, terminal, "seed", "prod", STAGE="production", ADMIN_EMAIL="boss@example.com")
    assert done.code == 2 and "BCRYPT_COST" in done.err
    assert tally(shop, terminal, "seed", "prod").code == 0
    assert shop.one("SELECT count(*) FROM users") == 0
    done = tally(shop, terminal, "seed", "prod", ADMIN_EMAIL="boss@example.com")
    assert done.code == 0, done.err
    assert log_in(shop, "boss@example.com", done.out.splitlines()[-1]) == 200
    with shop.unchanged():
        again = tally(shop, terminal, "seed", "prod", ADMIN_EMAIL="boss@example.com")
    assert again.code == 0 and again.out.count("\n") == 1
