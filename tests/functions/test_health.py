"""GET /health."""

from tests.engines.homes import ENGINE
from tests.shop import Shop


def test_health_tells_engine_foreign_keys_and_migrations(shop: Shop) -> None:
    reply = shop.get("/health")
    assert reply.status == 200
    applied = shop.one("SELECT count(*) FROM migrations")
    assert reply.body == {
        "status": "ok",
        "engine": ENGINE,
        "foreign_keys": True,
        "migrations": {"applied": applied, "pending": 0},
    }


def test_refuses_unhealthy_with_a_migration_pending(shop: Shop) -> None:
    shop.execute("DELETE FROM migrations WHERE version = (SELECT max(version) FROM migrations)")
    with shop.unchanged():
        reply = shop.get("/health")
    assert (reply.status, reply.body["code"], reply.body["reason"]) == (503, "unhealthy", "migrations")
    assert reply.body["pending"] == 1


def test_refuses_unhealthy_without_a_schema(shop: Shop) -> None:
    shop.execute("DROP TABLE migrations")
    reply = shop.get("/health")
    assert (reply.status, reply.body["code"], reply.body["reason"]) == (503, "unhealthy", "database")
