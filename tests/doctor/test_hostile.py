"""Schemas that nobody would write on purpose: names with quotes, ten thousand tables, everything that is no table."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from doctor.report import as_json, markdown, text
from tests.doctor.making import connect, examined, keys, made, state

NASTY = 'we"ird \'; DROP TABLE "x"; -- ;[`]\n?:a ταμείο'


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_names_are_only_names(tmp_path: Path) -> None:
    t, c = quoted(NASTY), quoted(f"{NASTY} price")
    path = made(
        tmp_path / "shop.db",
        f'CREATE TABLE {t} (id INTEGER PRIMARY KEY, {c} REAL, "sto\'ck""" INTEGER, "x?_id" INTEGER REFERENCES {t})',
        f"INSERT INTO {t} VALUES (1, 2.5, -1, 77)",
        f"CREATE INDEX {quoted(NASTY + ' i')} ON {t} ({c})",
        f"CREATE INDEX {quoted(NASTY + ' j')} ON {t} ({c}, id)",
        "CREATE TABLE x (id INTEGER PRIMARY KEY, created_at, updated_at)",
    )
    before = state(tmp_path)
    found = examined(path)
    assert keys(found) == {
        ("money_in_real", f"{NASTY}.{NASTY} price"),
        ("foreign_key_violation", f"{NASTY}(x?_id)"),
        ("foreign_keys_per_connection", "database"),
        ("foreign_key_without_index", f"{NASTY}(x?_id)"),
        ("no_timestamps", NASTY),
        ("duplicate_index", f"{NASTY} i"),
    }
    for told in (text(found), markdown(found)):
        assert "\x1b" not in told and "weird" not in told
    assert "DROP TABLE" in as_json(found)
    assert state(tmp_path) == before


def test_a_terminal_is_not_spoken_to(tmp_path: Path) -> None:
    path = made(tmp_path / "shop.db", 'CREATE TABLE "a\x1b[2Jb\r\n" (x)')
    found = examined(path)
    assert "\x1b" not in text(found) and "\\x1b[2Jb\\x0d\\x0a" in text(found)


def test_what_is_no_table_is_left_alone(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, size AS (length(body)) STORED, "
        "created_at TEXT, updated_at TEXT)",
        "CREATE VIRTUAL TABLE search USING fts5(body)",
        "CREATE VIRTUAL TABLE place USING rtree(id, low, high)",
        "INSERT INTO search VALUES ('one two')",
        "CREATE VIEW short AS SELECT body AS total_price FROM notes",
        "CREATE TABLE pairs (a TEXT, b TEXT, created_at TEXT, updated_at TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "CREATE TABLE schema_migrations (version TEXT)",
        "CREATE TABLE _litestream_seq (id INTEGER)",
    )
    found = examined(path)
    assert keys(found) == set()
    assert list(found.case.schema.tables) == ["notes", "pairs"]


def test_a_module_that_is_not_here(tmp_path: Path) -> None:
    path = made(tmp_path / "shop.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, created_at, updated_at)")
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_schema VALUES ('table', 'far', 'far', 0, 'CREATE VIRTUAL TABLE far USING no_such(a)')"
        )
        connection.execute("CREATE TABLE far_data (id, block)")
    found = examined(path)
    assert keys(found) == set()
    assert list(found.case.schema.tables) == ["t"]


def test_broken_views_and_references(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT, created_at, updated_at)",
        "CREATE TABLE children (id INTEGER PRIMARY KEY, gone TEXT REFERENCES nobody (id), "
        "code TEXT REFERENCES parents (code), created_at, updated_at)",
        "CREATE INDEX children_by_gone ON children (gone)",
        "CREATE INDEX children_by_code ON children (code)",
        "CREATE VIEW lost AS SELECT * FROM nobody",
        "CREATE VIEW own AS SELECT app_function(id) FROM parents",
    )
    assert keys(examined(path)) == {
        ("foreign_key_broken", "children(gone)"),
        ("foreign_key_broken", "children(code)"),
        ("broken_view", "lost"),
        ("foreign_keys_per_connection", "database"),
    }


def test_rules_that_do_not_hold(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0), created_at, updated_at)",
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO t (n) VALUES (-1), (-2), (3)",
    )
    found = examined(path)
    assert keys(found) == {("constraint_violation", "t")}
    assert found.findings[0].what == "A CHECK does not hold in 2 rows."


def test_a_check_that_only_its_owner_can_ask(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(connect(path)) as connection:
        connection.create_function("app_valid", 1, lambda value: 1, deterministic=True)
        connection.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (app_valid(n)), price REAL, "
            "created_at, updated_at)"
        )
        connection.execute("INSERT INTO t (n, price) VALUES ('x', 1.5)")
    found = examined(path)
    assert keys(found) == {("wrong_type", "t.n"), ("money_in_real", "t.price")}
    assert found.case.counts.rows == {"t": 1}


def test_passwords_are_told_from_hashes(tmp_path: Path) -> None:
    hashes = (
        "$2b$12$abcdefghijklmnopqrstuuIhOVJcRyqmXrCLqDHyPyMPpWcv7W7Hm",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
        "scrypt:32768:8:1$salt$0123abcd",
        "pbkdf2_sha256$600000$salt$hash",
        "$6$salt$hash",
        "0f" * 16 + ":" + "ab" * 64,
    )
    rows = ", ".join(f"('{one}')" for one in hashes)
    columns = "created_at, updated_at, reset_password_token TEXT, password_changed_at TEXT, id INTEGER PRIMARY KEY"
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE good (password_hash TEXT, {columns})",
        f"INSERT INTO good (password_hash) VALUES {rows}, (NULL), ('')",
        "UPDATE good SET reset_password_token = 'abc', password_changed_at = '2025-01-01'",
        f"CREATE TABLE bad (userPassword TEXT, pwd, {columns})",
        "INSERT INTO bad (userPassword, pwd) VALUES ('letmein', 1234)",
        f"CREATE TABLE digests (password TEXT, {columns})",
        f"INSERT INTO digests (password) VALUES ('{'a1' * 16}')",
        f"CREATE TABLE salted (password TEXT, salt TEXT, {columns})",
        f"INSERT INTO salted (password, salt) VALUES ('{'a1' * 32}', 'x')",
    )
    found = examined(path)
    assert keys(found) == {
        ("plain_password", "bad.userPassword"),
        ("plain_password", "bad.pwd"),
        ("weak_password_hash", "digests.password"),
    }
    assert "letmein" not in text(found) + as_json(found) + markdown(found)


def test_ten_thousand_tables(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        for number in range(10_000):
            connection.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, created_at TEXT, updated_at TEXT)")
        connection.execute("CREATE TABLE last (x)")
        connection.execute("COMMIT")
    began = time.monotonic()
    found = examined(path)
    assert keys(found) == {("no_primary_key", "last"), ("no_timestamps", "last")}
    assert len(found.case.counts.rows) == 10_001
    assert len(text(found).splitlines()) < 200
    assert time.monotonic() - began < 60
