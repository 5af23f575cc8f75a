"""`tally dev`, behind `make dev`: what it makes, what it prints, and that the printed line works as it is."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import hash_of, new_key
from cli.common import Failure
from cli.dev import banner, curl, make_ready
from cli.main import main
from cli.serve import listen, url_of
from db.engines.sqlite import open_connection
from tests.cli.serving import ROOT, Serving, serving
from tests.cli.terminal import Terminal
from tests.shop import Shop

# Where there is no curl, the shell's part is tried all the same: what the line's words are once they are unquoted.
STAND_IN = """#!{python}
import sys, httpx
words = sys.argv[1:]
assert words[0] == "-i" and words[2::2] == ["-H", "-H", "-d"], words
headers = dict(one.split(": ", 1) for one in (words[3], words[5]))
reply = httpx.post(words[1], headers=headers, content=words[7], timeout=30)
print(f"HTTP/1.1 {{reply.status_code}} {{reply.reason_phrase}}", end="\\r\\n")
print(*[f"{{name}}: {{value}}" for name, value in reply.headers.items()], "", sep="\\r\\n", end="\\r\\n")
print(reply.text, end="")
"""


def read_rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(open_connection(path)) as connection:
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def line_of(server: Serving) -> str:
    return server.wait_for(r"^(curl .*)$")


def key_of(server: Serving) -> str:
    return server.wait_for(r"Administrator +(sk_\S+)$")


def pasted(line: str, folder: Path) -> tuple[str, str]:
    """What the shell answers to the line: head and body."""
    path = os.environ["PATH"]
    if shutil.which("curl") is None:
        stand_in = folder / "bin" / "curl"
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(STAND_IN.format(python=sys.executable))
        stand_in.chmod(0o755)
        path = f"{stand_in.parent}:{path}"
    shell = shutil.which("bash") or "sh"
    done = subprocess.run([shell, "-c", line], env={"PATH": path}, capture_output=True, timeout=60, check=True)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    return head.lower(), body


def test_from_nothing_to_an_order(tmp_path: Path) -> None:
    with serving(tmp_path, "dev", PORT="0") as server:
        line, key = line_of(server), key_of(server)
        assert f"Shop           {server.url}" in server.told
        assert f"Documentation  {server.url}/docs" in server.told
        head, body = pasted(line, tmp_path)
        assert head.startswith("http/1.1 201 ") and "idempotency-replayed" not in head
        again, same = pasted(line, tmp_path)
        assert again.startswith("http/1.1 201 ") and "idempotency-replayed: true" in again
        assert same == body and '"status":"PENDING"' in body
        admin = {"Authorization": f"Bearer {key}"}
        assert len(httpx.get(f"{server.url}/orders", headers=admin, timeout=30).json()["items"]) == 1
        assert server.stop() == 0
    made = tmp_path / ".tallystick"
    assert mode(made) == 0o700
    assert (mode(made / "secret_key"), mode(made / "admin_api_key")) == (0o600, 0o600)
    assert (made / "admin_api_key").read_text().strip() == key
    held = (made / "shop.db").read_bytes()
    assert key.encode() not in held and hashlib.sha256(key.encode()).hexdigest().encode() in held

    secret = (made / "secret_key").read_text()
    with serving(tmp_path, "dev", PORT="0") as server:
        assert key_of(server) == key and (made / "secret_key").read_text() == secret
        assert "nothing to do" in server.told
        other = line_of(server)
        assert re.findall("Idempotency-Key: [0-9a-f]+", other) != re.findall("Idempotency-Key: [0-9a-f]+", line)
        assert pasted(other, tmp_path)[1] != body
    assert read_rows(made / "shop.db", "SELECT count(*) FROM orders") == [(2,)]
    assert read_rows(made / "shop.db", "SELECT scopes FROM api_keys") == [('["*"]',)]


def test_another_database_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with serving(tmp_path, "dev", "--port", "0", DATABASE_URL="sqlite:///other/shop.db") as server:
        line_of(server)
    assert (tmp_path / "other" / "shop.db").is_file()
    assert not (tmp_path / ".tallystick" / "shop.db").exists()


def test_a_busy_port_is_told_before_anything_is_made(tmp_path: Path, terminal: Terminal) -> None:
    elsewhere = tmp_path / "first"
    elsewhere.mkdir()
    with serving(elsewhere, "dev", PORT="0") as server:
        port = server.url.rpartition(":")[2]
        done = terminal.tally("dev", PORT=port)
    assert done.code == 1
    assert f"port {port} of 127.0.0.1 is in use" in done.err
    assert not terminal.file.parent.exists()


def test_production_is_refused(terminal: Terminal) -> None:
    done = terminal.tally("dev", PORT="0", STAGE="production")
    assert done.code == 1 and "STAGE is production" in done.err
    terminal.tally("migrate", "up")
    done = terminal.tally("seed", "demo", STAGE="production")
    assert done.code == 1 and "sample data" in done.err
    assert terminal.tally("seed", "prod", STAGE="production").code == 0


def test_settings_are_looked_at_before_anything_is_told(terminal: Terminal) -> None:
    done = terminal.tally("dev", PORT="0", CART_TTL="soon")
    assert (done.code, done.out) == (1, "") and "CART_TTL='soon'" in done.err
    assert not terminal.file.exists()


def test_making_ready_twice_makes_one_key(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/.tallystick/shop.db"
    key = new_key()[0]
    first, second = (asyncio.get_event_loop().run_until_complete(make_ready(url, key)) for _ in range(2))
    assert first == second and first is not None
    rows = read_rows(tmp_path / ".tallystick" / "shop.db", "SELECT hash, scopes, revoked_at FROM api_keys")
    assert rows == [(hash_of(key), '["*"]', None)]


def test_the_seed_command_says_what_it_did(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    def seed() -> int:
        loop = asyncio.get_event_loop()  # a command runs on a loop of its own, and leaves none behind
        try:
            return main(["seed", "dev", "--database-url", shop.url])
        finally:
            asyncio.set_event_loop(loop)

    assert seed() == 0
    assert "rows inserted (1 locations, 3 producers" in capsys.readouterr().out
    assert seed() == 0
    assert "nothing to do" in capsys.readouterr().out
    shop.execute("UPDATE inventory SET stock = stock + 1 WHERE stock > 0")
    assert seed() == 1
    assert "tally: seed dev: the rows are there, but invariants do not hold" in capsys.readouterr().err


def test_an_address_of_either_family_can_be_listened_on() -> None:
    with listen("127.0.0.1", 0) as one:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url_of(one))
        with pytest.raises(Failure, match="in use"):
            listen("127.0.0.1", one.getsockname()[1])
    if socket.has_ipv6:
        with contextlib.suppress(Failure), listen("::1", 0) as other:  # a machine may have the code and no address
            assert re.fullmatch(r"http://\[::1\]:\d+", url_of(other))


@pytest.mark.parametrize("held", ["", "no key at all"])
def test_a_key_file_without_a_key_is_told(terminal: Terminal, held: str) -> None:
    terminal.file.parent.mkdir()
    (terminal.file.parent / "admin_api_key").write_text(held)
    done = terminal.tally("dev", PORT="0")
    assert done.code == 1
    assert "admin_api_key" in done.err and "the next start makes a new one" in done.err


def test_a_revoked_key_is_told(terminal: Terminal) -> None:
    key, prefix, hashed = new_key()
    terminal.tally("migrate", "up")
    (terminal.file.parent / "admin_api_key").write_text(key)
    connection = open_connection(terminal.file)
    now = "2026-11-21T08:00:00.000Z"
    columns = "id, name, prefix, hash, scopes, revoked_at, created_at, updated_at"
    row = ("apikey_1", "old", prefix, hashed, '["*"]', now, now, now)
    connection.execute(f"INSERT INTO api_keys ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()
    done = terminal.tally("dev", PORT="0")
    assert done.code == 1 and "was revoked or has expired" in done.err


def test_the_line_is_safe_in_a_shell() -> None:
    line = curl("http://127.0.0.1:8000", "variant_x")
    assert "\n" not in line
    words = subprocess.run(
        ["sh", "-c", line.replace("curl", "printf '%s\\n'", 1)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert words[:2] == ["-i", "http://127.0.0.1:8000/checkout"]
    assert words[-1].startswith('{"lines": [{"variant_id": "variant_x"')
    assert curl("http://127.0.0.1:8000", "variant_x") != line


def test_an_empty_shelf_has_no_line() -> None:
    told = banner("http://127.0.0.1:8000", "sk_x", None)
    assert "curl" not in told and "Nothing is in stock" in told


def test_make_offers_what_it_says() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.M)
    assert sorted(targets) == [
        "bench",
        "check",
        "coverage",
        "dev",
        "drill",
        "engines",
        "faults",
        "help",
        "kills",
        "lambda",
        "race",
        "routes",
        "setup",
        "stateful",
        "test",
    ]
