"""GET /products?q=: what people type in four languages, and what nobody should."""

from urllib.parse import quote

import pytest

from tests.functions.catalog.support import listed, producer, product
from tests.shop import Shop

FOUND = [
    # Greek: case, accents, final sigma
    ("Θυμαρίσιο Μέλι", "θυμαρισιο"),
    ("Θυμαρίσιο Μέλι", "ΜΈΛΙ"),
    ("Θυμαρίσιο Μέλι", "μελ"),
    ("Χυμός", "χυμοσ"),
    ("Χυμός", "ΧΥΜΟΣ"),
    # Turkish: both i, all four spellings
    ("Isırgan Çayı", "ısırgan"),
    ("Isırgan Çayı", "isirgan cayi"),
    ("İncir Reçeli", "INCIR"),
    ("İncir Reçeli", "incir receli"),
    ("Şeker", "seker"),
    # Nepali: the vowel signs are letters
    ("दार्जीलिङ चिया", "चिया"),
    ("दार्जीलिङ चिया", "दार्जी"),
    # Arabic: vowel points and tatweel
    ("زَيْتُون", "زيتون"),
    ("زيتون", "زَيْتُون"),
    ("عســـل", "عسل"),
    ("أرز", "ارز"),
    # Latin
    ("Crème brûlée", "creme BRULEE"),
    ("Straße", "strasse"),
    ("Ｔｅａ", "tea"),
]


@pytest.mark.parametrize(("title", "query"), FOUND)
def test_finds_words_however_they_are_spelled(shop: Shop, title: str, query: str) -> None:
    product(shop, title)
    product(shop, "Something else")
    assert listed(shop, f"q={quote(query)}") == [title]


@pytest.mark.parametrize(
    ("title", "query"),
    [("दार्जीलिङ चिया", "चाय"), ("कमल", "किमल"), ("गाई", "गाउ"), ("Honey", "oney"), ("Honey", "honeyx")],
)
def test_does_not_find_other_words(shop: Shop, title: str, query: str) -> None:
    product(shop, title)
    assert listed(shop, f"q={quote(query)}") == []


def test_every_word_must_begin_a_word_somewhere(shop: Shop) -> None:
    product(shop, "Thyme honey", summary="Dark and strong", search_keywords=["bee"], sku="HON-500")
    product(shop, "Pine honey")
    assert listed(shop, "q=hon%20thy") == ["Thyme honey"]
    assert listed(shop, "q=honey%20stron") == ["Thyme honey"]
    assert listed(shop, "q=hon-500") == ["Thyme honey"]
    assert listed(shop, "q=bee%20pine") == []
    assert sorted(listed(shop, "q=honey")) == ["Pine honey", "Thyme honey"]


def test_finds_by_the_producers_name(shop: Shop) -> None:
    product(shop, "Oil", producer_id=producer(shop, "mani", name="Μάνη Οργανικά"))
    assert listed(shop, f"q={quote('μανη')}") == ["Oil"]


def test_an_empty_box_asks_for_everything(shop: Shop) -> None:
    product(shop, "One")
    assert listed(shop, "q=") == listed(shop, "q=%20%20") == ["One"]


@pytest.mark.parametrize(
    "query",
    ["!", "-", "...", "😀", '"', '""', "'", "*", "()", "{}", "^", "\\", ":", "+", "´", "—", "\t\n.", "؟", "।"],
)
def test_without_a_letter_nothing_is_found(shop: Shop, query: str) -> None:
    product(shop, "One")
    assert listed(shop, f"q={quote(query)}") == []


@pytest.mark.parametrize(
    "query",
    [
        '"',
        '" OR title:*',
        "a OR b",
        "a AND",
        "NOT a",
        "NEAR(a b, 2)",
        "title : a",
        "{title body} : a",
        "^a",
        "a*",
        "a + b",
        "(a",
        "a'; DROP TABLE products; --",
        "%' OR 1=1 --",
        "a\\",
        "a\u0301\u0301\u0301",
        "\u202ea",
        "😀a",
        "\ufffd\uffff",
        "a b " * 50,
        "x" * 200,
        "𝔞𝔟𝔠",
        "가나다",
        "ﷺ" * 200,
    ],
)
def test_nothing_typed_is_syntax(shop: Shop, query: str) -> None:
    product(shop, "One")
    reply = shop.get(f"/products?q={quote(query)}")
    assert reply.status == 200
    assert reply.body["items"] == []
    assert shop.one("SELECT count(*) FROM products") == 1


def test_words_follow_every_change(shop: Shop) -> None:
    made = product(shop, "Honey")
    key = {"api_key": shop.admin}
    shop.patch_(f"/products/{made['id']}", {"title": "Μέλι", "summary": "Sweet"}, if_match=1, **key)
    assert (listed(shop, "q=honey"), listed(shop, f"q={quote('μελι')}")) == (["Μέλι"], ["Μέλι"])  # its SKU is HONEY
    variant = shop.post(f"/products/{made['id']}/variants", {"sku": "JAR-9", "title": "Amphora"}, **key).body
    assert listed(shop, "q=amphora") == listed(shop, "q=jar-9") == ["Μέλι"]
    shop.patch_(f"/variants/{variant['id']}", {"title": "Bottle", "sku": "B"}, if_match=3, **key)
    assert (listed(shop, "q=amphora"), listed(shop, "q=jar"), listed(shop, "q=bottle")) == ([], [], ["Μέλι"])
    shop.delete(f"/variants/{variant['id']}", if_match=4, **key)
    assert listed(shop, "q=bottle") == []
    shop.delete(f"/products/{made['id']}", if_match=5, **key)
    assert listed(shop, f"q={quote('μελι')}") == []
    assert shop.one("SELECT count(*) FROM product_search_texts") == 0
    shop.execute("INSERT INTO product_search (product_search) VALUES ('integrity-check')")
