"""`make engines`: the engines, until Ctrl-C, and the settings that point a shop at each."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path

from tools.engines import D1Server, EngineError, Sqld, install, missing

SHOP = "shop"


def main() -> int:
    try:
        install()
    except EngineError as error:
        print(f"engines: {error}", file=sys.stderr)
        return 1
    if reason := missing():
        print(f"engines: {reason}", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="tallystick-engines-") as folder:
        sqld, d1 = Sqld(Path(folder) / "libsql", replica=True), D1Server(Path(folder) / "d1", SHOP)
        try:
            sqld.start()
            url = sqld.create(SHOP)
            d1.start()
            print("# libSQL, a primary and a replica")
            print(f"export DATABASE_URL='{url}' DATABASE_REPLICA_URL='{sqld.replica_url(SHOP)}'")
            print(f"export DATABASE_TOKEN='{sqld.token}'")
            print("# Cloudflare D1, through the gateway")
            print(f"export DATABASE_URL='{d1.url(SHOP)}' DATABASE_TOKEN='{d1.token}'; unset DATABASE_REPLICA_URL")
            print("# Both are empty: `tally migrate up`, then `tally serve`. They are gone after Ctrl-C.", flush=True)
            ended.wait()
        except EngineError as error:
            print(f"engines: {error}", file=sys.stderr)
            return 1
        finally:
            d1.stop()
            sqld.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
