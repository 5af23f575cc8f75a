"""The OpenAPI 3.1 document, derived from what the endpoints declare. For commands and tests, never for a function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from types import NoneType
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from api import openapi_parts as parts
from api.auth import PERSON, PUBLIC, SIGNED_IN
from api.endpoint import Endpoint
from api.problems import CODES, RETRY_AFTER_SECONDS
from api.shapes import Page

Json = dict[str, Any]
TAGS: Final = {
    "catalog": "What is for sale: products, variants, categories, collections.",
    "carts": "Carts of guests and owners.",
    "sale": "From a cart or lines to an order.",
    "orders": "Orders and their way to the customer.",
    "auth": "Accounts and sessions: register, log in, refresh, a new password, sign-in through others.",
    "me": "What a person who has logged in sees and changes of their own.",
    "users": "People, for staff: their status, roles and permissions.",
    "roles": "Roles and what they may.",
    "audit": "Who did what, and what happened to accounts.",
    "stock": "What can be sold, what is held, and every change of it.",
    "analytics": "Events and their daily sums.",
    "service": "The service itself.",
}
_TAG_ORDER: Final = list(TAGS).index
_ROOT_TAGS: Final = {"checkout": "sale", "quote_checkout": "sale"}


class _Schemas(GenerateJsonSchema):
    """Without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(endpoints: Iterable[Endpoint], version: str) -> Json:
    """The whole document. The same endpoints give the same text, in whatever order they come."""
    found = sorted(endpoints, key=lambda one: (one.path, one.method))
    schemas, definitions = _schemas(found)
    paths: Json = {}
    responses: Json = {}
    for one in found:
        asked = _resolved(schemas[one.name, "validation"], definitions)
        answered = schemas.get((one.name, "serialization"))
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, asked, answered, definitions, responses)
    made: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Tallystick", "version": version, "summary": parts.SUMMARY, "description": parts.HABITS},
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": TAGS[name]} for name in sorted({tag_of(one) for one in found}, key=_TAG_ORDER)
        ],
        "paths": paths,
        "components": {
            "schemas": {**definitions, **parts.SCHEMAS},
            "responses": dict(sorted(responses.items())),
            "parameters": parts.PARAMETERS,
            "headers": parts.HEADERS,
            "securitySchemes": parts.SECURITY,
        },
    }
    _prune(made)
    return made


def codes_of(endpoint: Endpoint) -> list[str]:
    """Every code that the endpoint can give, those that follow from its declaration included, by status."""
    codes = {"method_not_allowed", "unauthenticated", "invalid", "internal", "busy", *endpoint.errors}
    if endpoint.permission not in (PUBLIC, SIGNED_IN):
        codes.add("forbidden")
    if endpoint.path_names:
        codes.add("not_found")
    if endpoint.reads_body:
        codes |= {"malformed_json", "payload_too_large", "unsupported_media_type", "missing_reference"}
    if endpoint.method != "GET":
        codes |= {"outcome_unknown", "csrf_token_invalid"}
    if endpoint.step_up:
        codes.add("step_up_required")
    if endpoint.idempotency:
        codes.add("idempotency_key_reused")
    if endpoint.idempotency == "required":
        codes.add("idempotency_key_required")
    if endpoint.if_match:
        codes.add("stale_version")
    if endpoint.if_match == "required":
        codes.add("precondition_required")
    return sorted(codes, key=list(CODES).index)


def tag_of(endpoint: Endpoint) -> str:
    """The folder that the endpoint's file stands in; the journeys at the root have names of their own."""
    folders = endpoint.module.split(".")[1:-1]
    return folders[0] if folders else _ROOT_TAGS.get(endpoint.name, "service")


def texts_of(endpoint: Endpoint) -> tuple[str, str]:
    """Summary and description: the first paragraph of the handler module's docstring without its route; the rest."""
    first, _, rest = endpoint.document.strip().partition("\n\n")
    first = " ".join(first.split()).removeprefix(f"{endpoint.method} {endpoint.path}").lstrip(": ")
    return first[:1].upper() + first[1:], rest.strip()


def _schemas(found: Sequence[Endpoint]) -> tuple[dict[tuple[str, JsonSchemaMode], Json], Json]:
    """The schema of each request and response, and the definitions that they share."""
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
    for one in found:
        wanted.append((one.name, "validation", TypeAdapter(one.request)))
        if one.response not in (None, NoneType):
            wanted.append((one.name, "serialization", TypeAdapter(one.response)))
    schemas, shared = TypeAdapter.json_schemas(
        wanted, ref_template="#/components/schemas/{model}", schema_generator=_Schemas
    )
    return schemas, shared.get("$defs", {})


def _resolved(schema: Json, definitions: Json) -> Json:
    reference: str = schema.get("$ref", "")
    found: Json = definitions[reference.rpartition("/")[2]] if reference else schema
    return found


def _operation(one: Endpoint, asked: Json, answered: Json | None, definitions: Json, responses: Json) -> Json:
    summary, description = texts_of(one)
    operation: Json = {"operationId": one.name, "tags": [tag_of(one)], "summary": summary}
    if description:
        operation["description"] = description
    operation["security"] = _security(one)
    if one.permission != PUBLIC:
        operation["x-permission"] = one.permission
    operation["parameters"] = _parameters(one, asked)
    if one.reads_body:
        operation["requestBody"] = _body(one, asked, definitions)
    operation["responses"] = {
        str(one.status): _success(one, answered, definitions),
        **{str(status): _problem(one, status, codes, responses) for status, codes in _by_status(one).items()},
    }
    return operation


