"""The runner on small migrations of its own: what it applies, what it refuses, and that a refusal changes nothing."""

import hashlib
import time
from pathlib import Path

import pytest

from db.migrate import Migrations, create, wait
from db.migration_files import read, split
from tests.db.migration_support import (
    SMALL,
    Flaky,
    down,
    execute,
    going,
    refused,
    rows,
    schema,
    state,
    up,
    using,
    validate,
    versions,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "migrations", SMALL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        ("-- only; a comment\n/* and; another */", []),
        (";;\n;", []),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';';-- end", ["SELECT ';'"]),
        ("-- a; b\nSELECT 1 -- c; d\n, 2;", ["SELECT 1 -- c; d\n, 2"]),
        ('SELECT "a;b", [c;d], `e;f`;', ['SELECT "a;b", [c;d], `e;f`']),
        ("/* x */ -- y\n  SELECT 1;", ["SELECT 1"]),
        (
            "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END;\nSELECT 3;",
            ["CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END", "SELECT 3"],
        ),
        ("SELECT 'έ;ş;ने';", ["SELECT 'έ;ş;ने'"]),
    ],
)
def test_splits_statements(text: str, statements: list[str]) -> None:
    assert split(text) == statements


@pytest.mark.parametrize(
    "text", ["SELECT 1", "SELECT 1; SELECT ';", "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1;"]
)
def test_refuses_a_text_that_ends_within_a_statement(text: str) -> None:
    with pytest.raises(ValueError, match="has no end"):
        split(text)


def test_goes_up_and_records_each_version(file: Path, folder: Path) -> None:
    report = up(file, folder)
    assert (report.version, [len(step.statements) for step in report.steps]) == (3, [2, 4, 1])
    recorded = rows(
        file, "SELECT version, name, checksum, statements, applied_at, created_at, updated_at FROM migrations"
    )
    for number, (name, (forward, _)) in enumerate(SMALL.items(), start=1):
        version, stem, checksum, statements, applied_at, created_at, updated_at = recorded[number - 1]
        assert (version, f"{version:04}_{stem}.sql") == (number, name)
        assert checksum == hashlib.sha256(forward.encode()).hexdigest()
        assert statements == len(report.steps[number - 1].statements)
        assert applied_at == created_at == updated_at
        assert len(applied_at) == len("2026-11-21T08:00:00.000Z") and applied_at.endswith("Z")
    assert rows(file, "SELECT name FROM shops") == [("a;b -- c",)]
    assert validate(file, folder) == []


def test_going_up_again_does_nothing(file: Path, folder: Path) -> None:
    up(file, folder)
    before = rows(file, "SELECT * FROM migrations")
    assert up(file, folder).steps == ()
    assert rows(file, "SELECT * FROM migrations") == before


def test_goes_up_to_a_version_and_on(file: Path, folder: Path) -> None:
    assert up(file, folder, to=2).version == 2
    assert up(file, folder).version == 3
    refused(lambda: up(file, folder, to=2), "up --to 2", "version 3")
    refused(lambda: up(file, folder, to=9), "up --to 9", "newest is 3")


def test_line_ends_do_not_change_the_checksum(file: Path, folder: Path) -> None:
    up(file, folder)
    for path in folder.rglob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert up(file, folder).steps == ()
    assert down(file, 2, folder).version == 2


def test_a_failing_version_leaves_nothing(file: Path, folder: Path) -> None:
    up(file, folder)
    bad = "CREATE TABLE extras (id TEXT);\nINSERT INTO shops VALUES ('shop_1', 'b');\nINSERT INTO nowhere VALUES (1);\n"
    write(folder, {"0004_bad.sql": (bad, "DROP TABLE extras;\n")})
    before = state(file)
    refused(lambda: up(file, folder), "0004_bad.sql, statement 3 (INSERT INTO nowhere", "nowhere", "at version 3")
    assert state(file) == before
    write(folder, {"0004_bad.sql": (bad.replace("nowhere", "extras"), "DROP TABLE extras;\n")})
    assert up(file, folder).version == 4


