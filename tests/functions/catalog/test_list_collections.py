"""GET /collections."""

from tests.functions.catalog.support import collection
from tests.shop import Shop


def test_shows_active_collections_in_the_shops_order(shop: Shop) -> None:
    later = collection(shop, "later", display_order=5, image_url="/l.jpg")
    first = collection(shop, "first", display_order=-5)
    collection(shop, "draft", status="DRAFT")
    collection(shop, "old", status="ARCHIVED")
    collection(shop, "gone", deleted_at="2026-11-01T00:00:00.000Z")
    reply = shop.get("/collections")
    shared = {"status": "ACTIVE"}
    assert reply.body == {
        "items": [
            {"id": first, "name": "First", "slug": "first", "image_url": None, "display_order": -5, **shared},
            {"id": later, "name": "Later", "slug": "later", "image_url": "/l.jpg", "display_order": 5, **shared},
        ],
        "next_cursor": None,
    }
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_pages_lose_and_repeat_nothing(shop: Shop) -> None:
    made = [collection(shop, f"c-{number}", display_order=number % 4) for number in range(22)]
    found: list[tuple[int, str]] = []
    cursor = ""
    while cursor is not None:
        body = shop.get(f"/collections?limit=5{cursor and '&cursor=' + cursor}").body
        found += [(item["display_order"], item["id"]) for item in body["items"]]
        cursor = body["next_cursor"]
    assert found == sorted(found)
    assert sorted(one for _, one in found) == sorted(made)


def test_refuses_invalid(shop: Shop) -> None:
    assert shop.get("/collections?limit=0").status == 422
    assert shop.get("/collections?cursor=x").status == 422
    assert shop.get("/collections?status=DRAFT").status == 422
