"""Our own load, where wrk is not installed and for what it cannot do: keep-alive clients on asyncio, in one process.

`python -m bench.client PORT CLIENTS SECONDS SEED [PATH]` posts checkouts, or gets PATH, and prints as JSON what came
back. It takes more of the machine than wrk does, so a server looks slower through it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from bench.workload import checkout_body


async def _client(
    port: int, seconds: float, seed: int, path: str | None, took: list[float], statuses: list[int]
) -> None:
    chance = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    until = time.perf_counter() + seconds
    number = 0
    while (began := time.perf_counter()) < until:
        number += 1
        if path:
            sent = f"GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n".encode()
        else:
            body = checkout_body(chance).encode()
            sent = (
                f"POST /checkout HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n"
                f"idempotency-key: {seed}-{number}\r\ncontent-length: {len(body)}\r\n\r\n"
            ).encode() + body
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
        statuses.append(int(head.split(None, 2)[1]))
    writer.close()


async def _load(port: int, clients: int, seconds: float, seed: int, path: str | None) -> dict[str, Any]:
    took: list[float] = []
    statuses: list[int] = []
    began = time.perf_counter()
    results = await asyncio.gather(
        *[_client(port, seconds, seed * 1_000 + number, path, took, statuses) for number in range(clients)],
        return_exceptions=True,
    )
    wrong = [f"{type(result).__name__}: {result}" for result in results if isinstance(result, BaseException)]
    return {
        "seconds": time.perf_counter() - began,
        "took": took,
        "errors": sum(status >= 300 for status in statuses) + len(wrong),
        "wrong": wrong[:3],
    }


def main() -> None:
    port, clients, seconds, seed, *path = sys.argv[1:]
    loaded = _load(int(port), int(clients), float(seconds), int(seed), path[0] if path else None)
    print(json.dumps(asyncio.run(loaded)))


if __name__ == "__main__":
    main()