def test_a_first_version_that_fails_is_named_too(file: Path, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "bad", {"0001_bad.sql": ("CREATE TABLE a (b TEXT);\nCREATE TABL c (d);\n", "DROP TABLE a;\n")}
    )
    refused(lambda: up(file, folder), "0001_bad.sql, statement 2 (CREATE TABL", "at version 0")
    assert schema(file) == []


def test_a_row_without_its_parent_is_found_at_the_end(file: Path, folder: Path) -> None:
    up(file, folder)
    deferred = "PRAGMA defer_foreign_keys = ON;\nINSERT INTO pieces (id, shop_id) VALUES ('piece_1', 'shop_9');\n"
    write(folder, {"0004_orphan.sql": (deferred, "DELETE FROM pieces;\n")})
    refused(lambda: up(file, folder), "0004_orphan.sql, at its end", "foreign_key")
    assert versions(file) == [1, 2, 3]


def test_refuses_an_edited_file(file: Path, folder: Path) -> None:
    up(file, folder, to=2)
    before = state(file)
    path = folder / "0001_shop.sql"
    path.write_text(path.read_text().replace("name TEXT", "title TEXT"))
    for work in (lambda: up(file, folder), lambda: down(file, 1, folder)):
        refused(work, "0001_shop.sql was changed after it was applied", "restore the file")
    assert "edited" in using(file, lambda db: Migrations(folder).status(db)).lines[0].state
    assert "0001_shop.sql was changed" in validate(file, folder)[0]
    assert state(file) == before


def test_refuses_a_missing_file(file: Path, folder: Path) -> None:
    up(file, folder)
    before = state(file)
    for name in ("0002_pieces.sql", "0003_size.sql"):
        kept = (folder / name).read_text()
        (folder / name).unlink()
        (folder / "down" / name).rename(folder / "aside")
        told = refused(lambda: up(file, folder), f"{name} was applied at", "restore the file")
        assert len(told.splitlines()) == 1
        assert state(file) == before
        (folder / name).write_text(kept)
        (folder / "aside").rename(folder / "down" / name)


def test_refuses_a_gap_in_the_numbers(file: Path, folder: Path) -> None:
    write(folder, {"0005_later.sql": ("CREATE TABLE later (id TEXT);\n", "DROP TABLE later;\n")})
    refused(lambda: up(file, folder), "0004_….sql is missing before 0005_later.sql")
    assert schema(file) == []


def test_refuses_a_version_that_it_does_not_know(file: Path, folder: Path, tmp_path: Path) -> None:
    up(file, folder)
    older = write(tmp_path / "older", {name: SMALL[name] for name in list(SMALL)[:2]})
    told = refused(lambda: up(file, older), "0003_size.sql was applied at", "use the release that has it")
    assert str(older) in told
    status = using(file, lambda db: Migrations(older).status(db))
    assert [line.state for line in status.lines] == ["applied", "applied", "unknown"]


def test_refuses_a_renamed_file(file: Path, folder: Path) -> None:
    up(file, folder)
    for path in (folder / "0003_size.sql", folder / "down/0003_size.sql"):
        path.rename(path.with_name("0003_width.sql"))
    refused(lambda: up(file, folder), "0003_width.sql was applied as 0003_size.sql")


def test_refuses_a_table_of_versions_with_a_hole(file: Path, folder: Path) -> None:
    up(file, folder)
    execute(file, "DELETE FROM migrations WHERE version = 2")
    refused(lambda: up(file, folder), "version 3 but not version 2", "by hand")


def test_refuses_another_programs_table(file: Path, folder: Path) -> None:
    execute(file, "CREATE TABLE migrations (id INTEGER, batch INTEGER)")
    refused(lambda: up(file, folder), "not ours")


