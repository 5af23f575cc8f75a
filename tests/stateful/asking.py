"""One request of the machine against the real handlers: asked, or asked in a process that is killed and asked again.

After either the shop and the model agree on what has happened: an answer that nobody got is asked for again by its key,
and what has no key is looked up in the rows.
"""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from api import call, clock
from api.database import database
from api.idempotency import REMEMBERED_SECONDS
from api.problems import CODES
from api.settings import settings
from db import invariants
from proof.memory import Verdict as Findings
from proof.memory import compare
from tests.db.test_failpoints import died
from tests.engines.homes import ENGINE, Homes
from tests.functions.jobs.support import run
from tests.shop import LOOP, Reply, Shop
from tests.stateful.model import CART_TTL, ORDER_TTL, Done, Model, Refused, Verdict

POINTS: Final = ("after_begin", "before_commit", "after_commit", "answer_lost")
KEPT: Final = ("after_commit", "answer_lost", "job_after_round")
"""Where a process dies that has kept everything."""
UNKNOWN: Final = object()
ROWS: Final = (
    "SELECT id, status, version, total FROM orders ORDER BY id",
    "SELECT order_id, sum(amount) FROM payments WHERE status = 'SETTLED' GROUP BY order_id ORDER BY order_id",
    "SELECT id, order_id, variant_id, quantity, backordered_quantity FROM order_items ORDER BY id",
    "SELECT id, status, version FROM carts ORDER BY id",
    "SELECT id, cart_id, variant_id, quantity FROM cart_items ORDER BY id",
    "SELECT id, variant_id, quantity, status, cart_id FROM reservations ORDER BY id",
    "SELECT variant_id, stock, backordered FROM inventory ORDER BY variant_id",
    "SELECT date FROM analytics_stale_days ORDER BY date",
)


@dataclass(frozen=True)
class Request:
    """`predict` says what will be answered; `find` what the rows say of it, None if they say that it never was."""

    method: str
    target: str
    predict: Callable[[], Verdict]
    body: dict[str, Any] | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    find: Callable[[], Any] = lambda: UNKNOWN
    mortal: bool = True
    """Whether its process may die; those that may not leave that to the next."""

    @property
    def name(self) -> str:
        """Its method and path, without ids."""
        return f"{self.method} {re.sub('/[a-z]+_[0-9a-z]{26}', '/…', self.target).partition('?')[0]}"

    @property
    def key(self) -> str | None:
        return self.sent.get("idempotency_key")


@dataclass(frozen=True)
class Told:
    """What was answered for a key, and when."""

    request: Request
    reply: Reply
    at: int


