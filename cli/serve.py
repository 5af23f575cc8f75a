"""`tally serve`: the shop as one process, every endpoint under the address that the cloud would give it."""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import socket
from pathlib import Path
from typing import Any, Final

from cli.common import Failure, opened, prepare, require_migrated
from cli.keys import ensure_secret_key

ROOT: Final = Path(__file__).resolve().parent.parent
CODE: Final = ("api", "cli", "db", "domain", "functions", "providers")
PORT_DEFAULT: Final = 8000
BACKLOG: Final = 2_048
KEEP_ALIVE_SECONDS: Final = 75
"""More than the 60 s after which load balancers drop an idle connection: they never send into a closed one."""
GRACE_SECONDS: Final = 30
"""At a SIGTERM, how long requests in work may take to end."""


def add_parser(subparsers: Any) -> None:
    help_ = "serve every endpoint from this process"
    parser = subparsers.add_parser("serve", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1")
    parser.add_argument(
        "--port", type=port, default=None, help=f"0 takes a free one; default: PORT, else {PORT_DEFAULT}"
    )
    parser.add_argument("--reload", action="store_true", help="start anew when the code changes")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes; default: 1")
    parser.add_argument("--no-jobs", action="store_true", help="leave the scheduled functions to somebody else")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; what is in work is finished, then the database closed. Raises Failure."""
    if args.workers < 1 or (args.reload and args.workers > 1):
        raise Failure("--workers is 1 or more, and 1 with --reload", 2)
    prepare(args.database_url, make=False)
    ensure_secret_key()

    from api.settings import settings

    settings()  # a wrong environment is refused here, in one sentence, and not by each process
    asyncio.run(_look(args.database_url))
    with listen(args.host, port_of(args)) as listening:
        print(f"Tallystick serves {url_of(listening)}", flush=True)
        return serve(listening, reload=args.reload, workers=args.workers, jobs=not args.no_jobs)


def serve(listening: socket.socket, *, reload: bool, workers: int, jobs: bool) -> int:
    """Hand the socket to uvicorn until a signal ends it; the settings have been looked at. Returns the exit code."""
    from uvicorn import Config, Server
    from uvicorn.supervisors import ChangeReload, Multiprocess

    from cli.scheduler import JOBS_VARIABLE

    os.environ[JOBS_VARIABLE] = "1" if jobs else ""
    config = Config(
        "cli.server:application",
        factory=True,
        lifespan="on",
        ws="none",
        access_log=False,  # ours is JSON, and made by the endpoint
        log_level="warning",
        # Whoever stands before us on this host (docs/deploy.md: Caddy) says where a client comes from; nobody else may.
        proxy_headers=True,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
        workers=workers,
        reload=reload,
        reload_dirs=[str(ROOT / name) for name in CODE] if reload else None,
    )
    # uvicorn ends by raising the signal that it caught once more, which would make an orderly end look like a failure.
    for caught in (signal.SIGINT, signal.SIGTERM):
        signal.signal(caught, lambda *_: None)
    server = Server(config)
    if reload:
        ChangeReload(config, target=server.run, sockets=[listening]).run()
    elif workers > 1:
        Multiprocess(config, sockets=[listening]).run()
    else:
        server.run(sockets=[listening])
        return 0 if server.started else 1
    return 0


def listen(host: str, number: int) -> socket.socket:
    """A socket that takes connections from now on: who comes before the server is ready waits. Raises Failure."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, number))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                f"port {number} of {host} is in use: stop what runs there, or choose another with PORT={number + 1}"
            ) from error
        raise Failure(f"cannot listen on {host} port {number}: {error.strerror or error}") from error
    made.set_inheritable(True)
    return made


def url_of(listening: socket.socket) -> str:
    host, number = listening.getsockname()[:2]
    return f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"


def port_of(args: argparse.Namespace) -> int:
    """`--port`, else PORT, else 8000. Raises Failure."""
    if args.port is not None:
        return int(args.port)
    try:
        return port(os.environ.get("PORT") or str(PORT_DEFAULT))
    except ValueError as error:
        raise Failure(f"PORT={os.environ['PORT']!r}: a whole number from 0 to 65535", 2) from error


def port(text: str) -> int:
    """A port number. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise ValueError(text)
    return int(text)


async def _look(url: str) -> None:
    async with opened(url) as db:
        await require_migrated(db)
