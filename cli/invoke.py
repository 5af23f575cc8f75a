"""`tally invoke FUNCTION EVENT.json`: call one function's handler with an event, as the cloud would."""

from __future__ import annotations

import argparse
import asyncio
import base64
import difflib
import json
import sys
import time
import uuid
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from api.endpoint import REGISTRY
from api.settings import settings
from cli.common import Failure, opened, prepare, require_migrated
from cli.keys import ensure_secret_key

ROOT: Final = Path(__file__).resolve().parent.parent / "functions"
SECONDS_MAX: Final = 30


@dataclass(frozen=True)
class Context:
    """What a handler may ask of the Lambda context."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    began: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((SECONDS_MAX - (time.monotonic() - self.began)) * 1000))


def add_parser(subparsers: Any) -> None:
    help_ = "call one function with an event, as the cloud would"
    parser = subparsers.add_parser("invoke", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("function", help="checkout, list_products, catalog.list_products, or the file's path")
    parser.add_argument("event", help="a file with an API Gateway v2 event (or a schedule's), or - for standard input")
    parser.add_argument("--body", action="store_true", help="print the answer's body only")


def run(args: argparse.Namespace) -> int:
    """Print the answer; 1 if its status is 400 or more. What the function prints and logs goes to standard error."""
    module = find(args.function)
    event = _event(args.event)
    prepare(args.database_url, make=False)
    ensure_secret_key()
    settings()  # a wrong environment is told here, not as the function's 500
    with redirect_stdout(sys.stderr), asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())  # Mangum runs the function on the loop that is set
        called = import_module(module)
        if module.rpartition(".")[2] in REGISTRY:  # a job asks nothing of its event
            require_request(args.event, event)
        runner.run(_look(args.database_url))
        answer = called.handler(event, Context(module.rpartition(".")[2]))
        from api.database import close_database

        runner.run(close_database())
    status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    print(_body(answer) if args.body else json.dumps(answer, indent=2, ensure_ascii=False, default=str))
    return 1 if status >= 400 else 0


def find(name: str) -> str:
    """The module of a function given by its name, its dotted path, its file, or its Handler line. Raises Failure."""
    modules = [
        ".".join(("functions", *path.relative_to(ROOT).with_suffix("").parts))
        for path in sorted(ROOT.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    asked = name.replace("\\", "/").removeprefix(f"{ROOT.as_posix()}/").removeprefix("./").removesuffix(".py")
    asked = asked.replace("/", ".").removesuffix(".handler").removeprefix("functions.")
    found = [module for module in modules if module == f"functions.{asked}"]
    found = found or [module for module in modules if module.endswith(f".{asked}")]
    if len(found) == 1:
        return found[0]
    names = [module.rpartition(".")[2] for module in modules]
    close = found or difflib.get_close_matches(asked.rpartition(".")[2], names, n=3)
    hint = f"did you mean: {', '.join(close)}?" if close else "`tally routes` lists them all"
    raise Failure(f"there is no one function {name!r}; {hint}", 2)


def _event(source: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        event = json.loads(text)
    except ValueError as error:
        raise Failure(f"{source}: not JSON: {error}", 2) from error
    if not isinstance(event, dict):
        raise Failure(f"{source}: an event is a JSON object", 2)
    return event


def require_request(source: str, event: dict[str, Any]) -> None:
    """Refuse what an API Gateway HTTP API would not send. Raises Failure."""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    told = http if isinstance(http, dict) else {}
    headers = event.get("headers", {})
    if (
        event.get("version") != "2.0"
        or not all(isinstance(told.get(name), str) for name in ("method", "path", "sourceIp"))
        or not (isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values()))
        or not isinstance(event.get("rawQueryString", ""), str)
        or not isinstance(event.get("body"), str | None)
    ):
        raise Failure(
            f"{source}: an endpoint takes an event of an API Gateway HTTP API, payload format 2.0: "
            '"version": "2.0", "requestContext": {"http": {"method", "path", "sourceIp"}}, and as texts "headers", '
            '"rawQueryString" and "body"',
            2,
        )


async def _look(url: str) -> None:
    async with opened(url) as db:
        await require_migrated(db)


def _body(answer: Any) -> str:
    if not isinstance(answer, dict) or "body" not in answer:
        return json.dumps(answer, ensure_ascii=False, default=str)
    body: str = answer["body"]
    return base64.b64decode(body).decode(errors="replace") if answer.get("isBase64Encoded") else body