def _security(one: Endpoint) -> list[Json]:
    ways: list[Json] = [{}] if one.permission == PUBLIC else []
    cookie: Json = {"accessCookie": []} if one.method == "GET" else {"accessCookie": [], "csrfToken": []}
    ways += [{"accessToken": []}, cookie]
    if one.permission != PERSON:
        ways.append({"apiKey": []})
    if "x-cart-token" in {name.lower() for name in one.headers}:
        ways.append({"cartToken": []})
    return ways


def _parameters(one: Endpoint, asked: Json) -> list[Json]:
    properties, required = asked.get("properties", {}), asked.get("required", [])
    found = [_parameter(name, "path", properties[name], required=True) for name in one.path_names]
    found += [
        _parameter(name, "query", properties[name], required=name in required)
        for name in properties
        if name in one.query_names
    ]
    if one.idempotency:
        found.append(parts.parameter("IdempotencyKey" if one.idempotency == "required" else "IdempotencyKeyOptional"))
    if one.method == "GET":
        found.append(parts.parameter("ReadAfter"))
    if one.if_match:
        found.append(parts.parameter("IfMatch" if one.if_match == "required" else "IfMatchOptional"))
    # X-Cart-Token stands under `security`: it says who calls.
    others = [name for name in one.headers if name.lower() != "x-cart-token"]
    found += [{"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in others]
    return [*found, parts.parameter("AcceptLanguage"), parts.parameter("RequestId")]


def _parameter(name: str, place: str, schema: Json, *, required: bool) -> Json:
    """One parameter. A value that may be left out is never null in a URL."""
    schema = dict(schema)
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema = {**kinds[0], **schema}
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    made: Json = {"name": name, "in": place, "required": required}
    if text := schema.pop("description", None):
        made["description"] = text
    return {**made, "schema": schema}


def _body(one: Endpoint, asked: Json, definitions: Json) -> Json:
    elsewhere = {*one.path_names, *one.query_names}
    required = [name for name in asked.get("required", []) if name not in elsewhere]
    if elsewhere & asked.get("properties", {}).keys() or not asked.get("properties"):
        schema: Json = {key: value for key, value in asked.items() if key not in ("properties", "required")}
        schema["properties"] = {
            name: value for name, value in asked.get("properties", {}).items() if name not in elsewhere
        }
        if required:
            schema["required"] = required
    else:
        name = next(name for name, definition in definitions.items() if definition is asked)
        schema = {"$ref": f"#/components/schemas/{name}"}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _success(one: Endpoint, answered: Json | None, definitions: Json) -> Json:
    headers = ["X-Request-Id", "Server-Timing", "Cache-Control"]
    if one.status == 201:
        headers.append("Location")
    if one.idempotency:
        headers.append("Idempotency-Replayed")
    if one.method != "GET":
        headers.append("Read-After")
    if "rate_limited" in one.errors:
        headers += parts.LIMIT_HEADERS
    description = {200: "Done.", 201: "Made.", 202: "Taken.", 204: "Gone."}[one.status]
    made: Json = {"description": description, "headers": parts.headers(headers)}
    if answered is None or one.status == 204:
        return made
    if "version" in _resolved(answered, definitions).get("properties", {}):
        headers.append("ETag")
    if _is_page(one.response):
        headers.append("Link")
    made["headers"] = parts.headers(headers)
    made["content"] = {"application/json": {"schema": answered}}
    return made


def _is_page(response: Any) -> bool:
    return isinstance(response, type) and issubclass(response, Page)


def _by_status(one: Endpoint) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code in codes_of(one):
        found.setdefault(CODES[code][0], []).append(code)
    return found


def _problem(one: Endpoint, status: int, codes: list[str], responses: Json) -> Json:
    """The response of a status: shared if it follows from a declaration alone, spelt out if some are its own."""
    properties: Json = {"status": {"const": status}, "code": {"enum": codes}}
    for code in codes:
        properties.update(parts.MEMBERS.get(code, {}))
    headers = ["X-Request-Id", "Server-Timing", "Cache-Control"]
    if status == 429 or any(code in RETRY_AFTER_SECONDS for code in codes):
        headers.append("Retry-After")
    if status == 429:
        headers += parts.LIMIT_HEADERS
    if status == 401:
        headers.append("WWW-Authenticate")
    made: Json = {
        "description": "; ".join(f"{CODES[code][1]} (`{code}`)" for code in codes) + ".",
        "headers": parts.headers(headers),
        "content": {
            "application/problem+json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": properties}]}
            }
        },
    }
    if set(codes) & set(one.errors):
        return made
    name = "_or_".join(codes)
    responses[name] = made
    return {"$ref": f"#/components/responses/{name}"}


def _prune(made: Json) -> None:
    """Leave out components that nothing refers to."""
    components = made["components"]
    while True:
        used = set(_references(made))
        idle = [
            (kind, name)
            for kind, members in components.items()
            if kind != "securitySchemes"
            for name in members
            if f"#/components/{kind}/{name}" not in used
        ]
        if not idle:
            break
        for kind in {kind for kind, _ in idle}:
            unused = {name for other, name in idle if other == kind}
            components[kind] = {name: one for name, one in components[kind].items() if name not in unused}
    for kind in components:
        components[kind] = dict(sorted(components[kind].items()))
    assert all(re.fullmatch(r"[\w.-]+", name) for members in components.values() for name in members)


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "$ref" and isinstance(member, str):
                yield member
            else:
                yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)
