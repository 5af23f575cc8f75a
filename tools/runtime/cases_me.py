"""Cases of what is a person's own. `{person}` is the access token of somebody who has stepped up and may leave the
shop; `{spare_user}` the id of another such user.
"""

from __future__ import annotations

from typing import Final

from tools.runtime.cases import STAFF
from tools.runtime.events import Ask, Case

OWN: Final = {"authorization": "Bearer {person}"}
ADDRESS: Final = {"full_name": "Eleni", "line1": "Ermou 1", "city": "Athens", "country": "GR", "is_default": True}
CARD: Final = {
    "card_token": "tok_of_the_provider", "bin_number": "454360", "last_four_digits": "1234",
    "card_holder_name": "Eleni", "expiry_month": 12, "expiry_year": 2030,
}  # fmt: skip
NUMBER: Final = {**CARD, "card_token": "4111111111111111"}


def _own(function: str, method: str, target: str, body: object = None) -> Case:
    """What is there, and then the same by an id that is not."""
    return Case(
        function, (Ask(method, target, body, OWN),), 204 if method == "DELETE" else 200,
        Ask(method, target.rpartition("/")[0] + "/unknown", body, OWN), (404, "not_found"),
    )  # fmt: skip


CASES: Final[tuple[Case, ...]] = (
    Case("view_me", (Ask("GET", "/me", headers=OWN),), 200, Ask("GET", "/me"), (401, "unauthenticated")),
    Case(
        "update_me", (Ask("PATCH", "/me", {"first_name": "Eleni"}, OWN),), 200,
        Ask("PATCH", "/me", {"email": "x@example.com"}, OWN), (422, "invalid"),
    ),
    Case(
        "create_address", (Ask("POST", "/me/addresses", ADDRESS, OWN, {"address": "id"}),), 201,
        Ask("POST", "/me/addresses", {**ADDRESS, "country": "gr"}, OWN), (422, "invalid"),
    ),
    Case(
        "list_addresses", (Ask("GET", "/me/addresses", headers=OWN),), 200,
        Ask("GET", "/me/addresses?limit=0", headers=OWN), (422, "invalid"),
    ),
    _own("view_address", "GET", "/me/addresses/{address}"),
    _own("update_address", "PATCH", "/me/addresses/{address}", {"label": "Home"}),
    _own("delete_address", "DELETE", "/me/addresses/{address}"),
    Case(
        "create_card", (Ask("POST", "/me/cards", CARD, OWN, {"card": "id"}),), 201,
        Ask("POST", "/me/cards", NUMBER, OWN), (422, "invalid"),
    ),
    Case(
        "list_cards", (Ask("GET", "/me/cards", headers=OWN),), 200,
        Ask("GET", "/me/cards?limit=0", headers=OWN), (422, "invalid"),
    ),
    _own("update_card", "PATCH", "/me/cards/{card}", {"card_alias": "Blue"}),
    _own("delete_card", "DELETE", "/me/cards/{card}"),
    Case(
        "export_me", (Ask("GET", "/me/export", headers=OWN),), 200,
        Ask("GET", "/me/export", headers=STAFF), (403, "forbidden"),
    ),
    Case(
        "export_user", (Ask("GET", "/users/{spare_user}/export", headers=STAFF),), 200,
        Ask("GET", "/users/unknown/export", headers=STAFF), (404, "not_found"),
    ),
    Case(
        "delete_user", (Ask("DELETE", "/users/{spare_user}", headers=STAFF),), 204,
        Ask("DELETE", "/users/{spare_user}", headers=STAFF), (404, "not_found"),
    ),
    Case(
        "delete_me", (Ask("DELETE", "/me", headers=OWN),), 204,
        Ask("DELETE", "/me", headers=OWN), (401, "unauthenticated"),
    ),
)  # fmt: skip
