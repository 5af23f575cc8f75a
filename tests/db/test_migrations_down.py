"""The way back: what it loses it says first, and a refusal changes nothing. And starting anew."""

from pathlib import Path

import pytest

from db.migrate import Migrations
from db.sql import Statement
from tests.db.migration_support import (
    SMALL,
    Flaky,
    counts,
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


def test_goes_down_and_up_to_the_same_schema(file: Path, folder: Path) -> None:
    reached = []
    for version in (1, 2, 3):
        up(file, folder, to=version)
        reached.append(schema(file))
    for version in (2, 1):
        assert down(file, version, folder).version == version
        assert schema(file) == reached[version - 1]
    assert down(file, 0, folder, lose_data=True).version == 0
    up(file, folder)
    assert schema(file) == reached[2]


def test_a_table_is_rebuilt_safely_by_the_recipe_of_the_runbook(file: Path, folder: Path) -> None:
    up(file, folder)
    execute(file, "INSERT INTO pieces (id, shop_id, count, size) VALUES ('piece_1', 'shop_0', 3, 'M')")
    runbook = (Path(__file__).parent.parent.parent / "docs" / "migrations.md").read_text(encoding="utf-8")
    recipe = runbook.split("```sql\n")[1].split("```")[0]
    checked = " CONSTRAINT shops_name_not_empty CHECK (name <> '')"
    index = "CREATE INDEX shops_by_name ON shops (name);\n"
    assert checked in recipe and index in recipe
    back = recipe.replace(checked, "").replace(index, "")
    write(folder, {"0004_shops_have_names.sql": (recipe, back)})
    before = schema(file)
    assert up(file, folder).version == 4
    assert rows(file, "SELECT id, name FROM shops") == [("shop_0", "a;b -- c")]
    assert rows(file, "SELECT * FROM pragma_foreign_key_check") == []
    with pytest.raises(Exception, match="shops_name_not_empty"):
        execute(file, "INSERT INTO shops VALUES ('shop_1', '')")
    assert down(file, 3, folder).lost == ()
    assert counts(file)["shops"] == counts(file)["pieces"] == 1
    assert [name for _, name, *_ in schema(file)] == [name for _, name, *_ in before]


def test_an_edited_newest_version_can_be_taken_back(file: Path, folder: Path) -> None:
    up(file, folder)
    (folder / "0003_size.sql").write_text("ALTER TABLE pieces ADD COLUMN width INTEGER;\n")
    refused(lambda: up(file, folder), "0003_size.sql was changed")
    assert down(file, 2, folder).version == 2
    (folder / "down/0003_size.sql").write_text("ALTER TABLE pieces DROP COLUMN width;\n")
    assert up(file, folder).version == 3
    assert validate(file, folder) == []


def test_down_says_which_rows_would_be_lost(file: Path, folder: Path) -> None:
    up(file, folder)
    execute(
        file,
        "INSERT INTO pieces (id, shop_id, size) VALUES ('piece_1', 'shop_0', 'M'), ('piece_2', 'shop_0', NULL)",
        "INSERT INTO shops VALUES ('shop_1', 'Second')",
    )
    before = state(file)
    refused(lambda: down(file, 2, folder), "would lose 1 value of pieces.size", "--lose-data")
    refused(lambda: down(file, 1, folder), "would lose 2 rows of pieces;")
    # The row that the migration made itself is no loss, the one added to it is.
    refused(lambda: down(file, 0, folder), "would lose 2 rows of pieces, 1 row of shops;")
    for lose_data in (False, True):
        refused(lambda lose=lose_data: down(file, 1, folder, lose_data=lose, production=True), "in production")
    assert state(file) == before
    report = down(file, 1, folder, lose_data=True)
    assert [str(loss) for loss in report.lost] == ["2 rows of pieces"]
    assert versions(file) == [1]
    assert "migrations_before" not in counts(file)


def test_down_without_a_loss_needs_no_leave(file: Path, folder: Path) -> None:
    up(file, folder)
    assert down(file, 0, folder, production=True).version == 0
    assert [name for _, name, *_ in schema(file) if not name.startswith("sqlite_")] == ["migrations"]
    refused(lambda: down(file, 1, folder), "down --to 1", "version 0")


def test_down_counts_rows_that_a_way_back_deletes(file: Path, folder: Path) -> None:
    write(folder, {"0004_more.sql": ("CREATE INDEX shops_by_name ON shops (name);\n", "DROP INDEX shops_by_name;\n")})
    up(file, folder)
    execute(file, "INSERT INTO shops VALUES ('shop_1', 'Second'), ('shop_2', 'Third')")
    (folder / "down/0004_more.sql").write_text("DROP INDEX shops_by_name;\nDELETE FROM shops WHERE id = 'shop_2';\n")
    refused(lambda: down(file, 3, folder), "would lose 1 row of shops;")


def test_refuses_what_is_irreversible(file: Path, folder: Path) -> None:
    why = "-- irreversible: the old sizes are not kept\n"
    write(
        folder, {"0004_x.sql": ("UPDATE pieces SET size = NULL;\n", why), "0005_y.sql": ("SELECT 1;\n", "SELECT 1;\n")}
    )
    up(file, folder)
    refused(
        lambda: down(file, 2, folder, lose_data=True), "down/0004_x.sql cannot be undone: the old sizes are not kept"
    )
    assert versions(file) == [1, 2, 3, 4, 5]
    assert down(file, 4, folder).version == 4


def test_a_way_back_that_fails_changes_nothing(file: Path, folder: Path) -> None:
    up(file, folder)
    before = state(file)
    (folder / "down/0002_pieces.sql").write_text("DROP VIEW counted_pieces;\nDROP TABLE piecess;\n")
    refused(
        lambda: down(file, 1, folder), "down/0002_pieces.sql", "statement 3 (DROP TABLE piecess", "Nothing was changed"
    )
    assert state(file) == before


def test_a_guard_in_a_way_back_speaks(file: Path, folder: Path) -> None:
    guard = "SELECT CASE WHEN 0 THEN NULL ELSE json_extract('{}', 'guard:too_early:wait') END;\n"
    write(folder, {"0004_x.sql": ("SELECT 1;\n", guard)})
    up(file, folder)
    refused(lambda: down(file, 3, folder), "a guard of the way back refused: too_early: wait")


def test_a_way_back_that_leaves_rows_without_parents_changes_nothing(file: Path, folder: Path) -> None:
    write(folder, {"0004_x.sql": ("SELECT 1;\n", "PRAGMA defer_foreign_keys = ON;\nDELETE FROM shops;\n")})
    up(file, folder)
    execute(file, "INSERT INTO pieces (id, shop_id) VALUES ('piece_1', 'shop_0')")
    before = state(file)
    refused(lambda: down(file, 3, folder, lose_data=True), "down/0004_x.sql, at its end: foreign_key", "Nothing was")
    assert state(file) == before


def test_an_edited_version_that_does_not_run_can_be_taken_back(file: Path, folder: Path) -> None:
    up(file, folder)
    (folder / "0003_size.sql").write_text("ALTER TABLE nowhere ADD COLUMN size TEXT;\n")
    assert down(file, 2, folder).version == 2
    refused(lambda: up(file, folder), "0003_size.sql, statement 1", "nowhere", "at version 2")


def test_a_way_back_that_comes_too_late_changes_nothing(file: Path, folder: Path) -> None:
    up(file, folder)
    before = state(file)

    class Late(Flaky):
        async def batch(self, statements: list[Statement]) -> object:
            if not self._batches:
                execute(file, "DELETE FROM migrations WHERE version = 3")
            return await super().batch(statements)

    refused(
        lambda: using(file, lambda db: Migrations(folder).down(Late(db, {}), 1)),  # type: ignore[arg-type]
        "another process changed the version meanwhile",
    )
    execute(file, "INSERT INTO migrations SELECT 3, 'size', checksum, 1, 'x', 'x', 'x' FROM migrations LIMIT 1")
    assert state(file) == before


def test_reset_starts_anew(file: Path, folder: Path) -> None:
    up(file, folder)
    execute(
        file,
        "INSERT INTO pieces (id, shop_id) VALUES ('piece_1', 'shop_0')",
        "CREATE VIRTUAL TABLE words USING fts5(word)",
        "CREATE TABLE ring_a (id TEXT PRIMARY KEY, b TEXT REFERENCES ring_b (id))",
        "CREATE TABLE ring_b (id TEXT PRIMARY KEY, a TEXT REFERENCES ring_a (id))",
        "INSERT INTO ring_a VALUES ('a', NULL)",
        "INSERT INTO ring_b VALUES ('b', 'a')",
        "UPDATE ring_a SET b = 'b'",
    )
    (folder / "0001_shop.sql").write_text(SMALL["0001_shop.sql"][0].replace("shop_0", "shop_1"))
    url = f"sqlite:///{file}"
    refused(lambda: going(Migrations(folder).reset(url, production=True)), "refused in production")
    assert counts(file)["pieces"] == 1
    assert going(Migrations(folder).reset(url)).version == 3
    assert rows(file, "SELECT id FROM shops") == [("shop_1",)]
    assert validate(file, folder) == []
