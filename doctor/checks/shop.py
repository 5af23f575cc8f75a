"""What a shop is ruined by: stock and counters that nothing keeps above zero, and changes that leave no trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from doctor.case import Case
from doctor.catalogue import found
from doctor.checks.keys import is_indexed
from doctor.checks.soundness import rows
from doctor.finding import Finding
from doctor.lexer import Token, groups
from doctor.rows import Question, column
from doctor.schema import Column, Schema, Table
from doctor.words import has, words

_NO_STOCK: Final = (
    *("low", "threshold", "min", "max", "alert", "reorder", "policy", "track", "tracked", "allow", "is", "id", "at"),
    *("status", "location", "name", "code", "unit", "warning", "note", "managed", "manage", "has"),
)
_COUNTER: Final = ("reserved", "quantity", "qty", "backordered", "redemption", "attempt")
_GOODS: Final = ("product", "variant", "inventory", "stock", "sku")
_TRAIL: Final = (
    "move",
    "movement",
    "log",
    "ledger",
    "history",
    "transaction",
    "adjustment",
    "event",
    "journal",
    "audit",
)
_COMPARES: Final = (">", ">=", "<", "<=")
_DAY: Final = ("daily", "rollup", "summary", "hourly", "aggregate", "aggregated")


class Lookup(NamedTuple):
    """An index of the shop of document 004: on this table, if it has these columns, each under one of its names."""

    name: str
    table: str
    columns: tuple[tuple[str, ...], ...]


LOOKUPS: Final = (
    Lookup("idx_analytics_event_type", "analytics_events", (("event_type", "type"), ("timestamp", "created_at"))),
    Lookup("idx_analytics_timestamp", "analytics_events", (("timestamp", "created_at"),)),
    Lookup("idx_analytics_user", "analytics_events", (("user_id",),)),
    Lookup("idx_images_entity", "images", (("entity", "entity_type"), ("entity_id",))),
    Lookup("idx_logs_created", "logs", (("created_at", "timestamp"),)),
    Lookup("idx_password_resets_user", "password_resets", (("user_id",),)),
    Lookup("idx_products_size", "products", (("size",),)),
    Lookup("idx_sell_items_submission", "sell_items", (("submission_id", "sell_submission_id"),)),
    Lookup("idx_sell_submissions_created", "sell_submissions", (("created_at",),)),
    Lookup("idx_sell_submissions_status", "sell_submissions", (("status",),)),
    Lookup("idx_stock_moves_order", "stock_moves", (("order_id",),)),
    Lookup("idx_stock_moves_product", "stock_moves", (("product_id",),)),
    Lookup("idx_analytics_daily_date", "analytics_daily", (("date", "day"),)),
    Lookup("idx_analytics_daily_type", "analytics_daily", (("event_type", "type"),)),
)


def questions(schema: Schema) -> Iterator[Question]:
    for table in schema.tables.values():
        for one in [*stock_columns(table), *counter_columns(table)]:
            below = f"typeof({column(one.name)}) IN ('integer', 'real') AND {column(one.name)} < 0"
            yield Question(table.name, f"below {one.name}", below)


def findings(case: Case) -> Iterator[Finding]:
    trail = trails(case.schema)
    for table in case.schema.tables.values():
        stock = stock_columns(table)
        for word, columns in (("stock", stock), ("counter", counter_columns(table))):
            for one in columns:
                yield from _judged(case, table, one, word)
        if stock and not trail:
            what = f"{rows(case.counts.rows.get(table.name, 0))} of stock, and no table that says how they came to be."
            yield found("stock_without_trail", table.name, what, column=stock[0])
        yield from _lookups(table, case.counts.rows.get(table.name, 0))
    yield from _events(case)


def _judged(case: Case, table: Table, one: Column, word: str) -> Iterator[Finding]:
    place = f"{table.name}.{one.name}"
    if below := case.counts.of(table.name, f"below {one.name}"):
        yield found(f"negative_{word}", place, f"{rows(below)} below zero.")
    if not is_kept(table, one.name):
        yield found(
            f"{word}_without_check", place, "No CHECK and no trigger looks at it.", table=table.name, column=one
        )


def stock_columns(table: Table) -> list[Column]:
    """Columns that say how many pieces there are; none of a trail's."""
    if is_trail(table):
        return []
    return [one for one in table.columns if _counts(one, table) and _is_stock(one, table)]


