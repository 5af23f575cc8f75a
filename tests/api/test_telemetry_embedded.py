"""The metrics of CloudWatch: a line for each request and each run of a job, true to the format and to the counters."""

import io
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from api import telemetry
from api.database import database
from api.metrics import ERROR_FAMILIES, METRICS, Embedded, metric_of
from api.settings import settings
from db.helper import Conflict, Refused, TimedOut, Trip, connect
from db.sql import Sql, guard, unregistered
from functions.carts.view_cart import view_cart
from tests.api.asgi import ask
from tests.api.emf import UNITS, broken_rules, metrics_of
from tests.api.test_telemetry import CANARY, samples, say_everything
from tests.contract.tree import ROOT
from tests.functions.carts.support import guest
from tests.functions.jobs.support import run as run_job
from tests.shop import LOOP, Shop

NAMESPACE = "Tallystick/Tests"
ENDLESS = Sql(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", registered=False
)  # fmt: skip


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Iterator[None]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-Checkout-1")
    monkeypatch.setenv("METRICS_NAMESPACE", NAMESPACE)
    settings.cache_clear()
    telemetry.set_up("error", 200, NAMESPACE)
    yield
    telemetry.set_up("error", 200)


def written(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines since the last time, each true to the format."""
    lines = capsys.readouterr().out.splitlines()
    assert [broken for line in lines for broken in broken_rules(line)] == []
    return lines


# -- the line


@pytest.mark.usefixtures("on_lambda")
def test_a_request_is_a_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    cart = guest(shop)
    shop.get(cart.path)
    created, refused = [json.loads(line) for line in written(capsys)]
    [directive] = created["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == (NAMESPACE, [[]])
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == {
        "Requests": "Count", "Latency": "Milliseconds", "DatabaseTrips": "Count", "DatabaseTime": "Milliseconds",
    }  # fmt: skip
    assert (created["function"], created["Requests"], created["DatabaseTrips"]) == ("create_cart", 1, 1)
    assert 0 < created["DatabaseTime"] < created["Latency"]
    assert (refused["function"], "ServerErrors" in refused) == ("view_cart", False)
    assert created.keys() == {"_aws", "function", "Requests", "Latency", "DatabaseTrips", "DatabaseTime"}


@pytest.mark.usefixtures("on_lambda")
def test_an_error_is_counted_and_named(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.observe_trip(Trip("batch", "sqlite", 0.001, 1, None, 0.001, "Refused", "insufficient_stock"))
    telemetry.observe_trip(Trip("batch", "sqlite", 0.001, 1, None, 0.001, "Refused", "insufficient_stock"))
    telemetry.observe_trip(Trip("batch", "sqlite", 0.001, 1, None, 0.001, "Unknown"))
    shop.order({shop.variant(): 1})
    [line] = [json.loads(line) for line in written(capsys)]
    assert (line["GuardRefusals"], line["UnknownOutcomes"]) == (2, 1)
    assert line["database_errors"] == {"Refused insufficient_stock": 2, "Unknown": 1}
    shop.order({shop.variant(): 1})
    [line] = [json.loads(line) for line in written(capsys)]
    assert "database_errors" not in line, "the next request begins at nothing"


@pytest.mark.usefixtures("on_lambda")
def test_a_run_of_a_job_is_a_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run_job("expire_carts")
    [line] = written(capsys)
    found = metrics_of(line)
    assert found.keys() == {"JobRuns", "JobTime", "DatabaseTrips", "DatabaseTime"}
    assert (json.loads(line)["function"], found["JobRuns"], found["DatabaseTrips"]) == ("expire_carts", 1, 1)


@pytest.mark.usefixtures("on_lambda")
def test_what_was_deleted_softly_is_told_even_if_it_is_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run_job("measure_soft_deletes")
    [line] = written(capsys)
    assert (metrics_of(line)["SoftDeletedRows"], metrics_of(line)["SoftDeletedLastDay"]) == (0, 0)
    shop.variant()
    shop.execute("UPDATE products SET deleted_at = '2026-01-01T00:00:00.000Z'")
    shop.execute("UPDATE variants SET deleted_at = ?", shop.now)
    run_job("measure_soft_deletes")
    [line] = written(capsys)
    assert (metrics_of(line)["SoftDeletedRows"], metrics_of(line)["SoftDeletedLastDay"]) == (2, 1)
    told = json.loads(line)
    assert {table: rows for table, rows in told["soft_deleted"].items() if rows} == {"products": 1, "variants": 1}
    assert {table: rows for table, rows in told["soft_deleted_last_day"].items() if rows} == {"variants": 1}
    run_job("expire_carts")
    assert "soft_deleted" not in json.loads(written(capsys)[0])


def test_nothing_counted_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    embedded = Embedded(NAMESPACE)
    embedded.add("SlowQueries", 0)
    embedded.write("health")
    assert written(capsys) == []
    embedded.gauge("SoftDeletedRows", 0)
    embedded.write("health")
    embedded.write("health")
    assert [metrics_of(line) for line in written(capsys)] == [{"SoftDeletedRows": 0}]


def test_nothing_is_written_elsewhere(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.order({shop.variant(): 1})
    run_job("measure_soft_deletes")
    assert written(capsys) == []
    assert telemetry._embedded is None


def test_nothing_is_written_without_a_namespace(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-Checkout-1")
    monkeypatch.setenv("METRICS_NAMESPACE", "")
    settings.cache_clear()
    shop.order({shop.variant(): 1})
    assert written(capsys) == []


@pytest.mark.usefixtures("on_lambda")
@pytest.mark.parametrize("error", [BrokenPipeError, OSError, ValueError("closed file")])
def test_an_output_that_nobody_reads_costs_no_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    monkeypatch.setattr(sys, "stdout", Broken())
    assert ask(view_cart, "/carts/x").status == 404
    assert run_job("expire_carts")["finished"]


@pytest.mark.usefixtures("on_lambda")
def test_no_line_holds_what_a_person_said_or_a_secret(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = say_everything(shop)
    lines = written(capsys)
    assert len(lines) == 13
    for secret in [*secrets, settings().secret_key[0].decode()]:
        assert [line for line in lines if secret in line] == []


PROGRAM = """
import asyncio
asyncio.set_event_loop(asyncio.new_event_loop())
from functions.jobs.measure_soft_deletes import handler
handler({}, None)
"""


def test_a_job_alone_in_its_function_counts_and_logs(shop: Shop) -> None:
    """Nobody has set up anything in that process but the job itself."""
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "shop-MeasureSoftDeletes-1", "LOG_LEVEL": "info"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={**environment, "METRICS_NAMESPACE": NAMESPACE}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    [line] = done.stdout.splitlines()
    assert broken_rules(line) == []
    assert metrics_of(line)["DatabaseTrips"] == metrics_of(line)["JobRuns"] == 1
    [logged] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert (logged["message"], logged["endpoint"], logged["status"]) == ("request", "measure_soft_deletes", 200)


# -- beside the counters

JOBS = {"expire_carts", "measure_soft_deletes"}


async def wait_in_vain(shop: Shop) -> None:
    impatient = await connect(shop.url, timeout_ms=30)
    try:
        await impatient.read(ENDLESS())
    finally:
        await impatient.close()


def traffic(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something for every metric: the real thing where it can be had."""
    monkeypatch.setenv("SLOW_QUERY_MS", "1")
    settings.cache_clear()
    guest(shop)
    shop.order({shop.variant(): 1 for _ in range(100)})
    # A handler that reads first sees it coming; below nobody does, and guards, constraints and triggers speak.
    product = {"slug": "twice", "title": "T", "status": "DRAFT", "price": 1, "currency": "EUR"}
    statuses = [shop.post("/products", product, api_key=shop.admin, idempotency_key=key).status for key in "ab"]
    assert statuses == [201, 409]
    with pytest.raises(TimedOut):
        LOOP.run_until_complete(wait_in_vain(shop))
    db = LOOP.run_until_complete(database(settings()))
    for table in ("stock_moves", "order_events"):
        with pytest.raises(Conflict, match="append_only"):
            LOOP.run_until_complete(db.batch([unregistered(f"DELETE FROM {table}")()]))
    with pytest.raises(Refused, match="stale"):
        LOOP.run_until_complete(db.batch([unregistered(guard("1 = 0", "stale"))()]))
    for change, constraint in (
        ("UPDATE inventory SET stock = -1", "check: inventory_stock_not_negative"),
        ("UPDATE products SET slug = 'twice'", "unique: products.slug"),
    ):
        with pytest.raises(Conflict, match=constraint):
            LOOP.run_until_complete(db.batch([unregistered(change)()]))
    for error, seconds in (("Busy", 5.1), ("Unknown", 0.2), ("Unavailable", 0.002), ("SchemaBehind", 0.002)):
        telemetry.observe_trip(Trip("batch", "libsql", seconds, 1, None, seconds, error))
    telemetry.observe_trip(Trip("read", "sqlite", 1.0, 1, None, 1.0))

    async def broken(request: Any, call: Any) -> Any:
        raise KeyError(CANARY)

    with monkeypatch.context() as patch:
        patch.setattr(view_cart, "run", broken)
        assert ask(view_cart, "/carts/x").status == 500
    shop.execute("UPDATE products SET deleted_at = ? WHERE slug = 'twice'", shop.now)
    run_job("measure_soft_deletes")
    telemetry.observe_job("expire_carts", 200, 0.02, {"failed": 3})


def totals(found: dict[tuple[str, str], float]) -> dict[str, float]:
    """Each metric as the Prometheus text tells it."""
    sums: defaultdict[str, float] = defaultdict(float)
    for (family, labels), value in found.items():
        job = any(f'endpoint="{name}"' in labels for name in JOBS)
        if family == "tallystick_requests_total":
            sums["JobRuns" if job else "Requests"] += value
            sums["ServerErrors"] += value if 'status="5' in labels and not job else 0
        elif family == "tallystick_request_seconds_sum":
            sums["JobTime" if job else "Latency"] += value * 1000
        elif family == "tallystick_database_seconds_total":
            sums["DatabaseTime"] += value * 1000
        elif family in OTHERS:
            sums[OTHERS[family]] += value
    return dict(sums)


OTHERS = {
    "tallystick_database_trips_total": "DatabaseTrips",
    "tallystick_slow_queries_total": "SlowQueries",
    "tallystick_very_slow_queries_total": "VerySlowQueries",
    "tallystick_job_rows_failed_total": "JobRowsFailed",
    "tallystick_soft_deleted_rows": "SoftDeletedRows",
    "tallystick_soft_deleted_last_day": "SoftDeletedLastDay",
    **{family: metric for metric, family in ERROR_FAMILIES.items()},
}
GAUGES = {"SoftDeletedRows", "SoftDeletedLastDay"}


@pytest.mark.usefixtures("on_lambda")
def test_the_lines_agree_with_the_prometheus_text(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = totals(samples())
    traffic(shop, monkeypatch)
    after = totals(samples())
    summed: defaultdict[str, float] = defaultdict(float)
    for line in written(capsys):
        for name, value in metrics_of(line).items():
            summed[name] += value
    assert {name for name, value in summed.items() if value} == METRICS.keys(), "a name in the list that nobody writes"
    rises = {name: value - (0 if name in GAUGES else before.get(name, 0)) for name, value in after.items()}
    assert rises == pytest.approx(dict(summed), abs=0.1)
    assert (summed["HistoryAttempts"], summed["ConstraintViolations"], summed["QueryTimeouts"]) == (2, 2, 1)
    assert (summed["ServerErrors"], summed["DatabaseFailures"], summed["JobRowsFailed"]) == (1, 2, 3)
    assert (summed["GuardRefusals"], summed["DatabaseBusy"], summed["UnknownOutcomes"]) == (1, 1, 1)


def test_each_error_is_counted_once(shop: Shop) -> None:
    for error, what in (
        ("TimedOut", ""), ("Busy", ""), ("Unknown", ""), ("Unavailable", ""), ("SchemaBehind", ""), ("KeyError", ""),
        ("DatabaseError", ""), ("Refused", "stale"), ("Conflict", "unique products.slug"),
        ("Conflict", "trigger audit_logs_append_only"), ("Conflict", "foreign_key"),
    ):  # fmt: skip
        telemetry.observe_trip(Trip("batch", "sqlite", 0.001, 1, None, 0.001, error, what))
    found = samples()
    families = sum(found[family, ""] for family in ERROR_FAMILIES.values())
    assert families == sum(value for (name, _), value in found.items() if name == "tallystick_database_errors_total")


@pytest.mark.parametrize(
    ("error", "what", "metric"),
    [
        ("Conflict", "trigger stock_moves_append_only", "HistoryAttempts"),
        ("Conflict", "trigger categories_deletion_refused", "ConstraintViolations"),
        ("Conflict", "check order_events_append_only", "ConstraintViolations"),
        ("Conflict", "check inventory_stock_not_negative", "ConstraintViolations"),
        ("Conflict", "unique products.slug", "ConstraintViolations"),
        ("Refused", "stock_moves_append_only", "GuardRefusals"),
        ("TimedOut", "", "QueryTimeouts"),
        ("Busy", "", "DatabaseBusy"),
        ("Unknown", "", "UnknownOutcomes"),
        ("Unavailable", "", "DatabaseFailures"),
        ("RuntimeError", "", "DatabaseFailures"),
    ],
)
def test_an_error_has_its_metric(error: str, what: str, metric: str) -> None:
    assert metric_of(error, what) == metric


def test_errors_stand_in_the_prometheus_text_before_the_first_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "ERRORS", Counter())
    found = samples()
    assert {found[family, ""] for family in ERROR_FAMILIES.values()} == {0}


def test_a_very_slow_query_is_one_whatever_counts_as_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_slow_seconds", 5.0)
    before = (telemetry.SLOW["read"], telemetry.VERY_SLOW["read"])
    telemetry.observe_trip(Trip("read", "sqlite", 1.001, 1, None, 1.0))
    telemetry.observe_trip(Trip("read", "sqlite", 1.0, 1, None, 1.0))
    assert (telemetry.SLOW["read"], telemetry.VERY_SLOW["read"]) == (before[0], before[1] + 1)


# -- what is told about them


def test_every_metric_is_told_in_the_documentation() -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for name, unit in METRICS.items():
        told = [row for row in rows if row.startswith(f"| `{name}` | {unit} |")]
        assert len(told) == 1, name
    for family in {"tallystick_database_errors_total", *OTHERS}:
        assert f"`{family}" in text, family
    assert set(METRICS.values()) <= UNITS
