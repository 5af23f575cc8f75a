"""A libSQL server (sqld) or Turso: Hrana over HTTP, one request a trip, no stream kept open.

A batch is BEGIN IMMEDIATE, each statement if the one before it was done, COMMIT if all were, else ROLLBACK: without the
conditions the server would go on after an error. Source: the Hrana 3 specification; the wording of errors is measured.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from db.engines.http import UNREADABLE, HttpDatabase, Place, address, mapped
from db.engines.trips import Stopwatch
from db.helper import Busy, DatabaseError, Refused, Results, Row, TimedOut, Unavailable, Unknown
from db.sql import Sql, Statement, Value, guard

REPLICA_SECONDS: Final = 1.0
"""A replica that has not answered by then, because it is away or behind, is not waited for: the primary is asked."""
REPLICA_REST_SECONDS: Final = 5.0
"""Nor is it asked again so soon; by reads that bring an index, if it was such a read that waited in vain."""

Json = dict[str, Any]

_SAFE: Final = guard(
    "(SELECT foreign_keys FROM pragma_foreign_keys) = 1"
    " AND (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints) = 0"
    " AND (SELECT writable_schema FROM pragma_writable_schema) = 0",
    "unsafe_connection",
)
"""Each request has a connection of its own, so each batch proves that its own enforces what the schema says."""


class LibSql(HttpDatabase):
    """See the module. `replica` answers reads that may come from one."""

    engine = "libsql"
    writes_at_once = 2
    """Measured: more are no faster, and make the server say "locked". Three may make its writers wait for ever
    (tools/engines/sqld.py)."""

    def __init__(self, place: Place, replica: Place | None, *, timeout_ms: int, pool: tuple[int, int]) -> None:
        super().__init__(place, timeout_ms=timeout_ms, pool=pool)
        self._replica = replica
        self._rests_until = {"any": 0.0, "index": 0.0}

    def _read(self, statements: Sequence[Statement], after: str | None, replica: bool, watch: Stopwatch) -> Results:
        steps = [_step(sql, values) for sql, values in statements]
        if len(steps) > 1:
            steps = _chained([_word("BEGIN TRANSACTION READONLY"), *steps, _word("COMMIT")])
        asked: Json = {"steps": steps}
        first = 1 if len(statements) > 1 else 0

        def read(told: Json) -> Results:
            return _results(told, statements, first, watch)

        index = _index_of(after)
        if self._replica is not None and (replica or index) and self._is_awake(index):
            newer = {**asked, "replication_index": index} if index else asked
            try:
                return self._ask(self._replica, "read", newer, min(REPLICA_SECONDS, self._timeout_seconds), read)
            except Refused:
                raise
            except DatabaseError as error:
                # It is behind, or somebody made the index up: whoever brings none may still ask.
                which = "index" if index and isinstance(error, TimedOut) else "any"
                self._rests_until[which] = time.monotonic() + REPLICA_REST_SECONDS
        return self._ask(self._place, "read", asked, self._timeout_seconds, read)

    def _is_awake(self, index: str | None) -> bool:
        """Whether the replica may be asked again."""
        return time.monotonic() > max(self._rests_until["any"], self._rests_until["index"] if index else 0.0)

    def _batch(self, statements: Sequence[Statement], watch: Stopwatch) -> Results:
        steps = [_word("BEGIN IMMEDIATE"), _word(_SAFE), *(_step(sql, values) for sql, values in statements)]
        steps = _chained([*steps, _word("COMMIT")])
        committed = len(steps) - 1
        not_committed = {"type": "not", "cond": {"type": "ok", "step": committed}}
        steps.append(
            {"condition": {"type": "and", "conds": [{"type": "ok", "step": 0}, not_committed]}, **_word("ROLLBACK")}
        )

        def read(told: Json) -> Results:
            for step, error in enumerate(told["step_errors"]):
                if error is not None:
                    raise _failure(error, step, committed)
            if told["step_results"][committed] is None:
                raise Unknown("the server says nothing of the COMMIT")
            return _results(told, statements, 2, watch)

        return self._ask(self._place, "batch", {"steps": steps}, self._timeout_seconds, read)

    def _ask(self, place: Place, kind: str, batch: Json, seconds: float, read: Callable[[Json], Results]) -> Results:
        """What `read` makes of the server's answer. Raises DatabaseError, also for an answer that makes no sense."""
        body = {"requests": [{"type": "batch", "batch": batch}, {"type": "close"}]}
        answer = self._post(place, kind, body, seconds)
        self._refuse_status(place, kind, answer)
        try:
            first = answer.told()["results"][0]
            if first["type"] == "ok":
                return read(first["response"]["result"])
            text = f"{first['error'].get('code')}: {first['error'].get('message')}"
        except UNREADABLE as error:
            text = f"{place.host} speaks no Hrana: {answer.beginning!r}"
            raise (Unknown(text) if kind == "batch" else DatabaseError(text)) from error
        raise Unknown(text) if kind == "batch" else mapped(text)


