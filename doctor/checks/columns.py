"""Columns: types that the values do not have, money in floating point, passwords, times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from doctor.case import Case
from doctor.catalogue import found
from doctor.checks.soundness import rows
from doctor.finding import Finding
from doctor.rows import Question, column
from doctor.schema import Column, Schema, Table
from doctor.words import has, words

_MONEY: Final = (
    "price",
    "amount",
    "total",
    "subtotal",
    "cost",
    "tax",
    "fee",
    "discount",
    "balance",
    "revenue",
    "refund",
)
_NO_MONEY: Final = (
    "rate",
    "percent",
    "percentage",
    "pct",
    "ratio",
    "count",
    "quantity",
    "qty",
    "item",
    "weight",
    "score",
)
_SECRET: Final = ("password", "passwd", "pwd", "passphrase", "passcode")
_NO_SECRET: Final = (
    *("reset", "changed", "change", "expire", "at", "hint", "attempt", "updated", "required", "count", "salt", "id"),
    *("algorithm", "algo", "policy", "url", "token", "is", "has", "must", "last", "date", "version", "length", "min"),
)
_CREATED: Final = ("created", "creation", "inserted", "added", "timestamp", "applied", "occurred", "logged", "recorded")
_UPDATED: Final = ("updated", "modified", "changed")
_HASHES: Final = ("$2[abxy]$*", "$argon2*", "$scrypt$*", "scrypt:*", "$pbkdf2*", "pbkdf2*", "$[567]$*", "$y$*", "{*}*")
HASH_LENGTH_MIN: Final = 60
"""No person's password is that long; every salted hash in use is."""
_DIGESTS: Final = "32, 40, 56, 64, 96, 128"


def questions(schema: Schema) -> Iterator[Question]:
    for table in schema.tables.values():
        for one in table.columns:
            if wrong := _wrong(one, table):
                yield Question(table.name, f"type {one.name}", wrong)
            if is_money(one):
                yield Question(table.name, f"real {one.name}", f"typeof({column(one.name)}) = 'real'")
            if is_secret(one):
                yield from _about_secret(table, one)


def findings(case: Case) -> Iterator[Finding]:
    for table in case.schema.tables.values():
        many = case.counts.rows.get(table.name, 0)
        for one in table.columns:
            place = f"{table.name}.{one.name}"
            if wrong := case.counts.of(table.name, f"type {one.name}"):
                yield found("wrong_type", place, f"{wrong:,} of {rows(many)} hold no {one.kind.upper()}.")
            real = case.counts.of(table.name, f"real {one.name}")
            if is_money(one) and (one.affinity == "REAL" or real):
                yield found("money_in_real", place, f"Declared {one.kind or 'without a type'}; {rows(real)} of REAL.")
            for code, how in (("plain_password", "can be read"), ("weak_password_hash", "are a bare digest")):
                if values := case.counts.of(table.name, f"{code} {one.name}"):
                    yield found(code, place, f"{values:,} of {many:,} values {how}.")
        if lacking := lacking_times(table):
            yield found("no_timestamps", table.name, f"It has no {' and no '.join(lacking)}.", lacking=lacking)


def _wrong(one: Column, table: Table) -> str | None:
    """True of a row whose value the declared type does not mean. None where the type says nothing, or is kept to."""
    if table.strict or one.hidden or one.name == table.rowid_name:
        return None
    allowed = {"INTEGER": "'integer'", "REAL": "'real'", "TEXT": "'text'"}.get(one.affinity)
    if (
        allowed is None
        and one.affinity == "NUMERIC"
        and has(one.kind, "decimal", "numeric", "number", "bool", "boolean")
    ):
        allowed = "'integer', 'real'"
    return f"typeof({column(one.name)}) NOT IN ({allowed}, 'null')" if allowed else None


def is_money(one: Column) -> bool:
    """By its name, in a column that can hold a REAL."""
    by_name = has(one.name, *_MONEY) and not has(one.name, *_NO_MONEY)
    return by_name and one.affinity in ("REAL", "NUMERIC") and not one.hidden


def is_secret(one: Column) -> bool:
    """A column for passwords, by its name."""
    named = has(one.name, *_SECRET) or words(one.name) in (("pass",), ("user", "pass"))
    return named and not has(one.name, *_NO_SECRET) and not one.hidden


def _about_secret(table: Table, one: Column) -> Iterator[Question]:
    name = column(one.name)
    hashed = " OR ".join(f"{name} GLOB '{pattern}'" for pattern in _HASHES)
    digest = f"length({name}) IN ({_DIGESTS}) AND {name} NOT GLOB '*[^0-9a-fA-F]*'"
    salted = any(has(other.name, "salt") for other in table.columns)
    if not salted:
        yield Question(table.name, f"weak_password_hash {one.name}", digest)
    plain = f"typeof({name}) IN ('text', 'integer') AND length({name}) BETWEEN 1 AND {HASH_LENGTH_MIN - 1}"
    yield Question(table.name, f"plain_password {one.name}", f"{plain} AND NOT coalesce(({hashed}) OR ({digest}), 0)")


def lacking_times(table: Table) -> list[str]:
    """Of created_at and updated_at what the table has under no name; a history needs no updated_at."""
    names = [one.name for one in table.columns]
    lacking = [] if any(has(name, *_CREATED) for name in names) else ["created_at"]
    if not table.is_history and not any(has(name, *_UPDATED) for name in names):
        lacking.append("updated_at")
    return lacking
