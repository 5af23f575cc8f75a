"""`python -m bench.enumeration`: does the time of an answer tell who has an account? Medians of CALLS each, in turns.

A shop of its own in a folder that is removed, bcrypt at the default cost of production; the limits are reset between
calls, so that each one is judged.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Final

CALLS: Final = 200
RATIO_MAX: Final = 1.10
PASSWORD: Final = "a stick split in two"  # noqa: S105 - of the shop that is measured
ASKED: Final[tuple[tuple[str, str, str, dict[str, str]], ...]] = (
    ("register", "functions.auth.register_user", "/auth/register", {"password": PASSWORD}),
    ("log in", "functions.auth.log_in", "/auth/log-in", {"password": "not the password"}),
    ("reset", "functions.auth.request_password_reset", "/auth/password-reset", {}),
)
KNOWN: Final = "known@example.com"


async def _measure(url: str) -> list[tuple[str, float, float]]:
    from api.clock import milliseconds_now, stamp
    from api.passwords import hash_password
    from api.settings import settings
    from db.helper import connect, insert_statements
    from db.migrate import Migrations
    from db.sql import unregistered
    from proof.asking import Asking, ask

    db = await connect(url)
    await Migrations().up(db)
    now = stamp(milliseconds_now())
    row = {
        "id": "user_01kaktq2m8e8q8k3v9m1c4x7zd", "email": KNOWN, "email_verified_at": now, "created_at": now,
        "updated_at": now, "password_hash": await hash_password(PASSWORD, settings().bcrypt_cost),
    }  # fmt: skip
    await db.batch(insert_statements("users", [row]))
    again = unregistered("DELETE FROM rate_limits")()
    found = []
    for name, module, path, body in ASKED:
        app = getattr(import_module(module), module.rpartition(".")[2])
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for number in range(CALLS + 5):
            # Whose turn is first changes, so that neither always comes after the other.
            for known in (number % 2 == 0, number % 2 == 1):
                await db.batch([again])
                email = KNOWN if known else f"{app.name}-{number}@example.com"
                began = time.perf_counter()
                told = await ask(app, Asking(module, path, body={"email": email, **body}))
                if number >= 5:  # the first ones import what is needed
                    seconds[known].append(time.perf_counter() - began)
                assert told.status in (202, 401), told
        found.append((name, statistics.median(seconds[True]), statistics.median(seconds[False])))
    await db.close()
    return found


def main() -> int:
    """Print medians and ratios; 1 if one is above RATIO_MAX."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'shop.db'}"
        os.environ |= {"DATABASE_URL": url, "SECRET_KEY": "0" * 64, "LOG_LEVEL": "error"}
        found = asyncio.run(_measure(url))
    worst = 0.0
    for name, known, unknown in found:
        ratio = max(known, unknown) / min(known, unknown)
        worst = max(worst, ratio)
        print(f"{name:9} known {known * 1000:8.2f} ms   unknown {unknown * 1000:8.2f} ms   ratio {ratio:.3f}")
    print(f"the worst of {len(found)} ratios: {worst:.3f} (at most {RATIO_MAX:.2f})")
    return int(worst > RATIO_MAX)


if __name__ == "__main__":
    sys.exit(main())