def _word(sql: str) -> Json:
    return {"stmt": {"sql": sql}}


def _step(sql: Sql, values: Sequence[Value]) -> Json:
    return {"stmt": {"sql": sql.text, "args": [_written(value) for value in values]}}


def _chained(steps: list[Json]) -> list[Json]:
    """Each step only if the one before it was done."""
    return [steps[0], *({"condition": {"type": "ok", "step": n}, **step} for n, step in enumerate(steps[1:]))]


def _written(value: Value) -> Json:
    if value is None:
        return {"type": "null"}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    if isinstance(value, float):
        return {"type": "float", "value": value}
    return {"type": "integer", "value": str(int(value))}  # a text, because JSON numbers end at 2^53


def _value(told: Json) -> Any:
    kind = told["type"]
    if kind == "null":
        return None
    if kind == "integer":
        return int(told["value"])
    if kind == "blob":
        from base64 import b64decode

        text = told["base64"]
        return b64decode(text + "=" * (-len(text) % 4))
    return told["value"]


def _results(told: Json, statements: Sequence[Statement], first: int, watch: Stopwatch) -> Results:
    """The rows of each statement, the first of which is step `first`. Raises DatabaseError."""
    for error in told["step_errors"]:
        if error is not None:
            raise _read_failure(error)
    results = Results()
    for (sql, _), step in zip(statements, told["step_results"][first : first + len(statements)], strict=True):
        if step is None:
            raise DatabaseError("the server left a statement out")
        names = [column["name"] for column in step["cols"]]
        rows: list[Row] = [dict(zip(names, map(_value, row), strict=True)) for row in step["rows"]]
        results.append(rows)
        watch.lap(sql, step.get("query_duration_ms", 0.0) / 1000)
    index = told.get("replication_index")
    results.token = None if index is None else str(index)
    return results


def _read_failure(error: Json) -> DatabaseError:
    if error.get("code") == "SQLITE_BUSY":
        return Busy(str(error.get("message")))
    if error.get("code") == "BLOCKED":  # the server's maintenance switch
        return Unavailable(str(error.get("message")))
    if error.get("code") == "TRANSACTION_TIMEOUT":
        return TimedOut(str(error.get("message")))
    return mapped(str(error.get("message")))


def _failure(error: Json, step: int, committed: int) -> DatabaseError:
    """What the error at a step of a batch means. Everything before COMMIT was rolled back."""
    message, found = str(error.get("message")), _read_failure(error)
    if step == 0:
        # BEGIN itself failed, so nothing ran.
        return found if isinstance(found, Unavailable) else Busy(message)
    if isinstance(found, Refused) and found.code == "unsafe_connection":
        return Unavailable("the server does not enforce foreign keys and checks on this connection")
    if step == committed and type(found) is DatabaseError:
        return Unknown(message)
    if isinstance(found, Busy):
        # Not at BEGIN, so something ran; it was rolled back, but that is the server's word.
        return Unavailable(message)
    return found


def _index_of(token: str | None) -> str | None:
    """The replication index of a read-after token; None for one that is not this engine's."""
    return token if token and re.fullmatch(r"[0-9]{1,19}", token) and int(token) < 2**63 else None


def place_of(url: str, token: str | None) -> Place:
    """Where the server of `url` is asked: the version of the protocol that Turso documents."""
    host, origin, segments = address(url)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if segments:
        # The server takes the namespace from the first label of the host's name.
        headers["host"] = f"{segments[0]}.{host}"
    return Place(f"{origin}/v2/pipeline", headers)


def open_database(
    url: str, *, timeout_ms: int, pool: tuple[int, int], token: str | None, replica_url: str | None
) -> LibSql:
    """The database of `url`, connected at its first use."""
    replica = place_of(replica_url, token) if replica_url else None
    return LibSql(place_of(url, token), replica, timeout_ms=timeout_ms, pool=pool)
