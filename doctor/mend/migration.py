"""The migration that mends what can be mended safely: what is there stays as it was, something is added.

No table is rebuilt: a trigger refuses what a CHECK would, on rows that exist too, and no row has to move. What only a
person can decide stands at the end of the file as comments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doctor.catalogue import CATALOGUE
from doctor.examine import Examined
from doctor.finding import Finding
from doctor.mend import additions, trail
from doctor.mend.names import Names
from doctor.report import printable

_MENDERS: Final[dict[str, Callable[[Finding, Names, Examined], additions.Mend | str]]] = {
    "foreign_key_without_index": additions.reference_index,
    "lookup_without_index": additions.lookup_index,
    "no_timestamps": additions.timestamps,
    "stock_without_check": additions.keep_from_falling,
    "counter_without_check": additions.keep_from_falling,
    "stock_without_trail": trail.stock_moves,
    "events_without_daily": trail.analytics_daily,
}
_ORDER: Final = tuple(_MENDERS)
_HEAD: Final = """\
-- {what} for {name}, written by `tally doctor`; read it before you run it.
-- Take a backup first. All of it or nothing: on a file
--   (echo 'BEGIN IMMEDIATE;'; cat {file}; echo 'COMMIT;') | sqlite3 -bail FILE
-- on libSQL `turso db shell NAME < {file}`, on D1 `wrangler d1 execute NAME --remote --file {file}`.
"""


class MendError(Exception):
    """A migration that cannot be written; the sentence says why."""


@dataclass
class Migration:
    """`up` and `down` are statements with the comment before each; `mends` are the findings that they mend."""

    up: list[tuple[str, list[str]]] = field(default_factory=list)
    down: list[tuple[str, list[str]]] = field(default_factory=list)
    mends: list[Finding] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    name: str = ""

    def statements(self, which: str) -> list[str]:
        return [one for _, some in (self.up if which == "up" else self.down) for one in some]

    def text(self, which: str, file: str) -> str:
        head = {"up": "The way forward", "down": "The way back"}[which]
        pieces = [_HEAD.format(what=head, name=printable(self.name), file=file)]
        if which == "down":
            pieces[0] += "-- What was written into the new columns and tables since is lost.\n"
        for comment, statements in self.up if which == "up" else self.down:
            pieces.append("".join(f"-- {printable(line)}\n" for line in comment.splitlines()))
            pieces[-1] += "".join(f"{one};\n" for one in statements)
        if which == "up" and self.left:
            pieces.append("-- Left to a person:\n" + "".join(f"-- * {printable(one)}\n" for one in self.left))
        return "\n".join(pieces)


def migration_of(examined: Examined) -> Migration:
    """What mends the findings, in an order in which it can run; the rest is told in `left`."""
    migration = Migration(name=examined.case.name)
    names = Names(examined.case.schema)
    backwards = []
    for one in sorted(
        examined.findings, key=lambda one: (_ORDER.index(one.code) if one.code in _ORDER else 99, one.place)
    ):
        mender = _MENDERS.get(one.code)
        made = mender(one, names, examined) if mender else _why_not(one)
        if isinstance(made, str):
            if made:
                migration.left.append(f"{one.code} {one.place}: {made}")
            continue
        migration.up.append((f"{CATALOGUE[one.code].title}: {one.place}. {made.note}".rstrip(), made.up))
        backwards.append((f"{CATALOGUE[one.code].title}: {one.place}.", made.down))
        migration.mends.append(one)
    migration.down = backwards[::-1]
    return migration


def _why_not(one: Finding) -> str:
    """What a person has to do; empty for what is no matter of the schema."""
    if one.code.startswith("query_") or one.code in (
        "corruption_bug",
        "foreign_keys_per_connection",
        "durability_relaxed",
    ):
        return ""
    return f"{one.what} {CATALOGUE[one.code].mend}"


def paths_of(target: str) -> tuple[Path, Path]:
    """The two files. Raises MendError if one is there already, or there is no folder for them."""
    path = Path(target)
    if path.is_dir() or target.endswith(("/", "\\")):
        folder, stem = path, "mend"
    else:
        folder, stem = path.parent, path.name
    if not folder.is_dir():
        raise MendError(f"there is no folder {folder} for the migration: make it, or name another")
    up, down = folder / f"{stem}.up.sql", folder / f"{stem}.down.sql"
    for one in (up, down):
        if one.exists() or one.is_symlink():
            raise MendError(f"{one} exists: name another place, or remove it")
    return up, down


def write(migration: Migration, target: str) -> tuple[Path, Path]:
    """Both files, new ones. Raises MendError."""
    up, down = paths_of(target)
    for which, path in (("up", up), ("down", down)):
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(migration.text(which, path.name))
        except FileExistsError as error:
            raise MendError(f"{path} exists: name another place, or remove it") from error
    return up, down
