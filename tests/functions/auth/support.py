"""People who log in, and what they are handed."""

from __future__ import annotations

import json
from typing import Any

from tests.shop import Reply, Shop

EMAIL = "eleni@example.com"
PASSWORD = "a stick split in two"
OTHER_PASSWORD = "the foil and the stock"
COUNTS = "rate_limits"
TRAIL = ("security_events", "personal_values")


def log_in(shop: Shop, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Reply:
    return shop.post("/auth/log-in", {"email": email, "password": password, **more})


def logged_in(shop: Shop, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Any:
    """The body of a log-in that must succeed."""
    reply = log_in(shop, email, password, **more)
    assert reply.status == 200, reply.text
    return reply.body


def refresh(shop: Shop, refresh_token: str) -> Reply:
    return shop.post("/auth/refresh", {"refresh_token": refresh_token})


def events(shop: Shop) -> list[tuple[str, str | None]]:
    """The security events so far: what happened, and to whom."""
    return [(kind, user) for kind, user in shop.rows("SELECT type, user_id FROM security_events ORDER BY rowid")]


def mails(shop: Shop) -> list[tuple[str, dict[str, Any]]]:
    """The mail in the outbox: its kind and what it says."""
    rows = shop.rows("SELECT topic, payload FROM outbox WHERE topic GLOB 'mail.*' ORDER BY rowid")
    return [(topic.removeprefix("mail."), json.loads(payload)) for topic, payload in rows]


def cookie(reply: Reply, name: str) -> tuple[str, set[str]]:
    """The value of a cookie that was set, and its attributes."""
    [text] = [one for one in reply.cookies if one.startswith(f"{name}=")]
    first, *attributes = text.split("; ")
    return first.partition("=")[2], set(attributes)
