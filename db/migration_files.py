"""The files of `db/migrations`: read, split into statements, summed up, and judged before anything is run.

A version is `NNNN_what.sql` and the way back `down/NNNN_what.sql`. Numbers start at 0001 and have no gap. Nothing
here touches a database.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from db.sql import LimitExceeded, Statement, unregistered

DIRECTORY: Final = Path(__file__).parent / "migrations"
IRREVERSIBLE: Final = "-- irreversible:"

_FILE: Final = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
_LEADING: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.S)


class MigrationError(Exception):
    """Something that a person has to mend. `problems`: what is wrong and what to do, one sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Migration:
    """One version. `checksum` is the SHA-256 of the file with `\\n` line ends; `irreversible` says why, if it is."""

    version: int
    name: str
    checksum: str
    statements: tuple[Statement, ...]
    down: tuple[Statement, ...]
    irreversible: str | None

    @property
    def file(self) -> str:
        return file_of(self.version, self.name)


@dataclass(slots=True)
class Files:
    """What a folder holds: the usable versions, the names of all, and what is wrong.

    `gaps` are the numbers that no file has, apart from `problems` because a database may know their names.
    """

    directory: Path
    migrations: dict[int, Migration] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    gaps: dict[int, str] = field(default_factory=dict)


def file_of(version: int, name: str) -> str:
    return f"{version:04}_{name}.sql"


def split(text: str) -> list[str]:
    """The statements of an SQL text, without their last `;` and without the comments before them.

    A trigger's inner `;` ends nothing, nor does one in a text or a comment; a comment alone is no statement.
    Raises ValueError if the text ends within a statement.
    """
    statements: list[str] = []
    start = 0
    for match in re.finditer(";", text):
        piece = text[start : match.end()]
        if not sqlite3.complete_statement(piece):
            continue
        start = match.end()
        if statement := _bare(piece[:-1]):
            statements.append(statement)
    if rest := _bare(text[start:]):
        raise ValueError(f"the statement that begins with {' '.join(rest.split())[:60]!r} has no end (;)")
    return statements


def _bare(text: str) -> str:
    leading = _LEADING.match(text)
    return text[leading.end() if leading else 0 :].rstrip()


def read(directory: Path) -> Files:
    """Read a folder of migrations. Nothing is raised for what is wrong: it stands in `problems`."""
    files = Files(directory)
    if not directory.is_dir():
        files.problems.append(f"{directory}: there is no such folder of migrations")
        return files
    for path in sorted(directory.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            files.problems.append(f"{path.name}: call it NNNN_what_it_does.sql (four digits, lower case, _)")
            continue
        version = int(match[1])
        if version in files.names:
            files.problems.append(
                f"{path.name}: {files.names[version]} has the same number; give the newer one the next free number"
            )
            continue
        files.names[version] = path.name
        if migration := _read_one(files, path, version, match[2]):
            files.migrations[version] = migration
    last = max(files.names, default=0)
    for version in sorted(set(range(1, last + 1)) - files.names.keys()):
        after = files.names[min(number for number in files.names if number > version)]
        files.gaps[version] = (
            f"{version:04}_….sql is missing before {after}: restore it, or renumber what follows if it never existed"
        )
    files.problems += [
        f"down/{path.name}: there is no {path.name} that it would undo; remove or rename it"
        for path in sorted((directory / "down").glob("*.sql"))
        if path.name not in files.names.values()
    ]
    return files


def _read_one(files: Files, path: Path, version: int, name: str) -> Migration | None:
    content = path.read_bytes().replace(b"\r\n", b"\n")
    statements = _statements(files, content, path.name)
    if not statements:
        return None
    back = files.directory / "down" / path.name
    if not back.is_file():
        files.problems.append(f"down/{path.name} is missing: write the way back, or one line '{IRREVERSIBLE} why'")
        return None
    way_back = back.read_bytes().replace(b"\r\n", b"\n")
    irreversible: str | None = None
    down: tuple[Statement, ...] = ()
    first = way_back.decode(errors="replace").split("\n", 1)[0].strip()
    if first.startswith(IRREVERSIBLE):
        irreversible = first.removeprefix(IRREVERSIBLE).strip() or "no reason is given"
    else:
        down = _statements(files, way_back, f"down/{path.name}")
        if not down:
            return None
    checksum = hashlib.sha256(content).hexdigest()
    return Migration(version, name, checksum, statements, down, irreversible)


def _statements(files: Files, content: bytes, label: str) -> tuple[Statement, ...]:
    """The statements of a file; empty, with a problem noted, if one of them cannot run on every engine."""
    statements: list[Statement] = []
    try:
        for text in split(content.decode()):
            statements.append(unregistered(text)())
    except UnicodeDecodeError:
        files.problems.append(f"{label}: not UTF-8; save it as UTF-8")
    except (LimitExceeded, ValueError) as error:
        files.problems.append(f"{label}, statement {len(statements) + 1}: {error}")
    except TypeError:
        files.problems.append(
            f"{label}, statement {len(statements) + 1}: a migration takes no :parameter; write the value"
        )
    else:
        if not statements:
            files.problems.append(f"{label} holds no statement: write it, or remove the file")
        return tuple(statements)
    return ()


def create(directory: Path, what: str, forward_sql: str = "", back_sql: str = "") -> tuple[Path, Path]:
    """Two new files with the next number: the way forward and the way back. Raises MigrationError for a bad name."""
    name = re.sub(r"[^a-z0-9]+", "_", what.lower()).strip("_")
    if not name or len(name) > 60:
        raise MigrationError(f"{what!r}: say in a few words (a-z, 0-9) what the migration does")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "down").mkdir(exist_ok=True)
    numbers = [int(match[1]) for path in directory.glob("*.sql") if (match := _FILE.fullmatch(path.name))]
    version = max(numbers, default=0) + 1
    forward = directory / file_of(version, name)
    back = directory / "down" / forward.name
    words = name.replace("_", " ")
    with forward.open("x", encoding="utf-8", newline="\n") as file:
        file.write(f"-- {version:04} {words}: why, and what the old code does meanwhile.\n{forward_sql}")
    with back.open("x", encoding="utf-8", newline="\n") as file:
        file.write(f"-- {version:04} back. What cannot be undone: '{IRREVERSIBLE} why' as the first line.\n{back_sql}")
    return forward, back
