"""What no endpoint declares: the parts of the OpenAPI document that are the same for all of them."""

from __future__ import annotations

from typing import Any, Final

from api.auth import ACCESS_COOKIE
from api.problems import LANGUAGES, TYPE_BASE

Json = dict[str, Any]

SUMMARY: Final = "A shop's back end that cannot sell a piece twice."
HABITS: Final = """\
Amounts are integers in the currency's minor unit beside an ISO 4217 code. Times are RFC 3339 in UTC with milliseconds.
Ids are TypeIDs; they sort by time and mean nothing else. Unknown fields and unknown query parameters are refused.

Lists take `limit` and `cursor`, and answer `items` and `next_cursor` with a `Link` header. Whatever has a `version`
answers with an `ETag`, to be sent back as `If-Match`. A request sent again with the same `Idempotency-Key` gets the
first answer again, with `Idempotency-Replayed: true`. Errors are problems of RFC 9457 with a stable `code`; their
`detail` follows `Accept-Language`.
"""

_VARIANT_ID: Final[Json] = {"type": "string", "description": "TypeID."}
_ERRORS: Final[Json] = {
    "errors": {"type": "array", "items": {"$ref": "#/components/schemas/InvalidValue"}},
}
_LINES: Final[Json] = {
    "lines": {
        "type": "array",
        "description": "The lines that it is about.",
        "items": {"$ref": "#/components/schemas/ProblemLine"},
    },
}

# code: members of its problem besides those that every problem has.
MEMBERS: Final[dict[str, Json]] = {
    "invalid": _ERRORS,
    "already_exists": _ERRORS,
    "missing_reference": _ERRORS,
    "payment_exceeds_due": {"due": {"type": "integer", "minimum": 0, "description": "What is still to be paid."}},
    "reservation_ended": {"reservation_status": {"enum": ["CONSUMED", "RELEASED", "EXPIRED"]}},
    "conflict": {"constraint": {"type": "string", "description": "The rule of the database that refused."}},
    "coupon_invalid": {
        "reason": {"enum": ["unknown", "expired", "not_started", "exhausted", "minimum_not_met", "already_used"]}
    },
    "illegal_transition": {
        "from": {"type": "string", "description": "The status that the order has."},
        "to": {"type": "string", "description": "The status that was asked for."},
    },
    "insufficient_stock": _LINES,
    "mixed_currency": {"currencies": {"type": "array", "items": {"type": "string"}}},
    "price_changed": {
        "total": {"type": "integer", "minimum": 0, "description": "The total as it is now, minor units."}
    },
    "rate_limited": {"limit": {"type": "string", "description": "Which limit it is, as `RateLimit-Policy` names it."}},
    "unhealthy": {
        "reason": {"type": "string"},
        "applied": {"type": "integer", "minimum": 0},
        "pending": {"type": "integer", "minimum": 0},
    },
    "unknown_variant": {"variant_id": _VARIANT_ID, **_LINES},
    "variant_not_for_sale": {"variant_id": _VARIANT_ID, **_LINES},
}

SCHEMAS: Final[Json] = {
    "Problem": {
        "title": "Problem",
        "description": "What went wrong, as RFC 9457 has it.",
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri", "examples": [TYPE_BASE + "insufficient-stock"]},
            "title": {"type": "string", "description": "A short English name of the code."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {"type": "string", "pattern": "^[a-z_]+$", "description": "Stable: what a program looks at."},
            "detail": {"type": "string", "description": "A sentence for people, in the language they asked for."},
            "instance": {"type": "string", "description": "The path of the request."},
        },
    },
    "InvalidValue": {
        "title": "InvalidValue",
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "additionalProperties": False,
        "properties": {
            "pointer": {
                "type": "string",
                "description": "JSON pointer into the request; `/limit` for a parameter, `/headers/…` for a header.",
                "examples": ["/lines/0/quantity"],
            },
            "code": {"type": "string", "examples": ["greater_than_equal"]},
            "detail": {"type": "string"},
        },
    },
    "ProblemLine": {
        "title": "ProblemLine",
        "type": "object",
        "required": ["variant_id"],
        "additionalProperties": False,
        "properties": {
            "variant_id": _VARIANT_ID,
            "requested": {"type": "integer", "minimum": 0, "description": "Pieces asked for."},
            "available": {"type": "integer", "minimum": 0, "description": "Pieces that can be sold."},
        },
    },
}

_KEY: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]([ -~]*[!-~])?$"}
_TAG: Final[Json] = {"type": "string", "pattern": '^(\\*|(W/)?"[0-9]{1,15}")$', "examples": ['"1"']}


def _header(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


_KEY_TEXT: Final = (
    "Chosen by the client, one for each intent: sent again with the same request, it gets the first answer."
)
_MATCH_TEXT: Final = "The `ETag` of the version that is to be changed."
PARAMETERS: Final[Json] = {
    "AcceptLanguage": _header(
        "Accept-Language",
        {"type": "string", "maxLength": 500, "examples": ["el"]},
        f"The language of `detail`: {', '.join(LANGUAGES)}; English otherwise.",
    ),
    "IdempotencyKey": _header("Idempotency-Key", _KEY, _KEY_TEXT, required=True),
    "IdempotencyKeyOptional": _header("Idempotency-Key", _KEY, _KEY_TEXT),
    "IfMatch": _header("If-Match", _TAG, _MATCH_TEXT, required=True),
    "IfMatchOptional": _header("If-Match", _TAG, _MATCH_TEXT),
    "ReadAfter": _header(
        "Read-After",
        {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "What a write answered in the header of this name: what is read is at least as new, though a replica answers.",
    ),
    "RequestId": _header(
        "X-Request-Id",
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9._:/+=-]+$"},
        "Comes back in the answer and stands in the logs; made here if none is sent.",
    ),
}
HEADERS: Final[Json] = {
    "Cache-Control": {"schema": {"const": "no-store"}},
    "ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}},
    "Idempotency-Replayed": {
        "description": "`true` if this is the first answer given again.",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {"description": 'The next page, `rel="next"` (RFC 8288).', "schema": {"type": "string"}},
    "Location": {"description": "The path of what was made.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "In any answer to which the limit applies: `r` tries left, `t` seconds until its window ends.",
        "schema": {"type": "string", "examples": ['"guest";r=9;t=1800']},
    },
    "RateLimit-Policy": {
        "description": "The limit: `q` tries in a window of `w` seconds.",
        "schema": {"type": "string", "examples": ['"guest";q=10;w=3600']},
    },
    "Read-After": {
        "description": "A token for later reads, where the database has replicas. Opaque.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "Server-Timing": {
        "description": "Milliseconds in the database; `desc` is the number of round trips.",
        "schema": {"type": "string", "examples": ['db;dur=0.42;desc="2"']},
    },
    "WWW-Authenticate": {"schema": {"const": "Bearer"}},
    "X-Request-Id": {"schema": {"type": "string"}},
}
LIMIT_HEADERS: Final = ["RateLimit", "RateLimit-Policy"]
SECURITY: Final[Json] = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` of a person's log-in.",
    },
    "accessCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": ACCESS_COOKIE,
        "description": "In a browser: set by a log-in with `cookies`.",
    },
    "csrfToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Beside the cookie: the `csrf_token` of the log-in.",
    },
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of a program, `sk_…`."},
    "cartToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Cart-Token",
        "description": "The secret `token` of a guest's cart, told once when the cart was made.",
    },
}


def parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def headers(names: list[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}
