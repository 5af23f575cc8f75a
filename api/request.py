"""What came in: the body and the query as values, within bounds, or the problem that says what is wrong with them."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import ValidationError
from pydantic_core import from_json

from api.problems import Problem, invalid
from api.shapes import BUYERS_EMAIL_FORM, EMAIL_FORM, PHONE_FORM, TIME_FORM

BODY_BYTES_MAX: Final = 256 * 1024
QUERY_BYTES_MAX: Final = 8 * 1024
DEPTH_MAX: Final = 64
_FORMS: Final = {EMAIL_FORM: "email", BUYERS_EMAIL_FORM: "email", PHONE_FORM: "phone", TIME_FORM: "time_form"}
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_canonical: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


def wrong_shape(error: ValidationError) -> Problem:
    return Problem(
        "invalid",
        errors=[
            (
                "".join([_pointed(part) for part in one["loc"]]),
                _code(one["type"], ctx := one.get("ctx", {})),
                _context(ctx),
            )
            for one in error.errors(include_url=False, include_input=False)[:20]
        ],
    )


def _code(kind: str, context: dict[str, Any]) -> str:
    """The rule that was broken: a form that people know by a name is told by it."""
    return _FORMS.get(context["pattern"], kind) if kind == "string_pattern_mismatch" else kind


def _context(found: dict[str, Any]) -> dict[str, Any]:
    """What pydantic says of the rule, without the English "or" before the last of the values that are allowed."""
    return {**found, "expected": found["expected"].replace(" or ", ", ")} if "expected" in found else found


def _pointed(name: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


async def json_body(receive: Any, headers: dict[bytes, bytes]) -> tuple[dict[str, Any], bytes]:
    """The body and its canonical form. Raises 400, 413, 415 or 422; an empty body is an empty object."""
    raw, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("malformed_json")  # the rest will never come, and half a request is none
        raw, more = raw + message.get("body", b""), message.get("more_body", False)
        if len(raw) > BODY_BYTES_MAX:
            raise Problem("payload_too_large")
    if not raw:
        return {}, b"{}"
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Problem("unsupported_media_type")
    try:
        values = from_json(raw, allow_inf_nan=False)
        text = _canonical(values)
        canonical = text.encode()
    except (ValueError, RecursionError):
        raise Problem("malformed_json") from None
    if not isinstance(values, dict):
        raise invalid("", "object")
    if text.count("[") + text.count("{") > DEPTH_MAX and not _shallow(values):
        raise invalid("", "recursion_loop")
    if "\\u0000" in text and _NUL.search(text):
        raise invalid("", "nul")
    return values, canonical


def _shallow(value: Any) -> bool:
    """Whether lists and objects stand at most DEPTH_MAX deep in each other; deeper ones break what comes later."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def query_of(raw: bytes, names: tuple[str, ...] | None) -> dict[str, str]:
    """The query string. Raises 422 for a repeated parameter, or one that is not in `names` (None = the shape says)."""
    if not raw:
        return {}
    found: dict[str, str] = {}
    try:
        if len(raw) > QUERY_BYTES_MAX:
            raise ValueError("too long")
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise invalid("", "query") from None
    for name, value in pairs:
        if name in found:
            raise invalid(_pointed(name), "repeated")
        if "\0" in value:
            raise invalid(_pointed(name), "nul")
        if names is not None and name not in names:
            raise invalid(_pointed(name), "extra_forbidden")
        found[name] = value
    return found
