"""The reference pages of the contract and of the configuration."""

from __future__ import annotations

import contextlib
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from api.auth import PUBLIC
from api.endpoint import Endpoint
from api.job import Job
from api.openapi import TAGS, codes_of, tag_of, texts_of
from api.openapi_parts import MEMBERS
from api.problems import CODES, RETRY_AFTER_SECONDS, messages
from api.settings import SettingsError, read_settings

NOTICE: Final = "<!-- Derived by `tally routes --write`; do not edit. -->\n"

# What each setting is for; what it takes and its default are asked of read_settings itself.
PURPOSES: Final = {
    "ACCESS_TOKEN_TTL": "Seconds that an access token is good for; what it allows is asked at each request.",
    "ALLOWED_ORIGINS": "Origins whose pages may call the local server, joined by commas; empty for none. "
    "In the cloud the template's parameter of the same name decides.",
    "BCRYPT_COST": "Passwords are hashed in 2 to the power of this many rounds.",
    "CART_TTL": "Seconds until a cart that nobody touches expires.",
    "DATABASE_POOL_MAX": "Connections for reading, at most.",
    "DATABASE_POOL_MIN": "Connections for reading that stay open once opened.",
    "DATABASE_REPLICA_URL": "A libSQL replica: catalog reads use it, and reads that bring a `Read-After` token.",
    "DATABASE_TOKEN": "The token that a libSQL server, Turso or the D1 gateway asks for.",
    "DATABASE_URL": "The database: a file (`sqlite:////absolute.db`), a libSQL server or Turso (`libsql://`), or "
    "Cloudflare D1 through the gateway (`d1://`).",
    "DEFAULT_CURRENCY": "ISO 4217 code of a product that names none.",
    "GITHUB_CLIENT_ID": "The application at GitHub that people sign in through; empty for none.",
    "GITHUB_CLIENT_SECRET": "Its secret.",
    "GOOGLE_CLIENT_ID": "The application at Google that people sign in through; empty for none.",
    "GOOGLE_CLIENT_SECRET": "Its secret.",
    "GITHUB_URL": "Where GitHub is: another host is a GitHub Enterprise server, or a stand-in for tests.",
    "GOOGLE_URL": "A stand-in for Google, in tests; empty for Google's own.",
    "LOG_LEVEL": "Log lines of this level and above.",
    "MAIL_FROM": "The address that our mail comes from.",
    "METRICS_NAMESPACE": "On Lambda (where `AWS_LAMBDA_FUNCTION_NAME` is set): the CloudWatch namespace of the "
    "function's metrics; empty for no metrics. The template sets one for each stack.",
    "QUERY_TIMEOUT_MS": "Milliseconds after which a statement is stopped.",
    "REFRESH_TOKEN_TTL": "Seconds after which a session that nobody uses is over.",
    "SHOP_URL": "Where people reach the shop in a browser; links in mail begin with it.",
    "SMTP_URL": "The server that takes our mail, with its user and password in URL encoding; empty: mail waits in the "
    "outbox.",
    "SECRET_KEY": "Signs cursors and tokens. Join several by commas to rotate: the first signs, all verify. "
    "`tally dev` keeps one in a git-ignored file.",
    "SLOW_QUERY_MS": "Milliseconds from which a query is logged as slow.",
    "STAGE": "Where this runs; `production` refuses what would destroy data.",
    "UNPAID_ORDER_TTL": "Seconds until an unpaid order is cancelled; 0 for never.",
}


# What only the command line reads: default, what it takes, what for.
COMMAND_LINE: Final = {
    "PORT": ("8000", "a whole number from 0 to 65535", "Port of the local server; 0 takes a free one.")
}


