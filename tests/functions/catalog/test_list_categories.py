"""GET /categories."""

from tests.functions.catalog.support import category
from tests.shop import Shop


def test_shows_the_tree_in_the_shops_order(shop: Shop) -> None:
    food = category(shop, "food", display_order=2)
    honey = category(shop, "honey", food, display_order=1, image_url="/h.jpg", icon_url="/h.svg")
    category(shop, "gone", deleted_at="2026-11-01T00:00:00.000Z")
    reply = shop.get("/categories")
    assert reply.status == 200
    assert reply.body == {
        "items": [
            {
                "id": honey,
                "name": "Honey",
                "slug": "honey",
                "parent_id": food,
                "level": 1,
                "path": f"/{food}/{honey}/",
                "image_url": "/h.jpg",
                "icon_url": "/h.svg",
                "display_order": 1,
            },
            {
                "id": food,
                "name": "Food",
                "slug": "food",
                "parent_id": None,
                "level": 0,
                "path": f"/{food}/",
                "image_url": None,
                "icon_url": None,
                "display_order": 2,
            },
        ],
        "next_cursor": None,
    }
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_pages_lose_and_repeat_nothing(shop: Shop) -> None:
    made = [category(shop, f"c-{number}", display_order=number % 3 - 1) for number in range(25)]
    found: list[tuple[int, str]] = []
    cursor = ""
    while cursor is not None:
        body = shop.get(f"/categories?limit=4{cursor and '&cursor=' + cursor}").body
        found += [(item["display_order"], item["id"]) for item in body["items"]]
        cursor = body["next_cursor"]
    assert found == sorted(found)
    assert sorted(one for _, one in found) == sorted(made)


def test_refuses_a_cursor_of_another_list(shop: Shop) -> None:
    for number in range(3):
        category(shop, f"c-{number}")
    cursor = shop.get("/categories?limit=1").body["next_cursor"]
    assert shop.get(f"/collections?limit=1&cursor={cursor}").status == 422
    assert shop.get(f"/categories?limit=1&cursor={cursor}").status == 200
    assert shop.get("/categories?parent=x").status == 422
