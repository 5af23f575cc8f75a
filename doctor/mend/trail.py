"""The two tables of document 004: the trail of stock, opened with a move for each row, and daily counts of events."""

from __future__ import annotations

from db.backup_tables import quoted
from doctor.examine import Examined
from doctor.finding import Finding
from doctor.mend.additions import NOW, Mend
from doctor.mend.names import Names, literal
from doctor.schema import Column, Table
from doctor.words import words


def stock_moves(one: Finding, names: Names, examined: Examined) -> Mend | str:
    """The trail of a table of stock. Triggers write each change from now on, whoever makes it."""
    table, stock = examined.case.schema.tables[one.place], one.data["column"]
    key = table.key
    if not key:
        return "its rows have no key that a move could name."
    first = all(other.place >= one.place for other in examined.findings if other.code == one.code)
    name = names.free("stock_moves") if first else names.free(table.name, "stock_moves")
    columns = _key_columns(table, key)
    number = "REAL" if stock.affinity == "REAL" else "INTEGER"
    described = "".join(f"  {quoted(to)} {kind},\n" for _, to, kind in columns)
    made = (
        f"CREATE TABLE {quoted(name)} (\n  id INTEGER PRIMARY KEY,\n{described}  order_id ANY,\n"
        f"  delta {number} NOT NULL,\n  reason TEXT NOT NULL,\n  balance_after {number} NOT NULL,\n"
        f"  created_at TEXT NOT NULL\n) STRICT"
    )
    opening = _move(name, columns, "", "0", quoted(stock.name), number, literal("opening"))
    by = ", ".join(quoted(column.name) for column in key)
    indexes = {
        names.free(f"idx_{name}_product"): ", ".join(quoted(to) for _, to, _ in columns),
        names.free(f"idx_{name}_order"): "order_id",
    }
    trigger = [names.free(name, end) for end in ("of_insert", "of_update", "append_only_update", "append_only_delete")]
    new, old = f"NEW.{quoted(stock.name)}", f"OLD.{quoted(stock.name)}"
    refuses = f"BEGIN SELECT RAISE(ABORT, {literal(f'{name}_append_only: history is not changed')}); END"
    up = [
        made,
        f"{opening}\nFROM {quoted(table.name)} ORDER BY {by}",
        *(f"CREATE INDEX {quoted(index)} ON {quoted(name)} ({of})" for index, of in indexes.items()),
        f"CREATE TRIGGER {quoted(trigger[0])} AFTER INSERT ON {quoted(table.name)} BEGIN\n"
        f"  {_move(name, columns, 'NEW.', '0', new, number, literal('opening'))};\nEND",
        f"CREATE TRIGGER {quoted(trigger[1])} AFTER UPDATE OF {quoted(stock.name)} ON {quoted(table.name)}\n"
        f"WHEN {new} IS NOT {old} BEGIN\n  {_move(name, columns, 'NEW.', old, new, number, literal('change'))};\nEND",
        f"CREATE TRIGGER {quoted(trigger[2])} BEFORE UPDATE ON {quoted(name)} {refuses}",
        f"CREATE TRIGGER {quoted(trigger[3])} BEFORE DELETE ON {quoted(name)} {refuses}",
    ]
    down = [*(f"DROP TRIGGER {quoted(one)}" for one in trigger[1::-1]), f"DROP TABLE {quoted(name)}"]
    note = (
        f"A program that writes its own moves, with the order and a reason, drops the triggers {trigger[0]} and "
        f"{trigger[1]} first."
    )
    return Mend(up, down, note)


def _key_columns(table: Table, key: list[Column]) -> list[tuple[Column, str, str]]:
    """Of the key: the column, what the trail calls it (`id` of products is product_id), a type that keeps it as is."""
    found = []
    for column in key:
        to = f"{'_'.join(words(table.name))}_id" if column.name.lower() == "id" else column.name
        if to.lower() in ("id", "order_id", "delta", "reason", "balance_after", "created_at"):
            to = f"of_{to}"
        exact = column.name == table.rowid_name or (table.strict and column.affinity == "INTEGER")
        text = table.strict and column.affinity == "TEXT"
        found.append((column, to, "INTEGER" if exact else "TEXT" if text else "ANY"))
    return found


def _move(
    name: str, columns: list[tuple[Column, str, str]], of: str, before: str, after: str, number: str, reason: str
) -> str:
    into = ", ".join([*(quoted(to) for _, to, _ in columns), "delta", "reason", "balance_after", "created_at"])
    values = [f"{of}{quoted(column.name)}" for column, _, _ in columns]
    then, now = (f"CAST(coalesce({value}, 0) AS {number})" for value in (before, after))
    values += [now if before == "0" else f"{now} - {then}", reason, now, NOW]
    return f"INSERT INTO {quoted(name)} ({into})\n  SELECT {', '.join(values)}"


def analytics_daily(one: Finding, names: Names, examined: Examined) -> Mend | str:
    """Counts by day and kind, of what there is; of later days by whoever runs the same INSERT for them."""
    kind, time = one.data["columns"]
    table, name = one.place, names.free("analytics_daily")
    day = f"substr({quoted(time)}, 1, 10)"
    up = [
        f"CREATE TABLE {quoted(name)} (\n  date TEXT NOT NULL,\n  event_type TEXT NOT NULL,\n"
        "  events INTEGER NOT NULL CHECK (events >= 0),\n  created_at TEXT NOT NULL,\n  updated_at TEXT NOT NULL,\n"
        "  PRIMARY KEY (date, event_type)\n) STRICT, WITHOUT ROWID",
        f"INSERT INTO {quoted(name)} (date, event_type, events, created_at, updated_at)\n"
        f"SELECT {day}, CAST({quoted(kind)} AS TEXT), count(*), {NOW}, {NOW}\nFROM {quoted(table)}\n"
        f"WHERE {quoted(time)} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND {quoted(kind)} IS NOT NULL\n"
        "GROUP BY 1, 2",
    ]
    index = names.free("idx_analytics_daily_type")
    up.append(f"CREATE INDEX {quoted(index)} ON {quoted(name)} (event_type, date)")
    note = (
        "Its key begins with the date, so idx_analytics_daily_date would be a second one. Times that are no text of "
        "the form 2025-10-05 are left out."
    )
    return Mend(up, [f"DROP TABLE {quoted(name)}"], note)