class _Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for, and the default that came with the question."""

    def __init__(self) -> None:
        self.defaults: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        self.defaults.setdefault(name, "")
        raise KeyError(name)

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.defaults[name] = default or ""
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def settings_known() -> dict[str, tuple[str, str]]:
    """Every setting: its default (empty for none), and what it takes in the words of its refusal (empty: any text)."""
    asked = _Asked()
    with contextlib.suppress(SettingsError):
        read_settings(asked)
    found = {}
    for name, default in asked.defaults.items():
        found[name] = (default, _rule(name))
    found |= {name: (default, rule) for name, (default, rule, _) in COMMAND_LINE.items()}
    return dict(sorted(found.items()))


def _purpose(name: str) -> str:
    return PURPOSES[name] if name in PURPOSES else COMMAND_LINE[name][2]


def _rule(name: str) -> str:
    try:
        read_settings({"SECRET_KEY": "-" * 32, name: "?"})
    except SettingsError as error:
        for line in str(error).splitlines():
            if matched := re.match(rf"\s*{name}(?:='\?')?: (.*)", line):
                return matched[1]
    return ""


def env_example() -> str:
    lines = ["# Every setting with its default; derived by `tally routes --write`.", ""]
    for name, (default, rule) in settings_known().items():
        lines += textwrap.wrap(_purpose(name), 118, initial_indent="# ", subsequent_indent="# ")
        lines += [f"# Takes {rule}."] if rule else []
        lines += [f"{name}={default}", ""]
    return "\n".join(lines)


def configuration_page() -> str:
    lines = [
        "# Configuration",
        NOTICE,
        "Settings come from the environment only. A wrong one is refused at start with a message that names it; all",
        "wrong ones are named at once. `.env.example` lists the same.",
        "",
        "| variable | default | takes | what for |",
        "| --- | --- | --- | --- |",
    ]
    for name, (default, rule) in settings_known().items():
        lines.append(f"| `{name}` | {f'`{default}`' if default else ''} | {cell(rule)} | {cell(_purpose(name))} |")
    return "\n".join(lines) + "\n"


def endpoints_page(found: list[Endpoint], scheduled: list[Job]) -> str:
    lines = ["# Endpoints", NOTICE]
    lines += ["The same as data: `openapi.json`. Codes and their sentences: [errors](errors.md).", ""]
    lines += ["| method | path | name | permission |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.method} | `{one.path}` | [{one.name}](#{one.name}) | `{one.permission}` |" for one in found]
    by_tag: dict[str, list[Endpoint]] = {tag: [] for tag in TAGS}
    for one in found:
        by_tag[tag_of(one)].append(one)
    for tag, mine in by_tag.items():
        lines += ["", f"## {tag}", "", TAGS[tag]]
        for one in mine:
            lines += _endpoint(one)
    lines += ["", "## Jobs", "", "| name | schedule | what it does |", "| --- | --- | --- |"]
    for one_job in scheduled:
        first = " ".join(one_job.document.strip().partition("\n\n")[0].split())
        lines.append(f"| `{one_job.name}` | `{one_job.schedule}` | {cell(first)} |")
    return "\n".join(lines) + "\n"


def _endpoint(one: Endpoint) -> list[str]:
    summary, description = texts_of(one)
    lines = ["", f"### {one.name}", "", f"`{one.method} {one.path}` → {one.status}", "", summary]
    if description:
        lines += ["", description]
    lines += ["", f"- Permission: {'none, anyone may' if one.permission == PUBLIC else f'`{one.permission}`'}"]
    if one.idempotency:
        lines.append(f"- `Idempotency-Key`: {one.idempotency}")
    if one.if_match:
        lines.append(f"- `If-Match`: {one.if_match}")
    if one.headers:
        lines.append(f"- Headers: {', '.join(f'`{name}`' for name in one.headers)}")
    if one.query_names:
        lines.append(f"- Query: {', '.join(f'`{name}`' for name in one.query_names)}")
    lines.append(f"- Errors: {', '.join(f'[`{code}`](errors.md#{code}) {CODES[code][0]}' for code in codes_of(one))}")
    return lines


def errors_page(found: list[Endpoint]) -> str:
    lines = ["# Errors", NOTICE]
    lines += [
        "Every error is a problem of RFC 9457 (`application/problem+json`). `code` is stable; `detail` is the sentence",
        "below in the language of `Accept-Language` (en, el, tr, ne), with its `{placeholders}` filled in.",
        "",
        "| code | status | title | sentence | members |",
        "| --- | --- | --- | --- | --- |",
    ]
    sentences = messages("en")
    for code, (status, title) in CODES.items():
        members = ", ".join(f"`{name}`" for name in MEMBERS.get(code, {}))
        anchor = f'<a id="{code}"></a>`{code}`'
        lines.append(f"| {anchor} | {status} | {title} | {cell(sentences[code])} | {members} |")
    after = ", ".join(f"`{code}` {seconds} s" for code, seconds in RETRY_AFTER_SECONDS.items())
    lines += [
        "",
        f"With `Retry-After`: {after}, `rate_limited` until its window ends.",
        "",
        "## Given by an endpoint's own rules",
        "",
    ]
    lines += ["| code | endpoints |", "| --- | --- |"]
    for code in CODES:
        users = [f"[{one.name}](endpoints.md#{one.name})" for one in found if code in one.errors]
        if users:
            lines.append(f"| `{code}` | {', '.join(users)} |")
    lines += ["", "## Codes within `errors` of `invalid`", "", "| code | sentence |", "| --- | --- |"]
    for key, sentence in sentences.items():
        if key.startswith("invalid."):
            lines.append(f"| `{key.removeprefix('invalid.')}` | {cell(sentence)} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text as a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ").replace(os.linesep, " ")
