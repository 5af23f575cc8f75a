"""`tally migrate …`, every action, as a process."""

import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.main import command_line
from db.migrate import DIRECTORY, Migrations
from tests.cli.terminal import Terminal
from tests.db.migration_support import SMALL, counts, execute, older_shop, schema, versions, write

LATEST = Migrations().latest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "migrations", SMALL)


def test_up_on_nothing_then_again(terminal: Terminal) -> None:
    done = terminal.tally("migrate", "up")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("applied ") == LATEST
    assert f"the database is at version {LATEST}" in done.out
    assert f"nothing to do: the database is at version {LATEST}" in terminal.tally("migrate", "up").out


def test_up_to_a_version_with_the_report_on_a_filled_shop(terminal: Terminal) -> None:
    terminal.file.parent.mkdir()
    older_shop(terminal.file)
    done = terminal.tally("migrate", "up", "--report")
    assert (done.code, done.err) == (0, "")
    assert "ok   idx_stock_moves_product (new)" in done.out
    assert "All checks passed" in done.out
    assert counts(terminal.file)["stock_moves"] == 41
    execute(terminal.file, "DROP INDEX idx_logs_created")
    done = terminal.tally("migrate", "up", "--report")
    assert done.code == 1
    assert "FAIL idx_logs_created is missing" in done.out


def test_status(terminal: Terminal, folder: Path) -> None:
    where = ("--directory", folder)
    terminal.tally("migrate", "up", "--to", "2", *where)
    done = terminal.tally("migrate", "status", *where)
    assert done.code == 0
    assert "applied  0002_pieces.sql  2" in done.out
    assert "pending  0003_size.sql\n2 applied, 1 pending\n" in done.out
    (folder / "0001_shop.sql").write_text("CREATE TABLE shops (id TEXT);\n")
    done = terminal.tally("migrate", "status", *where)
    assert done.code == 1
    assert "edited   0001_shop.sql" in done.out
    assert done.err.startswith("tally: 0001_shop.sql was changed after it was applied")
    done = terminal.tally("migrate", "status", "--json", *where)
    assert done.code == 1
    assert [line["state"] for line in done.json["migrations"]] == ["edited", "applied", "pending"]
    assert len(done.json["problems"]) == 1


def test_down_one_back_and_to_a_version(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    before = schema(terminal.file)
    done = terminal.tally("migrate", "down")
    assert (done.code, versions(terminal.file)) == (0, list(range(1, LATEST)))
    assert "undone " in done.out
    assert terminal.tally("migrate", "down", "--to", "0").code == 0
    done = terminal.tally("migrate", "down")
    assert (done.code, done.err) == (1, "tally: the database is at version 0: there is nothing to undo\n")
    terminal.tally("migrate", "up")
    assert schema(terminal.file) == before


def test_down_with_rows_asks_for_leave_and_production_gives_none(terminal: Terminal) -> None:
    terminal.file.parent.mkdir()
    older_shop(terminal.file)
    terminal.tally("migrate", "up", "--to", "6")
    words = ("migrate", "down", "--to", "5")
    done = terminal.tally(*words)
    assert done.code == 1
    assert "would lose 7 rows of analytics_stale_days, 41 rows of stock_moves; nothing was changed" in done.err
    done = terminal.tally(*words, "--lose-data", STAGE="production")
    assert done.code == 1
    assert "in production that is refused" in done.err
    assert counts(terminal.file)["stock_moves"] == 41
    done = terminal.tally(*words, "--lose-data")
    assert done.code == 0
    assert "lost 41 rows of stock_moves" in done.out


def test_create(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = terminal.tally("migrate", "create", "Sizes of shoes", "--directory", folder)
    assert (done.code, done.out.splitlines()) == (
        0,
        [str(folder / "0001_sizes_of_shoes.sql"), str(folder / "down/0001_sizes_of_shoes.sql")],
    )
    assert terminal.tally("migrate", "create", "…", "--directory", folder).code == 1
    assert len(list(DIRECTORY.glob("*.sql"))) == LATEST


def test_validate_tells_the_drift(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    assert terminal.tally("migrate", "validate").out.startswith(f"valid: {LATEST} applied, 0 pending")
    execute(terminal.file, "DROP INDEX idx_logs_created", "CREATE TABLE mine (a TEXT)")
    done = terminal.tally("migrate", "validate")
    assert done.code == 1
    assert done.err == "tally: schema: missing index idx_logs_created\ntally: schema: extra table mine\n"


def test_reset_is_for_development(terminal: Terminal) -> None:
    terminal.file.parent.mkdir()
    older_shop(terminal.file)
    done = terminal.tally("migrate", "reset", STAGE="production")
    assert done.code == 1
    assert "refused in production" in done.err
    assert counts(terminal.file)["inventory"] == 41
    assert terminal.tally("migrate", "reset").code == 0
    assert counts(terminal.file)["inventory"] == 0
    assert terminal.tally("migrate", "validate").code == 0


def test_wait(terminal: Terminal) -> None:
    terminal.tally("migrate", "up", "--to", "1")
    assert terminal.tally("migrate", "wait", "--seconds", "5").out.startswith("answered after ")
    terminal.file.write_bytes(b"no database at all" * 100)
    done = terminal.tally("migrate", "wait", "--seconds", "0.2")
    assert done.code == 1 and "did not answer within 0.2 seconds: file is not a database" in done.err


def test_wait_makes_no_file(terminal: Terminal) -> None:
    terminal.file.parent.mkdir()
    for url in ("sqlite:///.tallystick/shop.db", "sqlite:///nowhere/shop.db"):
        done = terminal.tally("migrate", "wait", "--seconds", "0.2", "--database-url", url)
        assert (done.code, done.out) == (1, "")
        assert "did not answer within 0.2 seconds: there is no database at" in done.err
    assert [path.name for path in terminal.folder.rglob("*")] == [".tallystick"]


def test_wait_sees_a_file_that_comes(terminal: Terminal) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(terminal.tally, "migrate", "wait", "--seconds", "60")
        terminal.tally("migrate", "up", "--to", "1")
        assert waiting.result().code == 0


def test_the_runbook_names_commands_that_exist() -> None:
    runbook = (DIRECTORY.parent.parent / "docs" / "migrations.md").read_text(encoding="utf-8")
    block = [line for part in runbook.split("```sh\n")[1:] for line in part.split("```")[0].splitlines()]
    lines = [shlex.split(line, comments=True) for line in block]
    assert len(lines) == 11
    actions = {command_line(words[1]).parse_args(words[1:]).command for words in lines}
    assert actions == {"migrate", "check", "backup"}
    named = {words[2] for words in lines if words[1] == "migrate"}
    assert named == {"create", "rebuild", "up", "status", "validate", "down", "reset", "wait"}
