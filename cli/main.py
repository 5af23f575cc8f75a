"""`tally`: the command line. A command is a module of its own, imported only when it is called.

A command's module has `add_parser(subparsers)` and `run(args) -> int`. Exit codes: 0 done, 1 refused or failed, 2 wrong
usage. What a person can mend is told in a sentence on standard error; a traceback means a defect of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from cli.common import DEFAULT_URL, Failure, file_of, release

COMMANDS: Final = {
    "dev": ("migrate, seed the demo shop, and serve it with reload", "cli.dev"),
    "serve": ("serve every endpoint from this process", "cli.serve"),
    "migrate": ("bring the database to a version: up, down, status, create, validate, reset, wait", "cli.migrate"),
    "backup": ("write every row of the shop, of one moment, into a file", "cli.backup"),
    "restore": ("bring a backup into an empty database, of any engine", "cli.restore"),
    "seed": ("fill the database with a profile's sample data", "cli.seed"),
    "key": ("make, list and revoke API keys", "cli.key"),
    "user": ("make and list users, and give them roles", "cli.user"),
    "audit": ("hold the audit log against its own hashes", "cli.audit"),
    "mail": ("the mail that waits in the outbox, for a laptop without a mail server", "cli.mail"),
    "check": ("ask the invariants: queries that must return no row", "cli.check"),
    "prove": ("prove on a scratch shop that nothing is oversold, lost or double, whatever dies", "cli.prove"),
    "doctor": ("look at any SQLite, libSQL or D1 database and say what is wrong with it", "cli.doctor"),
    "stats": ("the tables with their rows and bytes, and their indexes", "cli.stats"),
    "invoke": ("call one function with an event, as the cloud would", "cli.invoke"),
    "routes": ("list the endpoints; write or check what is derived from them", "cli.routes"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # The database's URL may stand before or after the command, and reaches what a command starts: the environment.
    anywhere = argparse.ArgumentParser(prog="tally", add_help=False, allow_abbrev=False)
    anywhere.add_argument("--database-url", default=os.environ.get("DATABASE_URL") or DEFAULT_URL)
    common, rest = anywhere.parse_known_args(given)
    os.environ["DATABASE_URL"] = common.database_url
    name = next((word for word in rest if not word.startswith("-")), None)
    try:
        args = command_line(name).parse_args(rest, namespace=common)
        code: int = import_module(COMMANDS[args.command][1]).run(args)
        sys.stdout.flush()
    except Failure as failure:
        return _told(str(failure), failure.code)
    except KeyboardInterrupt:
        return _told("stopped", 130)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not _expected(error):
            raise
        return _told(_sentence(error, common.database_url), 1)
    return code


class Version(argparse.Action):
    """Prints the release, read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"tally {release()}")
        parser.exit()


def command_line(chosen: str | None) -> argparse.ArgumentParser:
    """The parser: the chosen command's own, a line of help for the others."""
    parser = argparse.ArgumentParser(prog="tally", description="Tallystick: a shop's back end.", allow_abbrev=False)
    parser.add_argument(
        "--database-url",
        metavar="URL",
        help=f"before or after the command; default: DATABASE_URL, else {DEFAULT_URL}",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (help_, module) in COMMANDS.items():
        if name == chosen:
            import_module(module).add_parser(commands)
        else:
            commands.add_parser(name, help=help_, add_help=False)
    return parser


def _expected(error: Exception) -> bool:
    """Whether the error's own text is all that a person needs. Imported here: help must not wait for the database."""
    from api.settings import SettingsError
    from db.backup_tables import BackupError
    from db.helper import DatabaseError
    from db.invariants import InvariantError
    from db.migration_files import MigrationError

    ours = DatabaseError | MigrationError | BackupError | InvariantError | SettingsError
    return isinstance(error, ours | OSError)


def _sentence(error: Exception, url: str) -> str:
    """The error's text; with the file's name and what to do, where the engine knows neither."""
    from db.helper import SchemaBehind, Unavailable

    text = str(error)
    if not isinstance(error, SchemaBehind | Unavailable):
        return text
    if (path := file_of(url)) is not None and str(path) not in text:
        text = f"{path}: {text}"
    return text + (". Is the database migrated? Run `tally migrate up`" if isinstance(error, SchemaBehind) else "")


def _told(text: str, code: int) -> int:
    for line in text.splitlines() or ["failed without a word"]:
        print(f"tally: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