class Asking:
    """A shop of its own, its model, and what both were asked."""

    def __init__(self, homes: Homes) -> None:
        self.model, self.told = Model(), list[Told]()
        self.point: str | None = None
        """Where the next request's process dies."""
        self.seen = Counter[str]()
        """What happened how often: an outcome of an endpoint or job, where a process died and whether that was kept."""
        self._homes, self._folder = homes, Path(tempfile.mkdtemp(prefix="tallystick-stateful-"))
        self._patch = pytest.MonkeyPatch()
        for module in (clock, call):
            self._patch.setattr(module, "milliseconds_now", lambda: self.model.now)
        self._patch.setenv("UNPAID_ORDER_TTL", str(ORDER_TTL))
        self._patch.setenv("CART_TTL", str(CART_TTL))
        self._home = homes.home(self._folder)
        self.shop = Shop(self._home, self._patch)

    def close(self) -> None:
        self.shop.close()
        self._homes.give_back(self._home)
        self._patch.undo()
        settings.cache_clear()
        shutil.rmtree(self._folder)

    def ask(self, request: Request) -> None:
        """Ask, in a process that dies if one is due to."""
        self.model.now += 1  # ids and times tell requests apart
        if request.mortal and self.point:
            point, self.point = self.point, None
            self._ask_and_die(request, point)
        else:
            self._ask(request)

    def _ask(self, request: Request) -> None:
        verdict = request.predict()
        with self.shop.unchanged() if isinstance(verdict, Refused) else nullcontext():
            reply = self._send(request)
        assert "idempotency-replayed" not in reply.headers, f"nobody has asked with this key: {reply.text}"
        self._judge(request, verdict, reply)

    def _judge(self, request: Request, verdict: Verdict, reply: Reply) -> None:
        hold(verdict, reply)
        self.seen[f"{request.name} {verdict.code if isinstance(verdict, Refused) else verdict.status}"] += 1
        if isinstance(verdict, Done):
            verdict.keep(reply.body)
            if request.key is not None:
                self.told.append(Told(request, reply, self.model.now))

    def _ask_and_die(self, request: Request, point: str) -> None:
        verdict = request.predict()
        is_done = isinstance(verdict, Done)
        before = None if is_done and point in KEPT else self.shop.digest()
        killed = died(self._folder, f"{point}=#1", lambda _: self._send(request))
        kept = is_done and (not killed or point in KEPT)
        self.seen[f"{point}, {'kept' if kept else 'not kept'}"] += killed
        assert killed or not is_done or (point == "after_begin" and ENGINE != "sqlite"), "the batch was never sent"
        assert kept or before is None or self.shop.digest() == before, f"{point}: something was kept"
        if request.key is None or not is_done:
            if isinstance(verdict, Done):
                self._look_up(request, verdict, kept=kept)
        elif kept:
            reply = self._send(request)
            assert reply.headers.get("idempotency-replayed") == "true", (
                f"{point}: asked again, done again: {reply.text}"
            )
            self._judge(request, verdict, reply)
        else:
            self.model.now += 1
            self._ask(request)

    def _look_up(self, request: Request, verdict: Done, *, kept: bool) -> None:
        found = request.find()
        assert found is not UNKNOWN, "nobody can find out what became of it"
        assert (found is not None) == kept, f"kept: {kept}, in the rows: {found}"
        if kept:
            verdict.keep(found)

    def again(self, told: Told) -> None:
        """The same once more: the same answer, and nothing changes; after a day the key is new."""
        if self.model.now + 1 >= told.at + REMEMBERED_SECONDS * 1000:
            self.told.remove(told)
            self.ask(told.request)
            return
        self.model.now += 1
        with self.shop.unchanged():
            self._replay(told)
        self.seen["asked again"] += 1

    def _replay(self, told: Told) -> None:
        reply, body = self._send(told.request), told.reply.body
        assert reply.headers.get("idempotency-replayed") == "true", f"done again: {reply.text}"
        assert reply.body == (body | {"token": None} if "token" in body else body)
        assert (reply.status, reply.headers.get("etag")) == (told.reply.status, told.reply.headers.get("etag"))

    def another(self, told: Told) -> None:
        """The same key for something else is refused, and nothing changes; after a day it may be used for anything."""
        if self.model.now + 1 >= told.at + REMEMBERED_SECONDS * 1000:
            return
        self.model.now += 1
        other = replace(told.request, body={**(told.request.body or {}), "note": "another"})
        with self.shop.unchanged():
            reply = self._send(other)
        hold(Refused("idempotency_key_reused"), reply)
        self.seen["asked for something else"] += 1

    def run_job(self, name: str) -> None:
        """Run it; if it dies, run it again."""
        self.model.now += 1
        due = self.model.job(name)
        if self.point is None:
            answer = run(name)
            assert answer | due.told == answer and not answer["failed"] and answer["finished"], f"{due.told}: {answer}"
            due.keep(None)
            self.seen[f"{name} {'did some' if any(due.told.values()) else 'did none'}"] += 1
            return
        point = {"answer_lost": "job_after_round"}.get(self.point, self.point)
        self.point = None
        killed = died(self._folder, f"{point}=#1", lambda _: run(name))
        if not killed or point in KEPT:
            due.keep(None)
        self.run_job(name)

    def _send(self, request: Request) -> Reply:
        return self.shop.request(request.method, request.target, request.body, **request.sent)

    # -- agreeing

    def agree(self) -> None:
        """What the shop shows of its stock, its rows and its invariants are as the model says."""
        model = self.model
        for article in model.articles:
            shown = self.shop.get(f"/variants/{article.variant}/stock", api_key=self.shop.admin).body
            available, reserved = model.available(article), model.reserved(article)
            expected = {"available": available, "reserved": reserved, "on_hand": available + reserved}
            assert shown | expected == shown, f"{article.policy} {article.variant}: {expected} expected, not {shown}"
        rows = self.shop.raw.many([(sql, ()) for sql in ROWS])
        for sql, found, expected_rows in zip(ROWS, rows, rows_of(model), strict=True):
            assert [tuple(row) for row in found] == sorted(expected_rows), sql
        assert_invariants(self.shop)

    def settle(self) -> None:
        """At the end every key tells what it told, and nothing that was acknowledged is lost or there twice."""
        with self.shop.unchanged():
            for told in self.told:
                if self.model.now < told.at + REMEMBERED_SECONDS * 1000:
                    self._replay(told)
        findings = LOOP.run_until_complete(self._compared())
        assert findings.all() == []

    async def _compared(self) -> Findings:
        return await compare(await database(settings()), self.model.kept)


def hold(verdict: Verdict, reply: Reply) -> None:
    """The answer is the one that the model said."""
    if isinstance(verdict, Refused):
        told = {"code": verdict.code, **verdict.facts}
        assert reply.status == CODES[verdict.code][0] and fits(told, reply.body), f"{told} expected, not {reply.text}"
        return
    assert reply.status == verdict.status, f"{verdict.status} expected, not {reply.text}"
    assert fits(verdict.told, reply.body or {}), f"{verdict.told} expected, not {reply.text}"
    if verdict.version is not None:
        assert reply.headers["etag"] == f'"{verdict.version}"'
        assert reply.body.get("version", verdict.version) == verdict.version


def fits(told: Any, body: Any) -> bool:
    """Whether `body` says all that is `told`; lists of lines are in any order."""
    if isinstance(told, dict):
        return isinstance(body, dict) and all(name in body and fits(one, body[name]) for name, one in told.items())
    if isinstance(told, list):
        mine, theirs = (sorted(lines, key=lambda one: str(one["variant_id"])) for lines in (told, body))
        return len(mine) == len(theirs) and all(map(fits, mine, theirs))
    return bool(told == body)


def rows_of(model: Model) -> list[list[tuple[Any, ...]]]:
    """What ROWS must find."""
    return [
        [(one.id, one.status, one.version, one.total) for one in model.orders],
        [(one.id, one.paid) for one in model.orders if one.paid],
        [(i.id, one.id, i.article.variant, i.quantity, i.owed) for one in model.orders for i in one.items],
        [(one.id, one.status, one.version) for one in model.carts],
        [(i.id, one.id, i.article.variant, i.quantity) for one in model.carts for i in one.items],
        [(one.id, one.article.variant, one.quantity, one.status, one.cart) for one in model.holds],
        [(one.variant, one.stock, one.owed) for one in model.articles],
        [(one,) for one in model.stale_days],
    ]


@functools.cache
def invariant_statements() -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.sql.text) for one in invariants.read())


def assert_invariants(shop: Shop) -> None:
    found = shop.raw.many([(sql, ()) for _, sql in invariant_statements()])
    assert {name: rows for (name, _), rows in zip(invariant_statements(), found, strict=True) if rows} == {}
