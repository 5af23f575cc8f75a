"""Every code that the doctor can say: how bad it is, why it matters, and how it is mended."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from doctor.finding import Finding, Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = (
    Severity.CRITICAL,
    Severity.HIGH,
    Severity.MEDIUM,
    Severity.LOW,
    Severity.INFO,
)


class Entry(NamedTuple):
    """`written` is true where `--write-migration` mends it."""

    severity: Severity
    title: str
    why: str
    mend: str
    written: bool = False


CATALOGUE: Final[dict[str, Entry]] = {
    "corruption": Entry(
        CRITICAL,
        "The file is damaged",
        "Pages or indexes contradict one another: queries give wrong rows, and each write can make it worse.",
        "Stop writing, keep a copy of the file with its -wal, restore the newest backup that passes; or read what can "
        "be read with `sqlite3 FILE .recover`. An index alone that disagrees with its table: REINDEX.",
    ),
    "plain_password": Entry(
        CRITICAL,
        "Passwords that can be read",
        "Whoever sees a copy, a backup or a log of this database has every customer's password, here and elsewhere.",
        "Hash each with argon2id, scrypt or bcrypt at its next use, and end the sessions; no SQL can do it, a program "
        "with such a library can. Backups keep the old values: destroy them, or reset the passwords.",
    ),
    "weak_password_hash": Entry(
        HIGH,
        "Passwords behind a bare digest",
        "An MD5, SHA-1 or SHA-2 without salt and cost is guessed by the billion a second, and equal passwords show.",
        "Wrap the digest: store argon2id(digest) now, and hash the password itself at its next use.",
    ),
    "foreign_key_violation": Entry(
        HIGH,
        "Rows that refer to nothing",
        "They drop out of every JOIN, so sums and lists disagree; and the database cannot be moved to an engine that "
        "enforces foreign keys.",
        "Look at the rows (rowids are named), then bring back the parent, point them elsewhere, set NULL, or delete "
        "them: only a person knows which. Then switch foreign keys on for every connection.",
    ),
    "foreign_key_broken": Entry(
        HIGH,
        "A foreign key that no row can satisfy",
        "Its target is no table, or no unique key of one: with foreign keys on, every write to the table fails.",
        "Make the parent's column UNIQUE, or rebuild the table with the reference that was meant.",
    ),
    "foreign_keys_off": Entry(
        HIGH,
        "Foreign keys are not enforced",
        "Whatever REFERENCES says, rows that refer to nothing are taken.",
        "Switch them on for every connection that writes: PRAGMA foreign_keys = ON, and read it back.",
    ),
    "constraint_violation": Entry(
        HIGH,
        "Rows that break their own table's rules",
        "A CHECK or NOT NULL that the schema states does not hold, so code that trusts it is wrong, and a restore of a "
        "dump fails.",
        "Mend the rows; find who writes with `PRAGMA ignore_check_constraints`, or who edited the schema in place.",
    ),
    "negative_stock": Entry(
        HIGH,
        "Stock below zero",
        "Pieces were sold that are not there: somebody waits for them.",
        "Count the shelf, find the orders that took the last pieces, and write a correction; then refuse it for good.",
    ),
    "negative_counter": Entry(
        HIGH,
        "A counter below zero",
        "What was counted down more often than up: a limit that it guards is open.",
        "Count again from the rows that it sums up, and write that number; then refuse it for good.",
    ),
    "stock_without_check": Entry(
        HIGH,
        "Stock that can go below zero",
        "Two buyers of the last piece both succeed if the program reads, decides and then writes: nothing in the "
        "database stops the second.",
        "A CHECK (column >= 0) in a new table, or a trigger that refuses it in this one; and write relatively, "
        "SET stock = stock - ? WHERE stock >= ?.",
        written=True,
    ),
    "stock_without_trail": Entry(
        MEDIUM,
        "Stock without a trail",
        "A wrong number cannot be explained: nobody knows which sale, return or correction made it.",
        "A table of moves that is only appended to, one opening move for each row of stock, and each change a row.",
        written=True,
    ),
    "counter_without_check": Entry(
        MEDIUM,
        "A counter that can go below zero",
        "A limit that is checked by the program alone is passed by two requests at once.",
        "A CHECK (column >= 0) in a new table, or a trigger that refuses it in this one.",
        written=True,
    ),
    "money_in_real": Entry(
        MEDIUM,
        "Money in floating point",
        "0.1 + 0.2 is not 0.3: sums, taxes and comparisons are off by a cent now and then, and no report adds up.",
        "A new INTEGER column in minor units, filled with CAST(round(column * 100) AS INTEGER) (not every currency "
        "has hundredths), compared, then used instead; every reader has to change with it.",
    ),
    "wrong_type": Entry(
        MEDIUM,
        "Values of another type than the column's",
        "They sort and compare apart (every text is greater than every number), and sums take them as 0.",
        "Look at them with SELECT … WHERE typeof(column) …, mend them, then make the table STRICT.",
    ),
    "foreign_key_without_index": Entry(
        MEDIUM,
        "A foreign key without an index",
        "Each delete or key change of a parent walks the whole child table, and so does each list of its children.",
        "CREATE INDEX on the referring columns.",
        written=True,
    ),
    "no_primary_key": Entry(
        MEDIUM,
        "A table without a primary key",
        "No row can be named: duplicates come in, and replication, sync and an update of one row have no handle.",
        "Rebuild the table with a key; if no columns are unique, id INTEGER PRIMARY KEY takes over the rowids.",
    ),
    "corruption_bug": Entry(
        MEDIUM,
        "Written by an SQLite with a known corruption bug",
        "The bug is rare and silent; a backup taken afterwards has the damage in it.",
        "Move every program that writes to SQLite 3.51.3 or newer, and run this examination again.",
    ),
    "durability_relaxed": Entry(
        MEDIUM,
        "A power cut may lose what was acknowledged",
        "With synchronous below FULL a commit is answered before it is on the disk.",
        'On libSQL set "durability_mode": "strong" for the namespace; elsewhere PRAGMA synchronous = FULL.',
    ),
    "broken_view": Entry(
        MEDIUM,
        "A view that cannot be read",
        "It names what is not there; until it is mended, ALTER TABLE refuses some changes of any table.",
        "Drop it, or make it anew with today's names.",
    ),
    "query_broken": Entry(
        MEDIUM,
        "A query that this database does not take",
        "It names a table or column that is not there, or its SQL is not this engine's.",
        "Correct it, or bring the schema to the version that it was written for.",
    ),
    "query_scan": Entry(
        MEDIUM,
        "A query that walks a whole table",
        "Its time grows with the table, for one row as for all; on D1 every row walked is paid for.",
        "The index that is named, where one is: it was tried on a copy of the schema, and the planner took it.",
    ),
    "query_builds_index": Entry(
        MEDIUM,
        "A query that builds an index for itself, each time",
        "SQLite found joining without one so slow that it walks the table and sorts it first, for every call.",
        "Make that index for good.",
    ),
    "query_sort": Entry(
        LOW,
        "A query that sorts",
        "All rows are read and sorted before the first one comes, also for the first page of ten.",
        "An index whose columns are those compared with =, then those of ORDER BY.",
    ),
    "no_timestamps": Entry(
        LOW,
        "Rows without a time",
        "Nobody can tell what came when: no sync, no audit, no answer to a customer.",
        "created_at and updated_at, kept by triggers; for the rows that exist they stay NULL, because nobody knows.",
        written=True,
    ),
    "lookup_without_index": Entry(
        LOW,
        "A column that shops ask by, without an index",
        "The usual questions of a shop (the newest, those of a state, those of a customer) walk the table.",
        "The index that is named.",
        written=True,
    ),
    "events_without_daily": Entry(
        LOW,
        "Events that are never summed up",
        "Each chart walks all events there ever were.",
        "A table of daily counts, filled once from what is there, then by a job.",
        written=True,
    ),
    "duplicate_index": Entry(
        LOW,
        "An index that another one makes needless",
        "Each write keeps it, and nothing is quicker by it.",
        "DROP INDEX, unless a query names it with INDEXED BY.",
    ),
    "foreign_keys_per_connection": Entry(
        INFO,
        "Foreign keys are switched on by each connection, or not at all",
        "A file cannot hold the setting; SQLite's own default is off, also for the sqlite3 shell and most drivers.",
        "PRAGMA foreign_keys = ON at the start of every connection, read back: within a transaction it does nothing.",
    ),
    "looks_like_foreign_key": Entry(
        INFO,
        "A column that looks like a foreign key and declares none",
        "Nothing keeps it from naming a row that is not there, or is deleted later.",
        "Rebuild the table with REFERENCES, once the rows that refer to nothing are mended.",
    ),
    "unused_index": Entry(
        INFO,
        "An index that none of the given queries uses",
        "Each write keeps it. Whether other queries use it only you know: SQLite does not count uses.",
        "If the queries given are all there are: DROP INDEX.",
    ),
}


def found(code: str, place: str, what: str, severity: Severity | None = None, **data: Any) -> Finding:
    """A finding in the catalogue's words, as bad as it says unless `severity` does."""
    return Finding(code, place, what, CATALOGUE[code].severity if severity is None else severity, data)
