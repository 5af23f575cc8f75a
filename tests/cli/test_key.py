"""`tally key`: a key that works, of which nothing but the hash is kept, until it is revoked."""

from __future__ import annotations

import ast
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.auth import hash_of
from cli.key import known_scopes
from tests.cli.terminal import ROOT, Terminal
from tests.shop import Shop


@pytest.fixture
def at(shop: Shop) -> list[str]:
    """The words that point a command at the shop's file."""
    return ["--database-url", shop.url]


def keys(shop: Shop, columns: str) -> list[tuple[Any, ...]]:
    return shop.rows(f"SELECT {columns} FROM api_keys WHERE name LIKE 'The till%' ORDER BY id")


def test_a_key_works_until_it_is_revoked(shop: Shop, terminal: Terminal, at: list[str]) -> None:
    done = terminal.tally("key", "create", "The till", "--scope", "orders:read", *at, STAGE="production")
    assert done.code == 0, done.err
    key = done.out.strip()
    assert re.fullmatch(r"sk_[A-Za-z0-9_-]{43}", key) and key not in done.err
    assert "(The till) may orders:read until it is revoked" in done.err
    assert keys(shop, "prefix, hash, scopes, expires_at, revoked_at") == [
        (key[:10], hash_of(key), '["orders:read"]', None, None)
    ]
    for suffix in ("", "-wal"):
        file = Path(f"{shop.path}{suffix}")
        assert not file.exists() or key.encode() not in file.read_bytes()
    assert shop.get("/orders", api_key=key).status == 200
    assert shop.post("/products", {}, api_key=key).status in (403, 422)
    done = terminal.tally("key", "revoke", key[:10], *at, STAGE="production")
    assert (done.code, done.out) == (0, f"{key[:10]} (The till) revoked\n")
    assert shop.get("/orders", api_key=key).status == 401
    before = keys(shop, "revoked_at, updated_at")
    done = terminal.tally("key", "revoke", key[:10], *at)
    assert (done.code, done.out) == (0, f"{key[:10]} (The till) was revoked before\n")
    assert keys(shop, "revoked_at, updated_at") == before


def test_a_key_has_the_scopes_and_the_days_that_it_was_given(shop: Shop, terminal: Terminal, at: list[str]) -> None:
    words = ("--scope", "stock:read", "stock:adjust", "--scope", "stock:read", "--expires-in-days", "30")
    done = terminal.tally("key", "create", "The till", *words, *at)
    key = done.out.strip()
    assert keys(shop, "scopes, julianday(expires_at) - julianday(created_at)") == [
        ('["stock:read", "stock:adjust"]', pytest.approx(30))
    ]
    assert f"until {keys(shop, 'expires_at')[0][0]}" in done.err
    assert shop.get("/health", api_key=key).status == 200
    shop.clock(30 * 86_400 + 60)
    assert shop.get("/orders", api_key=key).status == 401
    everything = terminal.tally("key", "create", "The till too", "--scope", "*", *at).out.strip()
    assert shop.get("/stock/moves", api_key=everything).status in (200, 404)
    assert shop.rows("SELECT scopes FROM api_keys WHERE name = 'The till too'") == [('["*"]',)]


def test_the_list_shows_no_hash(shop: Shop, terminal: Terminal, at: list[str]) -> None:
    for name, *words in (("The till", "--expires-in-days", "1"), ("The till of Ελένη",)):
        assert terminal.tally("key", "create", name, "--scope", "orders:read", *words, *at).code == 0
    [(first, _, _), (second, _, _)] = found = keys(shop, "id, prefix, expires_at")
    assert terminal.tally("key", "revoke", second, *at).code == 0
    done = terminal.tally("key", "list", *at)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0].split() == ["PREFIX", "NAME", "SCOPES", "CREATED", "EXPIRES", "REVOKED", "ID"]
    [one] = [line for line in lines if line.endswith(first)]
    [other] = [line for line in lines if line.endswith(second)]
    assert one.startswith(f"{found[0][1]}  The till ") and found[0][2] in one and "  -  " in one
    assert "never" in other and keys(shop, "revoked_at")[1][0] in other
    assert re.search("[0-9a-f]{64}", done.out) is None
    for (hashed,) in shop.rows("SELECT hash FROM api_keys"):
        assert hashed not in done.out


def test_no_key_is_told(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    assert terminal.tally("key", "list").out == "there is no API key; `tally key create` makes one\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x"], "a key needs a --scope; there are: analytics:read, "),
        (["x", "--scope", "orders:raed"], "no endpoint knows the scope 'orders:raed'; there are: analytics:read, "),
        (["x", "--scope", "public"], "no endpoint knows the scope 'public'"),
        (["x", "--scope", "*", "", "orders"], "no endpoint knows the scope '', 'orders'"),
        ([" ", "--scope", "*"], "a key's name has 1 to 200"),
        (["x" * 201, "--scope", "*"], "a key's name has 1 to 200"),
        (["x\n", "--scope", "*", "--expires-in-days", "0"], "invalid days value: '0'"),
        (["x\ny", "--scope", "*"], "a key's name has 1 to 200"),
        (["x", "--scope", "*", "--expires-in-days", "3651"], "invalid days value"),
    ],
)
def test_refuses_what_is_no_key(shop: Shop, terminal: Terminal, at: list[str], words: list[str], said: str) -> None:
    with shop.unchanged():
        done = terminal.tally("key", "create", *words, *at)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_revoking_wants_exactly_one(shop: Shop, terminal: Terminal, at: list[str]) -> None:
    for name in ("The till", "The till too"):
        terminal.tally("key", "create", name, "--scope", "*", *at)
    shop.execute("UPDATE api_keys SET prefix = 'sk_AAAAAAA' WHERE name LIKE 'The till%'")
    ids = [one for (one,) in keys(shop, "id")]
    with shop.unchanged():
        done = terminal.tally("key", "revoke", "sk_AAAAAAA", *at)
        assert (done.code, done.out) == (1, "")
        assert "2 API keys have the prefix sk_AAAAAAA" in done.err and all(one in done.err for one in ids)
        for which in ("sk_nobodys", "apikey_x", "sk_", "%", ""):
            done = terminal.tally("key", "revoke", which, *at)
            assert (done.code, done.out) == (1, "")
            assert f"there is no API key {which!r}" in done.err
    assert terminal.tally("key", "revoke", ids[0], *at).code == 0
    assert [revoked is None for (revoked,) in keys(shop, "revoked_at")] == [False, True]


def test_a_file_without_the_table_is_told_what_to_do(terminal: Terminal) -> None:
    assert "there is no database" in terminal.tally("key", "list").err
    terminal.file.parent.mkdir()
    with closing(sqlite3.connect(terminal.file)):
        terminal.file.touch()
    for words in (["list"], ["create", "x", "--scope", "*"], ["revoke", "x"]):
        done = terminal.tally("key", *words)
        assert (done.code, done.out) == (1, "")
        assert "no such table: api_keys. Is the database migrated? Run `tally migrate up`" in done.err


def test_every_scope_that_a_handler_asks_for_is_known() -> None:
    asked = {
        call.args[0].value
        for folder in ("api", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "may"
        and isinstance(call.args[0], ast.Constant)
    }
    assert {"orders:read", "orders:cancel"} <= asked <= set(known_scopes())
    assert "public" not in known_scopes() and "stock:adjust" in known_scopes()
