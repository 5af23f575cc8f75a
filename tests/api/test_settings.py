"""The environment, read once."""

import pytest

from api.settings import Settings, SettingsError, read_settings, settings

KEY = "0123456789abcdef0123456789abcdef"


def read(**values: str) -> Settings:
    return read_settings({"SECRET_KEY": KEY, **values})


def test_only_the_secret_has_to_be_given() -> None:
    found = read()
    assert found.secret_key == (KEY.encode(),)
    assert (found.database_url, found.default_currency) == ("sqlite:///.tallystick/shop.db", "EUR")
    assert (found.unpaid_order_ttl, found.cart_ttl) == (86_400, 1_209_600)
    assert (found.query_timeout_ms, found.slow_query_ms) == (10_000, 200)
    assert (found.database_pool_min, found.database_pool_max) == (5, 20)
    assert (found.allowed_origins, found.log_level, found.stage) == ((), "info", "development")
    assert found.metrics_namespace == "Tallystick"


def test_everything_can_be_given() -> None:
    found = read(
        SECRET_KEY=f"{KEY}new , {KEY}old", DATABASE_URL="sqlite:////data/shop.db", DEFAULT_CURRENCY="JPY",
        UNPAID_ORDER_TTL="0", CART_TTL="60", QUERY_TIMEOUT_MS="30000", SLOW_QUERY_MS="1", DATABASE_POOL_MIN="1",
        DATABASE_POOL_MAX="1", ALLOWED_ORIGINS="https://a.example, ,https://b.example", LOG_LEVEL="debug",
        STAGE="production", METRICS_NAMESPACE="Tallystick/shop-1",
    )  # fmt: skip
    assert found.secret_key == (f"{KEY}new".encode(), f"{KEY}old".encode())
    assert found.allowed_origins == ("https://a.example", "https://b.example")
    assert (found.unpaid_order_ttl, found.default_currency, found.stage) == (0, "JPY", "production")
    assert found.metrics_namespace == "Tallystick/shop-1"
    assert read(METRICS_NAMESPACE="").metrics_namespace == ""


WRONG = [
    ("SECRET_KEY", ""), ("SECRET_KEY", "short"), ("SECRET_KEY", f"{KEY},short"), ("SECRET_KEY", " , "),
    ("DEFAULT_CURRENCY", "eur"), ("DEFAULT_CURRENCY", "EURO"), ("DEFAULT_CURRENCY", "ΕΥΡ"), ("DEFAULT_CURRENCY", ""),
    ("DATABASE_URL", "postgres://x"), ("DATABASE_URL", "sqlite://"), ("DATABASE_URL", "shop.db"),
    ("CART_TTL", "59"), ("CART_TTL", "1e3"), ("CART_TTL", "-60"), ("CART_TTL", ""), ("CART_TTL", "٦٠"),
    ("CART_TTL", " 60"), ("CART_TTL", "9" * 5_000), ("QUERY_TIMEOUT_MS", "30001"), ("SLOW_QUERY_MS", "0"),
    ("DATABASE_POOL_MAX", "0"), ("DATABASE_POOL_MAX", "4"), ("LOG_LEVEL", "loud"), ("STAGE", "prod"),
    ("UNPAID_ORDER_TTL", "31536001"), ("METRICS_NAMESPACE", "AWS/Lambda"), ("METRICS_NAMESPACE", ":shop"),
    ("METRICS_NAMESPACE", "shop one"), ("METRICS_NAMESPACE", "σοπ"), ("METRICS_NAMESPACE", "x" * 256),
    ("METRICS_NAMESPACE", "shop\n"), ("GITHUB_URL", "github.com"), ("GITHUB_URL", "https://github.com/x"),
    ("GOOGLE_URL", "ftp://x"), ("GOOGLE_URL", "https://a@b"), ("GOOGLE_URL", "https://a b"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_refuses_what_is_wrong_and_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as told:
        read(**{name: value})
    assert ("DATABASE_POOL_M" if name == "DATABASE_POOL_MAX" else name) in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "libsql://shop-acme.turso.io", "libsql://127.0.0.1:8080?tls=0", "libsql://127.0.0.1:8080/shop?tls=0",
        "libsql://[::1]:8080/shop?tls=0", "libsql://shop.example/", "d1://gateway.acme.workers.dev/shop",
        "d1://127.0.0.1:8787/shop?tls=0", "d1://api.cloudflare.com/0123abc/4567-def", "sqlite:////data/a shop.db",
    ],
)  # fmt: skip
def test_takes_the_urls_of_all_engines(url: str) -> None:
    assert read(DATABASE_URL=url, DATABASE_TOKEN="t" * 400).database_url == url


@pytest.mark.parametrize(
    "url",
    [
        "libsql://", "libsql:///shop", "libsql://user:secret@host/shop", "libsql://secret@host", "d1://host",
        "d1://host/a/b/c", "d1://host/shop/../x", "libsql://host/a/b", "libsql://host?authToken=secret",
        "libsql://host?tls=2", "libsql://host#x", "libsql://host:999999", "https://host", "libsql://ho st", "",
        "libsql://host/shop\nx",
    ],
)  # fmt: skip
def test_refuses_other_urls_without_showing_them(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as told:
        read(DATABASE_URL=url)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "replica"),
    [
        ("sqlite:///shop.db", "libsql://host"), ("libsql://host", "d1://host/shop"), ("libsql://host", "http://host"),
        ("d1://host/shop", "d1://host/shop"), ("libsql://host", "sqlite:///shop.db"),
    ],
)  # fmt: skip
def test_refuses_a_replica_of_another_engine(url: str, replica: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_REPLICA_URL"):
        read(DATABASE_URL=url, DATABASE_REPLICA_URL=replica)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "τόκεν", "tab\t"])
def test_refuses_a_token_that_no_header_carries(token: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_TOKEN") as told:
        read(DATABASE_TOKEN=token)
    assert token not in str(told.value)


def test_names_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        read_settings({"CART_TTL": "x", "STAGE": "y"})
    assert all(name in str(told.value) for name in ("SECRET_KEY", "CART_TTL", "STAGE"))


def test_a_refusal_does_not_show_the_secret() -> None:
    with pytest.raises(SettingsError) as told:
        read(SECRET_KEY="hunter2")
    assert "hunter2" not in str(told.value)


def test_are_read_once_and_again_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    monkeypatch.setenv("CART_TTL", "100")
    assert settings().cart_ttl == 100
    monkeypatch.setenv("CART_TTL", "200")
    assert settings().cart_ttl == 100
    settings.cache_clear()
    assert settings().cart_ttl == 200
    monkeypatch.undo()
    settings.cache_clear()


def test_where_people_sign_in_through_is_encrypted_in_production() -> None:
    for name in ("GITHUB_URL", "GOOGLE_URL"):
        assert read(**{name: "http://127.0.0.1:8001"}).oauth[name.partition("_")[0].lower()][2].startswith("http:")
        with pytest.raises(SettingsError, match=name):
            read(STAGE="production", **{name: "http://127.0.0.1:8001"})
        read(STAGE="production", **{name: "https://github.example"})
    assert read().oauth == {"github": ("", "", "https://github.com"), "google": ("", "", "")}
