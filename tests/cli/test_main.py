"""`tally` itself: help without importing a command, the database's URL, and errors that a person can act on."""

import importlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.derive import jobs, project
from cli.key import known_scopes
from cli.main import COMMANDS, command_line
from tests.cli.terminal import ROOT, Terminal


def test_help_names_every_command(terminal: Terminal) -> None:
    done = terminal.tally("--help")
    assert (done.code, done.err) == (0, "")
    for name in COMMANDS:
        assert f"    {name} " in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module(name: str) -> None:
    module = importlib.import_module(COMMANDS[name][1])
    assert callable(module.add_parser)
    assert callable(module.run)


def test_help_imports_no_command(terminal: Terminal) -> None:
    code = (
        "import sys\nfrom cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "found = [name for name in sys.modules if name in ('pydantic', 'aiosqlite', 'mangum', 'starlette', 'asyncio')"
        " or name.startswith(('cli.', 'api.', 'functions.'))]\nprint(sorted(found), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "['cli.common', 'cli.main']"


def test_wrong_usage_is_2(terminal: Terminal) -> None:
    for words in (
        [],
        ["nonsense"],
        ["migrate"],
        ["migrate", "sideways"],
        ["migrate", "up", "--to", "x"],
        ["check", "x"],
    ):
        done = terminal.tally(*words)
        assert done.code == 2, words
        assert done.err.startswith("usage: tally"), words


def test_an_unusable_url_is_2(terminal: Terminal) -> None:
    for url in ("postgres://host/shop", "shop.db", "sqlite://host/shop.db", "sqlite:///:memory:"):
        done = terminal.tally("migrate", "status", "--database-url", url)
        assert done.code == 2, url
        assert done.err.startswith("tally: DATABASE_URL"), done.err


def test_the_url_stands_before_or_after_the_command_or_in_the_environment(terminal: Terminal) -> None:
    url = f"sqlite:///{terminal.folder}/other.db"
    assert terminal.tally("migrate", "up", "--to", "1", DATABASE_URL=url).code == 0
    for words in (["--database-url", url, "migrate", "status"], ["migrate", "status", f"--database-url={url}"]):
        assert "applied  0001_foundation.sql  2" in terminal.tally(*words).out
    assert not terminal.file.exists()
    assert terminal.tally("migrate", "up", "--to", "1").code == 0
    assert terminal.file.is_file()


def test_a_database_that_is_not_there_is_told(terminal: Terminal) -> None:
    for words in (["migrate", "status"], ["migrate", "validate"], ["migrate", "down"], ["check"]):
        done = terminal.tally(*words)
        assert done.code == 1
        assert done.err == "tally: there is no database at .tallystick/shop.db; `tally migrate up` makes one\n"
    assert not terminal.file.parent.exists()


def test_a_file_that_is_no_database_is_told(terminal: Terminal) -> None:
    path = terminal.folder / "shop.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    done = terminal.tally("migrate", "up", "--database-url", f"sqlite:///{path}")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"tally: {path}: file is not a database\n"


def test_no_folder_is_made_but_the_default_one(terminal: Terminal) -> None:
    for words in (["migrate", "up"], ["migrate", "reset"], ["dev", "--port", "0"]):
        done = terminal.tally(*words, "--database-url", "sqlite:///mispelt/data/shop.db")
        assert (done.code, done.out) == (1, "")
        assert "there is no folder mispelt/data for the database shop.db" in done.err
    assert list(terminal.folder.iterdir()) == []
    assert terminal.tally("migrate", "up", "--to", "1").code == 0
    assert terminal.file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("version", ["0", "3"])
def test_what_is_not_migrated_is_told_with_what_to_do(terminal: Terminal, version: str) -> None:
    terminal.tally("migrate", "up", "--to", version)
    event = terminal.folder / "event.json"
    event.write_text("{}")
    for words in (["seed", "demo"], ["invoke", "roll_up_analytics", event], ["serve", "--port", "0"]):
        done = terminal.tally(*words)
        assert (done.code, done.out) == (1, ""), words
        assert "migrations are pending: run `tally migrate up` first" in done.err
    done = terminal.tally("check")
    assert done.code == 1 and "Is the database migrated?" in done.err


def test_says_its_version(terminal: Terminal) -> None:
    done = terminal.tally("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"tally {project()['version']}\n"


def test_a_reader_that_has_seen_enough_is_no_error(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    command = f"{sys.executable} -m cli.main migrate up --report | head -1"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=terminal.folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_nothing_is_written_outside_the_folder(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    assert [path.name for path in Path(terminal.folder).iterdir()] == [".tallystick"]


def test_the_operators_page_names_commands_that_exist() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    block = [line for part in page.split("```sh\n")[1:] for line in part.split("```")[0].splitlines()]
    lines = [shlex.split(line, comments=True) for line in block if line.startswith("tally ")]
    named = [command_line(words[1]).parse_args(words[1:]) for words in lines]
    assert [one.command for one in named] == [
        *("key", "key", "key", "user", "user", "user", "audit", "invoke"),
        *("backup", "restore", "restore", "restore", "check", "backup"),
    ]
    assert named[0].scope and set(named[0].scope) <= set(known_scopes())
    assert all(f"`{one.name}`" in page or f"invoke {one.name} " in page for one in jobs())
