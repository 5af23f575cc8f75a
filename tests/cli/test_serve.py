"""`tally serve` as people run it: a process, a port, signals, and what is in the file afterwards."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.serving import Serving, serving
from tests.cli.terminal import Terminal

ORIGIN = "https://shop.example"
CUSTOMER = {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"}
ADDRESS = {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    terminal = Terminal(tmp_path_factory.mktemp("serve"))
    assert terminal.tally("migrate", "up").code == 0
    assert terminal.tally("seed", "dev").code == 0
    return terminal.folder


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Serving]:
    with serving(folder, "serve", "--port", "0", ALLOWED_ORIGINS=ORIGIN) as server:
        yield server


@pytest.fixture
def client(running: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=30) as client:
        yield client


def body_for(client: httpx.Client, slug: str = "wildflower-honey") -> dict[str, Any]:
    variant = client.get(f"/products/{slug}").json()["variants"][0]["id"]
    lines = [{"variant_id": variant, "quantity": 1}]
    return {"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS}


def test_serves_every_endpoint_under_its_address(client: httpx.Client) -> None:
    assert client.get("/health").json()["engine"] == "sqlite"
    listed = client.get("/products", params={"limit": 3})
    assert (listed.status_code, len(listed.json()["items"])) == (200, 3)
    assert client.get("/products/valley-mug").json()["slug"] == "valley-mug"
    assert client.get(f"/products/{listed.json()['items'][0]['id']}").status_code == 200
    assert client.get("/orders").status_code == 401
    reply = client.post("/checkout", json=body_for(client), headers={"Idempotency-Key": "served"})
    assert (reply.status_code, reply.headers["location"]) == (201, f"/orders/{reply.json()['id']}")
    again = client.post("/checkout", json=body_for(client), headers={"Idempotency-Key": "served"})
    assert (again.json(), again.headers["idempotency-replayed"]) == (reply.json(), "true")


def test_the_documentation_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; script-src 'self';" in page.headers["content-security-policy"]
    assert re.findall(r"https?:|//", page.text) == []
    assert re.findall(r"<script(?![^>]* src=)|<style| on\w+=", page.text) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert client.get(f"/{address}").status_code == 200, address
    assert "validatorUrl: null" in client.get("/docs/start.js").text
    assert "OAS31" in client.get("/docs/swagger-ui-bundle.js").text  # this viewer knows OpenAPI 3.1
    assert client.get("/docs/other.js").status_code == 404
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1") and "/checkout" in described["paths"]


def test_the_front_sends_browsers_to_the_documentation(client: httpx.Client) -> None:
    assert client.get("/").json()["docs"] == "/docs"
    browser = client.get("/", headers={"Accept": "text/html,*/*"})
    assert (browser.status_code, browser.headers["location"]) == (307, "docs")


def test_metrics_are_text_and_count(client: httpx.Client) -> None:
    client.get("/health")
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert int(re.findall(r'tallystick_requests_total\{endpoint="health",status="200"\} (\d+)', reply.text)[0]) >= 1


def test_what_is_not_there_is_a_problem(client: httpx.Client) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/docs", 405, "method_not_allowed"),
        ("PUT", "/checkout", 405, "method_not_allowed"),
        ("TRACE", "/products/valley-mug", 405, "method_not_allowed"),
    ):
        reply = client.request(method, path, headers={"X-Request-Id": "mine", "Accept-Language": "el"})
        assert (reply.status_code, reply.json()["code"]) == (status, code)
        assert reply.headers["content-type"] == "application/problem+json"
        assert (reply.headers["x-request-id"], reply.json()["instance"]) == ("mine", path)
        assert ("allow" in reply.headers) == (status == 405)
    assert client.put("/checkout").headers["allow"] == "OPTIONS, POST"
    assert client.put("/products/valley-mug").headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_head_and_options(client: httpx.Client) -> None:
    whole, head = client.get("/products"), client.head("/products")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert client.head("/docs").headers["content-length"] == str(len(client.get("/docs").content))
    assert client.head("/nowhere").status_code == 404
    options = client.options("/carts")
    assert (options.status_code, options.headers["allow"], options.content) == (204, "OPTIONS, POST", b"")
    assert client.options("/nowhere").status_code == 404


def test_a_page_of_an_allowed_origin_may_read_the_answer(client: httpx.Client) -> None:
    reply = client.get("/health", headers={"Origin": ORIGIN})
    assert (reply.headers["access-control-allow-origin"], reply.headers["vary"]) == (ORIGIN, "Origin")
    exposed = {name.strip() for name in reply.headers["access-control-expose-headers"].split(",")}
    assert exposed >= {
        "Idempotency-Replayed", "ETag", "Location", "Link", "X-Request-Id", "Server-Timing", "Retry-After",
        "RateLimit", "RateLimit-Policy",
    }  # fmt: skip
    refused = client.get("/nowhere", headers={"Origin": ORIGIN})
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    preflight = client.options("/checkout", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "OPTIONS, POST")
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]


def test_a_page_of_another_origin_may_not(client: httpx.Client) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}):
        reply = client.get("/health", headers=headers)
        assert "access-control-allow-origin" not in reply.headers
        assert reply.headers["vary"] == "Origin"


def test_many_buyers_at_once_are_all_answered(running: Serving, folder: Path) -> None:
    with httpx.Client(base_url=running.url, timeout=30) as client:
        body = body_for(client)

        def buy(number: int) -> int:
            return client.post("/checkout", json=body, headers={"Idempotency-Key": f"many-{number}"}).status_code

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(buy, range(48))) == [201] * 48
    assert Terminal(folder).tally("check").code == 0


def test_who_stands_before_us_says_where_a_client_comes_from(client: httpx.Client, folder: Path) -> None:
    """docs/deploy.md: Caddy on this host. Otherwise all clients would be one, with one limit of tries."""
    body = {"email": "nobody@example.com", "password": "not the password"}
    for source in ("203.0.113.9", "2001:db8:1:2:3::4", "2001:db8:1:2:5::6"):
        reply = client.post("/auth/log-in", json=body, headers={"x-forwarded-for": source})
        assert reply.status_code == 401
    raw = sqlite3.connect(folder / ".tallystick" / "shop.db")
    counts = raw.execute("SELECT count FROM rate_limits WHERE substr(scope, 1, 8) = 'address:' ORDER BY count")
    assert [count for (count,) in counts] == [1, 2]
    raw.close()


def test_a_signal_lets_what_is_in_work_end_and_keeps_it(folder: Path) -> None:
    with serving(folder, "serve", "--port", "0") as server:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            body = json.dumps(body_for(client)).encode()
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            head = f"POST /checkout HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nIdempotency-Key: last\r\n"
            connection.sendall(f"{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n".encode())
            assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"  # the endpoint waits for the body
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
                while True:  # until nobody else is let in
                    socket.create_connection(("127.0.0.1", port), timeout=30).close()
            connection.sendall(body)
            answer = b""
            while part := connection.recv(65_536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(30) == 0
    placed = json.loads(answer.partition(b"\r\n\r\n")[2])
    with serving(folder, "serve", "--port", "0") as server, httpx.Client(base_url=server.url, timeout=30) as client:
        kept = client.get(f"/orders/{placed['reference']}", params={"phone": CUSTOMER["phone"]})
        assert kept.json()["id"] == placed["id"]
        assert server.stop(signal.SIGINT) == 0


def test_several_processes_serve_one_file(folder: Path) -> None:
    with serving(folder, "serve", "--port", "0", "--workers", "2") as server:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            body = body_for(client)
            for number in range(4):
                reply = client.post("/checkout", json=body, headers={"Idempotency-Key": f"workers-{number}"})
                assert reply.status_code == 201
        assert server.stop() == 0


def test_a_busy_port_is_told(folder: Path, running: Serving) -> None:
    port = running.url.rpartition(":")[2]
    done = Terminal(folder).tally("serve", "--port", port)
    assert done.code == 1
    assert f"port {port} of 127.0.0.1 is in use" in done.err and f"PORT={int(port) + 1}" in done.err


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--workers", "0"], {}, "--workers is 1 or more"),
        (["--reload", "--workers", "2"], {}, "--workers is 1 or more, and 1 with --reload"),
        ([], {"PORT": "eighty"}, "PORT='eighty': a whole number from 0 to 65535"),
        (["--port", "70000"], {}, "invalid port value"),
        (["--host", "192.0.2.1"], {}, "cannot listen on 192.0.2.1"),
        (["--port", "0"], {"CART_TTL": "soon"}, "CART_TTL='soon'"),
        (["--port", "0"], {"STAGE": "production"}, "SECRET_KEY"),
    ],
)
def test_what_cannot_be_served_is_told(folder: Path, words: list[str], environment: dict[str, str], said: str) -> None:
    done = Terminal(folder).tally("serve", *words, **environment)
    assert done.code in (1, 2)
    assert said in done.err
    assert done.out == ""


def test_the_demos_pictures_are_served(client: httpx.Client) -> None:
    [first, *_] = client.get("/products/valley-mug").json()["media"]
    assert first["url"] == "/media/demo/valley-mug.svg"
    reply = client.get(first["url"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/svg+xml")
    assert "Valley mug" in reply.text
    assert reply.headers["cache-control"] == "public, max-age=86400"
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert client.get("/media/demo/no_name.svg").json()["code"] == "not_found"
    assert client.post(first["url"]).status_code == 405


def test_a_database_that_is_not_migrated_is_refused(terminal: Terminal) -> None:
    assert "there is no database" in terminal.tally("serve", "--port", "0").err
    terminal.tally("migrate", "up", "--to", "3")
    done = terminal.tally("serve", "--port", "0")
    assert done.code == 1
    assert "migrations are pending: run `tally migrate up` first" in done.err
