"""One engine for one run: an empty database on it, and the process behind it to kill and to freeze."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tools.engines.d1 import D1Server
from tools.engines.process import EngineError, Process, install, missing
from tools.engines.sqld import CONNECTIONS, Sqld

ENGINES: Final = ("sqlite", "libsql", "d1")
SHOP: Final = "shop"


class Engine(NamedTuple):
    """An empty database. `process` takes its writes, `replica` answers reads; None where there is no such thing."""

    name: str
    url: str
    token: str = ""
    process: Process | None = None
    replica_url: str = ""
    replica: Process | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings that point a shop at it."""
        return {"DATABASE_URL": self.url, "DATABASE_TOKEN": self.token, "DATABASE_REPLICA_URL": self.replica_url}


@contextmanager
def engine(name: str, folder: Path, *, replica: bool = False, connections: int = CONNECTIONS) -> Iterator[Engine]:
    """The engine `name`, installed if need be, its data in `folder`; ended afterwards. Raises EngineError."""
    if name == "sqlite":
        folder.mkdir(parents=True, exist_ok=True)
        yield Engine(name, f"sqlite:///{folder}/{SHOP}.db")
        return
    if name not in ENGINES:
        raise EngineError(f"{name}: one of {', '.join(ENGINES)}")
    install()
    if reason := missing():
        raise EngineError(reason)
    if name == "d1":
        d1 = D1Server(folder, SHOP)
        try:
            d1.start()
            yield Engine(name, d1.url(SHOP), d1.token, d1.process)
        finally:
            d1.stop()
        return
    sqld = Sqld(folder, replica=replica, connections=connections)
    try:
        sqld.start()
        url = sqld.create(SHOP)
        replica_url = sqld.replica_url(SHOP) if replica else ""
        yield Engine(name, url, sqld.token, sqld.primary, replica_url, sqld.replica)
    finally:
        sqld.stop()
