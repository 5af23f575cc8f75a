"""The audit log held against itself: every row, its number, its personal values and its link, read page after page."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from api.trail import HASHED, content_hash, link_hash, salted_hash
from db.helper import Database, Row
from db.sql import unregistered

ROWS_MAX: Final = 500
# Number and place: should two rows have one number, none of them is passed over.
PAGE: Final = unregistered(f"""
    SELECT l.rowid AS place, l.sequence, l.content_hash, {", ".join(f"l.{name}" for name in HASHED)},
      (SELECT json_group_array(json_array(p.name, p.salt, p.value)) FROM personal_values p WHERE p.row_id = l.id)
        AS personal,
      k.sequence AS link_sequence, k.hash AS link
    FROM audit_logs l LEFT JOIN audit_links k ON k.id = l.id
    WHERE l.sequence >= :sequence AND (l.sequence, l.rowid) > (:sequence, :place)
    ORDER BY l.sequence, l.rowid LIMIT :rows
""")
ENDS: Final = unregistered("""
    SELECT (SELECT count FROM audit_counters WHERE name = 'audit_logs') AS count,
      coalesce((SELECT max(sequence) FROM audit_links), 0) AS sealed
""")
LINK: Final = unregistered("SELECT id FROM audit_links WHERE sequence = :sequence")
UNNUMBERED: Final = unregistered("SELECT id FROM audit_logs WHERE sequence IS NULL LIMIT 1")


class Broken(NamedTuple):
    """The first place where the log is not what was written. `id` is None where nothing is left of the row."""

    sequence: int | None
    id: str | None
    what: str
    """changed, removed, swapped, added, value changed, or head: the given hash is none of this history."""


class Verdict(NamedTuple):
    rows: int
    """Read and found whole."""
    sealed: int
    head: str | None
    """The link of the last of them, sealed yet or not."""
    broken: Broken | None


async def verify(db: Database, head: str | None = None) -> Verdict:
    """Read the log from its first row to its last, or to the first that is wrong."""
    chain = _Chain()
    known = head is None
    while True:
        page, [ends] = await db.read(PAGE(sequence=chain.sequence, place=chain.place, rows=ROWS_MAX), ENDS())
        for row in page:
            broken = chain.next(row, ends["sealed"])
            if broken is not None and broken.id is None:
                broken = broken._replace(id=await _linked(db, broken.sequence))
            if broken is not None:
                return chain.verdict(ends, broken)
            known = known or chain.link == head
        if len(page) < ROWS_MAX:
            break
    broken = chain.end(ends)
    if broken is not None and broken.id is None:
        broken = broken._replace(id=await _linked(db, broken.sequence))
    [unnumbered] = await db.read(UNNUMBERED())
    if broken is None and unnumbered:
        broken = Broken(None, unnumbered[0]["id"], "added")
    if broken is None and not known:
        broken = Broken(None, None, "head")
    return chain.verdict(ends, broken)


async def _linked(db: Database, sequence: int | None) -> str | None:
    """The id of the row that had this number, if a link remembers it."""
    [found] = await db.read(LINK(sequence=sequence))
    return found[0]["id"] if found else None


class _Chain:
    """How far the log was read: the last row's number, its place in the table, and its link."""

    def __init__(self) -> None:
        self.sequence, self.place, self.link = 0, 0, ""
        self.last_id: str | None = None

    def next(self, row: Row, sealed: int) -> Broken | None:
        """What is wrong with the row that follows, if anything is. `sealed`: the number of the last link."""
        sequence, row_id = row["sequence"], row["id"]
        if sequence == self.sequence:
            return Broken(sequence, row_id, "added")
        if sequence > self.sequence + 1:
            return Broken(self.sequence + 1, None, "removed")
        if content_hash(row) != row["content_hash"]:
            return Broken(sequence, row_id, "changed")
        if row["link"] is None and sequence <= sealed:
            return Broken(sequence, row_id, "added")
        # Rows lie in the table as they were written, and so they are numbered: until it is sealed, a row has only this.
        if row["place"] < self.place or row["link_sequence"] not in (None, sequence):
            return Broken(sequence, row_id, "swapped")
        link = link_hash(self.link, sequence, row["content_hash"])
        if row["link"] not in (None, link):
            return Broken(sequence, row_id, "changed")
        if not _values_are_whole(row):
            return Broken(sequence, row_id, "value changed")
        self.sequence, self.place, self.link, self.last_id = sequence, row["place"], link, row_id
        return None

    def end(self, ends: Row) -> Broken | None:
        """What is wrong with the number of rows."""
        if max(ends["count"] or 0, ends["sealed"]) > self.sequence:
            return Broken(self.sequence + 1, None, "removed")
        if (ends["count"] or 0) < self.sequence:
            return Broken(self.sequence, self.last_id, "added")
        return None

    def verdict(self, ends: Row, broken: Broken | None) -> Verdict:
        return Verdict(self.sequence, min(ends["sealed"], self.sequence), self.link or None, broken)


def _values_are_whole(row: Row) -> bool:
    """Whether each personal value that still stands is the one whose salted hash the row holds."""
    return all(salted_hash(salt, value) == _hash_at(row, name) for name, salt, value in json.loads(row["personal"]))


def _hash_at(row: Row, name: str) -> Any:
    """What the row holds for the value `name`: in a column, or in a member of `before` or `after`."""
    _, slash, pointer = name.partition("/")
    if not slash:
        return row[name] if name in HASHED else None
    column, _, member = pointer.partition("/")
    document = json.loads(row[column] or "{}") if column in ("before", "after") else {}
    found = document.get(member)
    return found.get("sha256") if isinstance(found, dict) else None
