"""Addresses and cards of people, and what must hold for both."""

from typing import Any

from tests.shop import Reply, Shop

ADDRESS = {
    "label": "Home", "full_name": "Eleni", "phone": "+306912345678", "line1": "Ermou 1", "line2": None,
    "city": "Athens", "state": None, "postal_code": "10563", "country": "GR", "is_default": False,
}  # fmt: skip
CARD = {
    "card_alias": "Blue", "bin_number": "454360", "last_four_digits": "1234", "card_type": "CREDIT",
    "card_association": "VISA", "card_family": None, "card_bank_name": None, "card_holder_name": "Eleni",
    "expiry_month": 12, "expiry_year": 2030, "is_default": False,
}  # fmt: skip
KINDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "addresses": (ADDRESS, "addresses", "label"),
    "cards": (CARD, "saved_cards", "card_alias"),
}
NUMBER = "4111 1111 1111 1111"


def add(shop: Shop, kind: str, token: str, **more: Any) -> Reply:
    body = {**KINDS[kind][0], **({"card_token": f"tok-{shop.ids('x')[0]}"} if kind == "cards" else {}), **more}
    return shop.post(f"/me/{kind}", body, token=token)


def defaults(shop: Shop, kind: str) -> list[str]:
    return [id for (id,) in shop.rows(f"SELECT id FROM {KINDS[kind][1]} WHERE is_default = 1 ORDER BY id")]


def anothers(shop: Shop, kind: str, method: str, body: Any = None) -> None:
    """What is another's is not there, in the same words as what never was, and stays as it is."""
    made = add(shop, kind, shop.session(shop.user("customer")), is_default=True).body
    other = shop.session(shop.user("admin"))
    unknown = f"{made['id'][:-8]}00000000"
    with shop.unchanged():
        asked, missed = [shop.request(method, f"/me/{kind}/{id}", body, token=other) for id in (made["id"], unknown)]
    assert (asked.status, asked.body["code"]) == (404, "not_found")
    assert asked.text.replace(made["id"], unknown) == missed.text