@pytest.mark.parametrize(
    ("name", "forward", "back", "words"),
    [
        ("0004_x.sql", "CREATE TABLE x (a);\n", None, ["down/0004_x.sql is missing", "irreversible"]),
        ("0004_x.sql", "-- later\n", "DROP TABLE x;\n", ["0004_x.sql holds no statement"]),
        ("0004_x.sql", "CREATE TABLE x (a);\n", "-- later\n", ["down/0004_x.sql holds no statement"]),
        ("0004_x.sql", "CREATE TABLE x (a)\n", "DROP TABLE x;\n", ["0004_x.sql, statement 1", "has no end"]),
        ("0004_x.sql", "SELECT 1;\nCOMMIT;\n", "SELECT 1;\n", ["0004_x.sql, statement 2", "COMMIT"]),
        ("0004_x.sql", "SELECT :a;\n", "SELECT 1;\n", ["0004_x.sql, statement 1", ":parameter"]),
        ("4_x.sql", "SELECT 1;\n", None, ["4_x.sql", "NNNN_what_it_does.sql"]),
        ("0003_x.sql", "SELECT 1;\n", "SELECT 1;\n", ["0003_x.sql", "0003_size.sql has the same number"]),
    ],
)
def test_refuses_an_unusable_file(
    file: Path, folder: Path, name: str, forward: str, back: str | None, words: list[str]
) -> None:
    write(folder, {name: (forward, back)})
    refused(lambda: up(file, folder), *words)
    assert schema(file) == []


def test_refuses_a_way_back_to_nothing_and_bytes_that_are_no_text(file: Path, folder: Path) -> None:
    (folder / "down/0009_old.sql").write_text("SELECT 1;\n")
    (folder / "0003_size.sql").write_bytes(b"SELECT '\xff';\n")
    told = refused(lambda: up(file, folder))
    assert "down/0009_old.sql: there is no 0009_old.sql" in told
    assert "0003_size.sql: not UTF-8" in told
    assert "no such folder" in read(folder / "nowhere").problems[0]


def test_a_guard_in_a_migration_speaks(file: Path, folder: Path) -> None:
    guard = "SELECT CASE WHEN 0 THEN NULL ELSE json_extract('{}', 'guard:too_early:wait') END;\n"
    write(folder, {"0004_x.sql": (guard, guard)})
    refused(lambda: up(file, folder), "0004_x.sql, statement 1", "too_early: wait")


def test_a_version_with_too_many_statements_is_told(file: Path, folder: Path) -> None:
    many = "SELECT 1;\n" * 1_000
    write(folder, {"0004_x.sql": ("SELECT 1;\n", many)})
    up(file, folder)
    refused(lambda: down(file, 3, folder), "too many statements")
    write(
        folder, {"0004_x.sql": ("SELECT 1;\n", many[: 980 * len("SELECT 1;\n")]), "0005_x.sql": (many, "SELECT 1;\n")}
    )
    refused(lambda: up(file, folder), "0005_x.sql has 1000 statements; split it")
    (folder / "0005_x.sql").unlink()
    (folder / "down/0005_x.sql").unlink()
    assert down(file, 3, folder).version == 3


def test_a_lost_answer_is_asked_again(file: Path, folder: Path) -> None:
    losses = {1: "unknown, not done", 2: "unknown, done", 3: "busy", 4: "busy", 5: "unknown, done"}
    report = using(file, lambda db: Migrations(folder).up(Flaky(db, losses)))  # type: ignore[arg-type]
    assert report.version == 3
    assert versions(file) == [1, 2, 3]
    assert validate(file, folder) == []


def test_gives_up_in_the_end(file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.migrate.PATIENCE_SECONDS", 0.2)
    losses = dict.fromkeys(range(1, 1_000), "busy")
    refused(
        lambda: using(file, lambda db: Migrations(folder).up(Flaky(db, losses))),  # type: ignore[arg-type]
        "gave up at version 0",
        "database is locked",
    )


def test_create_writes_the_next_number(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "new"
    forward, back = create(folder, "Add the shop's Size!")
    assert (forward.name, back) == ("0001_add_the_shop_s_size.sql", folder / "down" / forward.name)
    assert create(folder, "second")[0].name == "0002_second.sql"
    refused(lambda: create(folder, "…"), "say in a few words")
    refused(lambda: up(file, folder), "0001_add_the_shop_s_size.sql holds no statement")


def test_waits_for_an_engine(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/later/shop.db"
    began = time.monotonic()
    refused(lambda: going(wait(url, 0.3)), "did not answer within 0.3 seconds", "does not exist")
    assert time.monotonic() - began < 30
    (tmp_path / "later").mkdir()
    assert going(wait(url, 30)) < 30