def counter_columns(table: Table) -> list[Column]:
    """Columns that count something down or up, and are no stock."""
    stock = [] if is_trail(table) else stock_columns(table)
    return [
        one
        for one in table.columns
        if _counts(one, table)
        and one not in stock
        and not is_trail(table)
        and (words(one.name)[-1:] in (("count",), ("counter",)) or has(one.name, *_COUNTER))
        and not has(one.name, *_NO_STOCK)
    ]


def _counts(one: Column, table: Table) -> bool:
    referring = {name.lower() for reference in table.references for name in reference.columns}
    whole = one.affinity in ("INTEGER", "NUMERIC") or (one.affinity == "REAL" and has(one.name, "stock"))
    return whole and not one.pk and not one.hidden and one.name.lower() not in referring and not has(one.kind, "bool")


def _is_stock(one: Column, table: Table) -> bool:
    name = words(one.name)
    if has(one.name, *_NO_STOCK) or name == ("in", "stock") or has(one.kind, "boolean", "date", "datetime"):
        return False
    if has(one.name, "stock", "inventory") or name[-2:] == ("on", "hand"):
        return True
    return name in (("quantity",), ("qty",), ("available",)) and words(table.name)[-1:] in [(one,) for one in _GOODS]


def trails(schema: Schema) -> list[Table]:
    return [table for table in schema.tables.values() if is_trail(table)]


def is_trail(table: Table) -> bool:
    """A table of stock's changes, by its name."""
    return has(table.name, "stock", "inventory") and has(table.name, *_TRAIL)


def is_kept(table: Table, name: str) -> bool:
    """Whether a CHECK compares the column, or a trigger does and can refuse."""
    wanted = name.lower()
    if any(_compares(group, wanted) for group in groups(table.tokens, "check")):
        return True
    return any(
        _compares(trigger, wanted) and any(one.is_word("raise", "json_extract") for one in trigger)
        for trigger in table.triggers
    )


def _compares(among: Sequence[Token], name: str) -> bool:
    named = any(one.name == name for one in among)
    return named and any(one.text in _COMPARES or one.is_word("between", "in") for one in among)


def lookup_columns(lookup: Lookup, table: Table) -> list[str] | None:
    """The table's own names of the columns, None if it lacks one."""
    chosen = []
    for names in lookup.columns:
        column_ = next((one for name in names if (one := table.column(name))), None)
        if column_ is None:
            return None
        chosen.append(column_.name)
    return chosen


def _lookups(table: Table, many: int) -> Iterator[Finding]:
    referring = [tuple(name.lower() for name in reference.columns) for reference in table.references]
    for lookup in LOOKUPS:
        if table.name.lower() != lookup.table or not (columns := lookup_columns(lookup, table)):
            continue
        wanted = [name.lower() for name in columns]
        if tuple(wanted) in referring or _is_answered(wanted, table):
            continue  # as a foreign key without an index it is named already
        what = f"{rows(many)}; the index would be {lookup.name}."
        yield found("lookup_without_index", f"{table.name}({', '.join(columns)})", what, lookup=lookup)


def _is_answered(wanted: list[str], table: Table) -> bool:
    """Whether an index begins with these columns, in this order."""
    if len(wanted) == 1 and is_indexed((wanted[0],), table):
        return True
    return any(
        [(one or "").lower() for one in index.columns[: len(wanted)]] == wanted and index.where is None
        for index in table.indexes
    ) or (table.without_rowid and [one.name.lower() for one in table.key[: len(wanted)]] == wanted)


def event_columns(table: Table) -> tuple[str, str] | None:
    """The kind and the time of a table of analytics events, None of any other."""
    if words(table.name) not in (("analytic", "event"), ("event",), ("page", "view"), ("tracking", "event")):
        return None
    kind = next(
        (one.name for one in table.columns if one.name.lower() in ("event_type", "type", "event", "name")), None
    )
    times = ("timestamp", "created_at", "occurred_at", "time")
    time = next((one.name for name in times if (one := table.column(name))), None)
    return (kind, time) if kind and time else None


def _events(case: Case) -> Iterator[Finding]:
    if any(has(name, *_DAY) for name in case.schema.tables):
        return
    for table in case.schema.tables.values():
        if columns := event_columns(table):
            what = f"{rows(case.counts.rows.get(table.name, 0))}, and no table of daily counts."
            yield found("events_without_daily", table.name, what, columns=columns)
