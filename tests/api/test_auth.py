"""Who may: every endpoint, asked by nobody, by strangers, by keys that ended or lack the permission, and by one that
has it.
"""

import json
import re
from typing import Any

import pytest

from api.auth import EVERYBODYS, PUBLIC, hash_of, new_key
from api.endpoint import Endpoint
from tests.api.asgi import JSON, Told, ask
from tests.shop import Shop, endpoints

HELD = [one for one in endpoints().values() if one.permission not in EVERYBODYS]
OPEN = [one for one in endpoints().values() if one.permission == PUBLIC]
VALUE = "01kaktq2m8e8q8k3v9m1c4x7zd"


def named(one: Endpoint) -> str:
    return one.name


def asked(one: Endpoint, credential: str | None, *, body: Any = None) -> Told:
    """The endpoint asked with a path of its form, and a body that would be refused were the caller let in."""
    path = re.sub(r"{(\w+)}", lambda hole: f"{hole[1]}_{VALUE}", one.path)
    headers = [*JSON, ("idempotency-key", "key"), ("if-match", '"1"')]
    if credential is not None:
        headers.append(("authorization", credential))
    raw = json.dumps({"nonsense": 1} if body is None else body).encode() if one.reads_body else b""
    return ask(one, path, headers=headers, pieces=(raw,))


def key_that(shop: Shop, **values: str) -> str:
    """A key of every permission, with columns of its own."""
    key = shop.api_key("*")
    for column, value in values.items():
        shop.execute(f"UPDATE api_keys SET {column} = ? WHERE hash = ?", value, hash_of(key))
    return f"Bearer {key}"


def test_there_is_something_to_hold() -> None:
    assert len(HELD) >= 18
    assert all(re.fullmatch("[a-z_]+:[a-z_]+", one.permission) for one in HELD)


@pytest.mark.parametrize("one", HELD, ids=named)
def test_refuses_who_may_not(shop: Shop, one: Endpoint) -> None:
    domain, _, action = one.permission.partition(":")
    strangers = [f"{domain}:{action}s", f"{domain}s:{action}", f"{domain}:*", f"{action}:{domain}", domain, ""]
    lacking = shop.api_key(*strangers, *{other.permission for other in HELD} - {one.permission})
    credentials = [
        (None, 401),
        (f"Bearer {new_key()[0]}", 401),
        (key_that(shop, expires_at=shop.now), 401),
        (key_that(shop, revoked_at="2099-01-01T00:00:00.000Z"), 401),
        (f"Bearer {shop.api_key()}", 403),
        (f"Bearer {lacking}", 403),
    ]
    with shop.unchanged():
        for credential, status in credentials:
            told = asked(one, credential)
            code = "unauthenticated" if status == 401 else "forbidden"
            assert (told.status, told.code) == (status, code), credential
            assert told.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize("one", HELD, ids=named)
def test_lets_in_who_may(shop: Shop, one: Endpoint) -> None:
    for credential in (
        f"Bearer {shop.api_key(one.permission)}",
        f"bearer  {shop.api_key('*')} ",
        key_that(shop, expires_at="2099-01-01T00:00:00.000Z"),
    ):
        assert asked(one, credential).status not in (401, 403)


FORMS = [
    "",
    "Bearer",
    "Bearer ",
    "Basic c2s6eA==",
    "sk_abc",
    "Bearer abc",
    "Bearer sk_" + "x" * 300,
    "Bearer sk_é",
    "Token sk_x",
]


@pytest.mark.parametrize("form", FORMS)
def test_refuses_a_credential_that_has_not_its_form(shop: Shop, form: str) -> None:
    with shop.unchanged():
        for one in (HELD[0], OPEN[0]):
            told = asked(one, form)
            assert (told.status, told.code) == (401, "unauthenticated")


@pytest.mark.parametrize("one", OPEN, ids=named)
def test_a_bad_key_is_refused_where_none_is_needed(shop: Shop, one: Endpoint) -> None:
    """Whoever says who they are must be who they say."""
    ended = key_that(shop, revoked_at=shop.now)
    with shop.unchanged():
        for credential in (f"Bearer {new_key()[0]}", ended):
            told = asked(one, credential)
            assert (told.status, told.code) == (401, "unauthenticated")


def test_who_calls_is_judged_before_anything_else(shop: Shop) -> None:
    """No answer tells a stranger whether what they asked for is there, or well-formed."""
    bodies: tuple[Any, ...] = ({}, {"nonsense": 1}, [])
    for one in HELD:
        for body in bodies:
            assert asked(one, None, body=body).status == 401
            assert asked(one, f"Bearer {shop.api_key()}", body=body).status == 403


def test_only_the_hash_of_a_key_is_kept(shop: Shop) -> None:
    key, prefix, hashed = new_key()
    assert re.fullmatch("sk_[A-Za-z0-9_-]{43}", key), "256 bits"
    assert (prefix, hashed) == (key[:10], hash_of(key))
    assert len({new_key()[0] for _ in range(1_000)}) == 1_000
    stored = str(shop.rows("SELECT * FROM api_keys"))
    assert shop.admin not in stored and hash_of(shop.admin) in stored
