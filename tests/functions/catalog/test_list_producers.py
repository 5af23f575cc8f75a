"""GET /producers."""

from tests.functions.catalog.support import producer
from tests.shop import Shop


def test_shows_producers_by_name(shop: Shop) -> None:
    second = producer(shop, "b-farm", name="Μελισσοκομείο")
    first = producer(shop, "a-farm", name="Apiary", image_url="/a.jpg", description="Bees.")
    producer(shop, "gone", deleted_at="2026-11-01T00:00:00.000Z")
    reply = shop.get("/producers")
    assert reply.body == {
        "items": [
            {"id": first, "name": "Apiary", "slug": "a-farm", "image_url": "/a.jpg", "description": "Bees."},
            {"id": second, "name": "Μελισσοκομείο", "slug": "b-farm", "image_url": None, "description": ""},
        ],
        "next_cursor": None,
    }
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_pages_lose_and_repeat_nothing(shop: Shop) -> None:
    made = [producer(shop, f"p-{number}", name=f"Farm {number % 3}") for number in range(20)]
    found: list[tuple[str, str]] = []
    cursor = ""
    while cursor is not None:
        body = shop.get(f"/producers?limit=3{cursor and '&cursor=' + cursor}").body
        found += [(item["name"], item["id"]) for item in body["items"]]
        cursor = body["next_cursor"]
    assert found == sorted(found)
    assert sorted(one for _, one in found) == sorted(made)


def test_refuses_invalid(shop: Shop) -> None:
    assert shop.get("/producers?limit=101").status == 422
    assert shop.get("/producers?cursor=x").status == 422
    assert shop.get("/producers?name=x").status == 422
