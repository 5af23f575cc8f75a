"""Problems (RFC 9457): the one place where a code meets a status, a title and a sentence in the reader's language."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("en", "el", "tr", "ne")
TYPE_BASE: Final = "https://tallystick.dev/problems/"

# code: (status, title). Codes are public, never renamed and never reused for another meaning.
CODES: Final[dict[str, tuple[int, str]]] = {
    "malformed_json": (400, "Malformed JSON"),
    "idempotency_key_required": (400, "Idempotency key required"),
    "unauthenticated": (401, "Unauthenticated"),
    "invalid_credentials": (401, "Invalid credentials"),
    "two_factor_required": (401, "Two-factor code required"),
    "csrf_token_invalid": (403, "CSRF token invalid"),
    "forbidden": (403, "Forbidden"),
    "step_up_required": (403, "Step-up required"),
    "not_found": (404, "Not found"),
    "cart_not_found": (404, "Cart not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "already_exists": (409, "Already exists"),
    "cart_expired": (409, "Cart expired"),
    "cart_not_active": (409, "Cart not active"),
    "conflict": (409, "Conflict"),
    "illegal_transition": (409, "Illegal transition"),
    "last_admin": (409, "Last administrator"),
    "insufficient_stock": (409, "Insufficient stock"),
    "payment_exceeds_due": (409, "Payment exceeds what is due"),
    "price_changed": (409, "Price changed"),
    "primary_variant_required": (409, "Primary variant required"),
    "product_ordered": (409, "Product was ordered"),
    "variant_ordered": (409, "Variant was ordered"),
    "role_protected": (409, "Role protected"),
    "reservation_ended": (409, "Reservation ended"),
    "variant_not_for_sale": (409, "Variant not for sale"),
    "two_factor_enabled": (409, "Two-factor already on"),
    "token_used": (410, "Token used or expired"),
    "stale_version": (412, "Stale version"),
    "payload_too_large": (413, "Payload too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "cart_or_lines": (422, "Cart or lines"),
    "coupon_invalid": (422, "Coupon invalid"),
    "empty_order": (422, "Empty order"),
    "idempotency_key_reused": (422, "Idempotency key reused"),
    "invalid": (422, "Invalid"),
    "missing_reference": (422, "Missing reference"),
    "mixed_currency": (422, "Mixed currency"),
    "unknown_variant": (422, "Unknown variant"),
    "precondition_required": (428, "Precondition required"),
    "rate_limited": (429, "Rate limited"),
    "internal": (500, "Internal error"),
    "busy": (503, "Busy"),
    "provider_unavailable": (503, "Provider unavailable"),
    "unhealthy": (503, "Unhealthy"),
    "outcome_unknown": (503, "Outcome unknown"),
}
_WEIGHT: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?)\s*", re.I)
RETRY_AFTER_SECONDS: Final = {"busy": "1", "unhealthy": "5", "outcome_unknown": "1", "provider_unavailable": "5"}
"""A limit tells its own: until its window ends."""


class Problem(Exception):
    """An answer that is no success. `facts` become members; `errors` are (pointer, code, context) of invalid input."""

    def __init__(self, code: str, *, errors: list[tuple[str, str, dict[str, Any]]] | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts, self.errors = code, facts, errors

    @property
    def status(self) -> int:
        return CODES[self.code][0]

    def body(self, instance: str, languages: str) -> bytes:
        """The problem as JSON, its sentences in the first of `languages` (an Accept-Language header) that we speak."""
        status, title = CODES[self.code]
        language = speak(languages)
        members: dict[str, Any] = {
            "type": TYPE_BASE + self.code.replace("_", "-"),
            "title": title,
            "status": status,
            "code": self.code,
            "detail": sentence(self.code, language, self.facts),
            "instance": instance,
            **self.facts,
        }
        if self.errors is not None:
            members["errors"] = [
                {"pointer": pointer, "code": code, "detail": sentence(f"invalid.{code}", language, context)}
                for pointer, code, context in self.errors
            ]
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def invalid(pointer: str, code: str, **context: Any) -> Problem:
    """One wrong value of the request, at a JSON pointer (`/lines/0/quantity`; `/limit` for a query parameter)."""
    return Problem("invalid", errors=[(pointer, code, context)])


def speak(accept_language: str) -> str:
    """The language to answer in (RFC 9110 §12.5.4): the best weighted that we have, English otherwise."""
    best, best_weight = "en", 0.0
    for part in accept_language[:500].split(","):
        tag, *parameters = part.split(";")
        language = tag.strip().split("-")[0].lower()
        weight = 1.0
        for parameter in parameters:
            if parameter.strip()[:1] in ("q", "Q"):
                matched = _WEIGHT.fullmatch(parameter)
                weight = float(matched[1]) if matched else 0.0
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


@lru_cache(maxsize=len(LANGUAGES))
def messages(language: str) -> dict[str, str]:
    """Sentences by code; loaded when the first problem is told, not at import."""
    text = Path(__file__).with_name("messages").joinpath(f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def sentence(code: str, language: str, facts: dict[str, Any]) -> str:
    """The sentence of `code`; `{name}` stands for a fact. A code of invalid input without one gets the general one."""
    catalog = messages(language)
    text = catalog.get(code) or catalog["invalid.other"]
    for name, value in facts.items():
        text = text.replace("{" + name + "}", str(value))
    return text
