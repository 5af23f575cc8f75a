"""Every function in the real runtime client: it starts, does what it must, refuses what it must, and how long it takes.

Behind them is a libSQL server with the demo shop, as `docs/deploy.md` has it made, and between the two a proxy that
counts connections and cuts them.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pyotp

from db.helper import connect
from db.sql import unregistered
from tools.engines import Sqld
from tools.engines.process import ROOT
from tools.runtime import template
from tools.runtime.cases import BUYER, EVENTS
from tools.runtime.cases_auth import people
from tools.runtime.cases_of_all import EVERY
from tools.runtime.events import SCHEDULE, Ask, Case, Due, Unexpected, accepted, refused, sent, worked
from tools.runtime.proxy import Proxy
from tools.runtime.sandbox import Function, Sandbox, SandboxError

SHOP: Final = "https://shop.example"
PARAMETERS: Final = {
    "AllowedOrigins": SHOP, "ShopUrl": SHOP, "MailFrom": "shop@shop.example", "ShopSecret": "tallystick/shop"
}  # fmt: skip
SECRET_KEY: Final = "0" * 64
ELSEWHERE: Final = {
    "SMTP_URL": "", "GITHUB_CLIENT_ID": "shop", "GITHUB_CLIENT_SECRET": "secret", "GOOGLE_CLIENT_ID": "",
    "GOOGLE_CLIENT_SECRET": "",
}  # fmt: skip
"""What the secret holds of services elsewhere: this shop has an application at GitHub, and does without the others."""
WARM: Final = 5
"""Invocations of one process, after the first, that must do with its connection."""
SILENCE_SECONDS: Final = 5.5
"""Longer than a batch trusts a connection that was quiet (db.engines.http.IDLE_SECONDS)."""

Say = Callable[[str], None]


class Row(NamedTuple):
    """A line of the table: seconds until it asks for an event, of the first answer, of the refusal; memory in bytes."""

    function: str
    init: float
    first: float
    bad: float
    peak: int


class Known(dict[str, Any]):
    """What requests are filled in with. `totp` is what an authenticator app with `totp_secret` shows now."""

    def __missing__(self, name: str) -> Any:
        if name != "totp":
            raise KeyError(name)
        return pyotp.TOTP(self["totp_secret"]).now()


class Shop(NamedTuple):
    """A seeded shop on a libSQL server, reached through the proxy. `rows` counts those read and written since it was
    made; `known` is what requests are filled in with.
    """

    url: str
    token: str
    proxy: Proxy
    rows: Callable[[], tuple[int, int]]
    known: dict[str, Any]

    def secrets(self) -> dict[str, str]:
        known = {"DATABASE_URL": self.url, "DATABASE_TOKEN": self.token, "SECRET_KEY": SECRET_KEY}
        return {**known, **ELSEWHERE}


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """The server and its shop, ended afterwards. Raises EngineError, and SandboxError if a command fails."""
    server = Sqld(folder / "libsql")
    try:
        server.start()
        direct = server.create("shop")
        proxy = Proxy(urlsplit(direct).port or 0)
        try:
            tally(direct, server.token, "migrate", "up")
            tally(direct, server.token, "seed", "demo")
            key = tally(direct, server.token, "key", "create", "Proof", "--scope", "*").strip()
            through = f"libsql://127.0.0.1:{proxy.port}/shop?tls=0"
            known = Known(api_key=key, **asyncio.run(_peopled(direct, server.token)))
            yield Shop(through, server.token, proxy, lambda: server.rows("shop"), known)
        finally:
            proxy.close()
    finally:
        server.stop()


async def _peopled(url: str, token: str) -> dict[str, Any]:
    """Write the people that some cases ask as; what their requests are filled in with."""
    db = await connect(url, token=token)
    try:
        return await people(db, SECRET_KEY.encode())
    finally:
        await db.close()


def tally(url: str, token: str, *arguments: str) -> str:
    """What a command prints. Raises SandboxError with what it says if it fails."""
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_TOKEN": token, "SECRET_KEY": secrets.token_hex(32)}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode != 0:
        raise SandboxError(f"tally {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def prove(python: Path, artifact: Path, text: str, folder: Path, say: Say = print) -> list[str]:
    """Run everything; what went wrong, one sentence each. `text` is the template; logs are kept in `folder`."""
    before = files(artifact)
    wrong: list[str] = []
    rows: list[Row] = []
    with shop(folder) as made:
        functions = template.functions(text, made.secrets(), PARAMETERS)
        named = {one.function for one in EVERY}
        wrong += [f"{name} has no case" for name in sorted(functions.keys() - named)]
        wrong += [f"{name} is in no template" for name in sorted(named - functions.keys())]
        say(f"{'function':<24} {'init ms':>8} {'first ms':>9} {'refusal ms':>11} {'peak MB':>8}")

        def sandbox(function: Function) -> Sandbox:
            return Sandbox(python, artifact, function, folder / f"{function.name}.log")

        for one in EVERY:
            try:
                box = sandbox(functions[one.function])
                rows.append(endpoint(box, one, made) if isinstance(one, Case) else job(box, one, made))
                say(line(rows[-1]))
            except (SandboxError, Unexpected, KeyError) as error:
                wrong.append(f"{one.function}: {error!r}" if isinstance(error, KeyError) else str(error))
                say(f"{one.function:<24} FAILED")
        if rows:
            say(summary(rows))
        for check in (warm, counted, cut, silent):
            try:
                say(check(sandbox, functions, made))
            except (SandboxError, Unexpected) as error:
                wrong.append(f"{check.__name__}: {error}")
        try:
            say(tally(made.url, made.token, "check").strip().splitlines()[-1])
        except SandboxError as error:
            wrong.append(str(error))
    # A module whose byte code does not do is compiled anew, where the file system lets it.
    wrong += [f"{name} was written while the functions ran" for name in sorted(files(artifact) - before)]
    return wrong


def files(artifact: Path) -> set[str]:
    return {str(path.relative_to(artifact)) for path in artifact.rglob("*")}


def endpoint(box: Sandbox, case: Case, made: Shop) -> Row:
    """All good requests of a case, then the bad one. Raises SandboxError, Unexpected."""
    try:
        init = box.start()
        seconds = []
        for ask in case.good:
            answer = box.invoke(sent(ask, made.known))
            made.known.update(accepted(answer.value, case, ask))
            seconds.append(answer.seconds)
        bad = box.invoke(sent(case.bad, made.known))
        refused(bad.value, case)
        return Row(case.function, init, (seconds or [bad.seconds])[0], bad.seconds, box.peak_bytes())
    finally:
        box.stop()


def job(box: Sandbox, due: Due, made: Shop) -> Row:
    """A run with something due, and one with an event of nobody and nothing due. Raises SandboxError, Unexpected."""
    try:
        if due.makes_due:
            asyncio.run(write(made, due.makes_due.format_map(made.known)))
        init = box.start()
        done, again = box.invoke(SCHEDULE), box.invoke(["not", "a", "schedule"])
        worked(done.value, due)
        worked(again.value, due, again=True)
        return Row(due.function, init, done.seconds, again.seconds, box.peak_bytes())
    finally:
        box.stop()


async def write(made: Shop, sql: str) -> None:
    db = await connect(made.url, token=made.token)
    try:
        await db.batch([unregistered(sql)()])
    finally:
        await db.close()


Make = Callable[[Function], Sandbox]
Functions = dict[str, Function]


def warm(sandbox: Make, functions: Functions, made: Shop) -> str:
    """One process, several invocations, one connection. Raises Unexpected."""
    box = sandbox(functions["checkout"])
    try:
        box.start()
        before = made.proxy.connections
        seconds = [placed(box, made, f"warm-{number}") for number in range(1 + WARM)]
        used = made.proxy.connections - before
    finally:
        box.stop()
    if used != 1:
        raise Unexpected(f"{1 + WARM} checkouts of one process opened {used} connections to the database")
    return (
        f"warm: {1 + WARM} checkouts of one process over 1 connection; the first {seconds[0] * 1000:.0f} ms, "
        f"the others {statistics.median(seconds[1:]) * 1000:.0f} ms (median)"
    )


def counted(sandbox: Make, functions: Functions, made: Shop) -> str:
    """The rows that a request reads and writes, by which databases are billed. Raises Unexpected."""
    asked = {"list_products": list_products, "view_product": view_product, "checkout": placed}
    told = []
    for name, ask in asked.items():
        box = sandbox(functions[name])
        try:
            box.start()
            before = made.rows()
            ask(box, made, f"counted-{name}")
            read, written = (after - one for after, one in zip(made.rows(), before, strict=True))
        finally:
            box.stop()
        told.append(f"{name} {read} and {written}")
    return f"rows read and written, as the server counts: {', '.join(told)}"


def cut(sandbox: Make, functions: Functions, made: Shop) -> str:
    """Frozen, its connections reset, thawed: the same request is answered. Raises Unexpected."""
    asked = {"list_products": list_products, "record_events": recorded, "checkout": placed}
    for name, ask in asked.items():
        box = sandbox(functions[name])
        try:
            box.start()
            ask(box, made, f"before-{name}")
            box.freeze()
            if not made.proxy.cut():
                raise Unexpected(f"{name}: there was no connection to cut")
            box.thaw()
            ask(box, made, f"after-{name}")
        finally:
            box.stop()
    return f"frozen, cut and thawed: {', '.join(asked)} answered in the same request"


def silent(sandbox: Make, functions: Functions, made: Shop) -> str:
    """Frozen until nobody remembers its connection, and thawed: a write is sent over another. Raises Unexpected."""
    box = sandbox(functions["record_events"])
    try:
        box.start()
        recorded(box, made, "before")
        box.freeze()
        time.sleep(SILENCE_SECONDS)
        if not made.proxy.forget():
            raise Unexpected("there was no connection to forget")
        box.thaw()
        seconds = recorded(box, made, "after")
    finally:
        box.stop()
    return (
        f"frozen for {SILENCE_SECONDS:g} s, its connection forgotten, and thawed: answered in {seconds * 1000:.0f} ms"
    )


def placed(box: Sandbox, made: Shop, key: str) -> float:
    body = {**BUYER, "lines": [{"variant_id": "{variant}", "quantity": 1}]}
    return _asked(box, made, Ask("POST", "/checkout", body, {"idempotency-key": key}), 201)


def recorded(box: Sandbox, made: Shop, key: str) -> float:
    return _asked(box, made, Ask("POST", "/events", EVENTS), 201)


def list_products(box: Sandbox, made: Shop, key: str) -> float:
    return _asked(box, made, Ask("GET", "/products"), 200)


def view_product(box: Sandbox, made: Shop, key: str) -> float:
    return _asked(box, made, Ask("GET", "/products/{product}"), 200)


def _asked(box: Sandbox, made: Shop, ask: Ask, status: int) -> float:
    answer = box.invoke(sent(ask, made.known))
    case = Case(box.function.name, (ask,), status, ask, (0, ""))
    accepted(answer.value, case, ask)
    return answer.seconds


def line(row: Row) -> str:
    times = f"{row.init * 1000:>8.0f} {row.first * 1000:>9.0f} {row.bad * 1000:>11.0f}"
    return f"{row.function:<24} {times} {row.peak / 1e6:>8.0f}"


def summary(rows: list[Row]) -> str:
    """The median and the most of each column."""
    told = []
    for name, of in (("median", statistics.median), ("most", max)):
        inits, firsts = of([row.init for row in rows]), of([row.first for row in rows])
        bads, peaks = of([row.bad for row in rows]), of([row.peak for row in rows])
        told.append(line(Row(f"{name} of {len(rows)}", inits, firsts, bads, int(peaks))))
    return "\n".join(told)
