"""What the environment says, read once and refused with a clear message when wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from db.failpoints import VARIABLE as FAILPOINTS
from db.helper import URL_FORMS, engine_of
from domain.money import DIGITS

SECRET_BYTES_MIN = 32
BCRYPT_COST_MIN = 10
SMTP_FORM = re.compile(r"smtps?://([^:@/\s]+:[^@/\s]+@)?[^:@/\s]+(:[0-9]{1,5})?/?")


class SettingsError(ValueError):
    """The environment holds a value that the shop cannot start with; the text says which and what to write."""


class Settings(NamedTuple):
    """Every setting, under its environment variable's name in lower case. Durations in seconds unless named `_ms`."""

    database_url: str
    database_token: str
    """What an engine over HTTP asks for; empty for none."""
    database_replica_url: str
    """A libSQL replica for reads; empty for none."""
    secret_key: tuple[bytes, ...]
    """The first signs, all verify: rotate by putting a new one in front."""
    default_currency: str
    unpaid_order_ttl: int
    """Seconds until an unpaid order is cancelled by the job; 0 = never (payment on delivery)."""
    cart_ttl: int
    access_token_ttl: int
    refresh_token_ttl: int
    bcrypt_cost: int
    """Each step doubles the time that a password takes, and that a thief needs for each guess."""
    shop_url: str
    """Where people reach the shop in a browser; links in mail begin with it."""
    smtp_url: str
    """The server that takes our mail; empty: mail waits in the outbox."""
    mail_from: str
    github_client: tuple[str, str]
    """Id and secret of the application at GitHub; empty texts: nobody signs in through it."""
    google_client: tuple[str, str]
    github_url: str
    """Where GitHub is; another host is one's own GitHub Enterprise server, or a stand-in for tests."""
    google_url: str
    """Another than Google's stands for it altogether, as the issuer, too; empty for Google's own."""
    query_timeout_ms: int
    slow_query_ms: int
    database_pool_min: int
    database_pool_max: int
    allowed_origins: tuple[str, ...]
    log_level: str
    stage: str
    metrics_namespace: str
    """Of CloudWatch, where a function's metrics go; empty for none."""

    @property
    def oauth(self) -> dict[str, tuple[str, str, str]]:
        """By provider: the id and secret of our application there, and where it is."""
        return {"github": (*self.github_client, self.github_url), "google": (*self.google_client, self.google_url)}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of `environment`. Raises SettingsError naming every variable that is wrong."""
    wrong: list[str] = []

    def number(name: str, default: int, low: int, high: int) -> int:
        text = environment.get(name, str(default))
        if text.isascii() and text.isdigit() and len(text) <= 18 and low <= int(text) <= high:
            return int(text)
        wrong.append(f"{name}={text!r}: a whole number from {low} to {high}")
        return default

    def choice(name: str, default: str, *allowed: str) -> str:
        text = environment.get(name, default)
        if text not in allowed:
            wrong.append(f"{name}={text!r}: one of {', '.join(allowed)}")
        return text

    secrets = tuple(part.strip().encode() for part in environment.get("SECRET_KEY", "").split(",") if part.strip())
    if not secrets or any(len(secret) < SECRET_BYTES_MIN for secret in secrets):
        wrong.append(
            f"SECRET_KEY: {SECRET_BYTES_MIN} bytes or more (a comma list to rotate), e.g. of `openssl rand -hex 32`"
        )
    currency = environment.get("DEFAULT_CURRENCY", "EUR")
    if currency not in DIGITS:
        wrong.append(f"DEFAULT_CURRENCY={currency!r}: an ISO 4217 code such as EUR")
    url = environment.get("DATABASE_URL", "sqlite:///.tallystick/shop.db")
    token, replica = environment.get("DATABASE_TOKEN", ""), environment.get("DATABASE_REPLICA_URL", "")
    wrong += _wrong_with_database(url, token, replica)
    namespace = environment.get("METRICS_NAMESPACE", "Tallystick")
    # CloudWatch drops what it finds in a namespace of another form, and AWS/… is Amazon's own.
    if re.fullmatch(r"(?!AWS/)[A-Za-z0-9._/#-][A-Za-z0-9._/#:-]{0,254}|", namespace) is None:
        wrong.append(f"METRICS_NAMESPACE={namespace!r}: at most 255 letters, digits and . - _ / # : (empty for none)")
    settings = Settings(
        database_url=url,
        database_token=token,
        database_replica_url=replica,
        secret_key=secrets,
        default_currency=currency,
        unpaid_order_ttl=number("UNPAID_ORDER_TTL", 86_400, 0, 31_536_000),
        cart_ttl=number("CART_TTL", 1_209_600, 60, 31_536_000),
        access_token_ttl=number("ACCESS_TOKEN_TTL", 900, 60, 86_400),
        refresh_token_ttl=number("REFRESH_TOKEN_TTL", 2_592_000, 3_600, 31_536_000),
        bcrypt_cost=number("BCRYPT_COST", 12, 4, 16),
        shop_url=environment.get("SHOP_URL", "http://localhost:8000").rstrip("/"),
        smtp_url=environment.get("SMTP_URL", ""),
        mail_from=environment.get("MAIL_FROM", "shop@localhost"),
        github_client=_client(environment, "GITHUB"),
        google_client=_client(environment, "GOOGLE"),
        github_url=environment.get("GITHUB_URL", "https://github.com").rstrip("/"),
        google_url=environment.get("GOOGLE_URL", "").rstrip("/"),
        query_timeout_ms=number("QUERY_TIMEOUT_MS", 10_000, 10, 30_000),
        slow_query_ms=number("SLOW_QUERY_MS", 200, 1, 30_000),
        database_pool_min=number("DATABASE_POOL_MIN", 5, 1, 100),
        database_pool_max=number("DATABASE_POOL_MAX", 20, 1, 100),
        allowed_origins=tuple(
            part.strip() for part in environment.get("ALLOWED_ORIGINS", "").split(",") if part.strip()
        ),
        log_level=choice("LOG_LEVEL", "info", "debug", "info", "warning", "error"),
        stage=choice("STAGE", "development", "development", "test", "production"),
        metrics_namespace=namespace,
    )
    wrong += _wrong_with_people(settings)
    if settings.stage == "production" and environment.get(FAILPOINTS):
        wrong.append(f"{FAILPOINTS}: it lets processes die, for tests; not in production")
    if settings.database_pool_min > settings.database_pool_max:
        wrong.append("DATABASE_POOL_MIN: not above DATABASE_POOL_MAX")
    if wrong:
        raise SettingsError("the environment is wrong:\n  " + "\n  ".join(wrong))
    return settings


def _client(environment: Mapping[str, str], provider: str) -> tuple[str, str]:
    return environment.get(f"{provider}_CLIENT_ID", ""), environment.get(f"{provider}_CLIENT_SECRET", "")


def _wrong_with_people(settings: Settings) -> list[str]:
    wrong = []
    if settings.stage == "production" and settings.bcrypt_cost < BCRYPT_COST_MIN:
        wrong.append(f"BCRYPT_COST={settings.bcrypt_cost}: {BCRYPT_COST_MIN} or more in production")
    if re.fullmatch(r"https?://[^/?#\s@]+(/[^?#\s]*)?", settings.shop_url) is None:
        wrong.append(f"SHOP_URL={settings.shop_url!r}: https://host without a query, such as https://shop.example")
    if settings.smtp_url and SMTP_FORM.fullmatch(settings.smtp_url) is None:
        wrong.append("SMTP_URL: smtp://[user:password@]host[:port] or smtps://…, or nothing")
    if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", settings.mail_from) is None:
        wrong.append(f"MAIL_FROM={settings.mail_from!r}: an address such as shop@example.com")
    for provider, client in (("GITHUB", settings.github_client), ("GOOGLE", settings.google_client)):
        if bool(client[0]) != bool(client[1]):
            missing, given = ("ID", "SECRET") if client[1] else ("SECRET", "ID")
            wrong.append(f"{provider}_CLIENT_{given}: together with {provider}_CLIENT_{missing}, or neither")
    for name, url in (("GITHUB_URL", settings.github_url), ("GOOGLE_URL", settings.google_url)):
        secure = settings.stage != "production" or url.startswith("https://")
        if url and not (secure and re.fullmatch(r"https?://[^/?#\s@]+", url)):
            wrong.append(f"{name}={url!r}: https://host (http:// not in production)")
    return wrong


def _wrong_with_database(url: str, token: str, replica: str) -> list[str]:
    wrong = []
    if not is_url(url):
        wrong.append(f"DATABASE_URL: {URL_FORMS}")
    if not token.isascii() or not token.isprintable() or " " in token:
        wrong.append("DATABASE_TOKEN: a token of printable ASCII without spaces, or nothing")
    if replica and not (is_url(replica) and replica.startswith("libsql:") and url.startswith("libsql:")):
        form = "libsql://host[:port][/namespace] beside a DATABASE_URL of libSQL, or nothing"
        wrong.append(f"DATABASE_REPLICA_URL: {form}")
    return wrong


def is_url(text: str) -> bool:
    """Whether it names a database."""
    try:
        engine_of(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Tests that change the environment call `settings.cache_clear()`."""
    return read_settings(os.environ)
