"""PATCH /users/{user}."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.functions.audit.support import said
from tests.functions.users.support import code, events, stepped_up
from tests.shop import Reply, Shop

update_user = importlib.import_module("functions.users.update_user")


def update(shop: Shop, user: str, token: str, **sent: Any) -> Reply:
    return shop.patch_(f"/users/{user}", sent, token=token)


def test_suspends_and_lets_in_again(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("staff")
    theirs = shop.session(user)
    assert shop.get("/stock/low", token=theirs).status == 200
    assert update(shop, user, token, status="SUSPENDED").body["status"] == "SUSPENDED"
    assert shop.get("/stock/low", token=theirs).status == 401
    assert shop.one("SELECT count(*) FROM user_sessions WHERE user_id = ? AND revoked_at IS NULL", user) == 0
    assert update(shop, user, token, status="ACTIVE").body["status"] == "ACTIVE"
    assert shop.get("/stock/low", token=theirs).status == 401
    assert shop.get("/stock/low", token=shop.session(user)).status == 200
    assert said(shop)[0] == ("users:update", "users", {"status": "ACTIVE"}, {"status": "SUSPENDED"})
    assert events(shop, user) == ["user_suspended", "user_activated"]
    shop.checked()


def test_changes_names_which_the_log_holds_as_hashes(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user()
    told = update(shop, user, token, first_name="Eleni", phone="+306912345678").body
    assert (told["first_name"], told["last_name"], told["phone"]) == ("Eleni", None, "+306912345678")
    told = update(shop, user, token, first_name="Maria", last_name="P").body
    assert (told["first_name"], told["last_name"], told["phone"]) == ("Maria", "P", "+306912345678")
    assert update(shop, user, token, phone=None).body["phone"] is None
    rows = repr(shop.rows("SELECT * FROM audit_logs"))
    assert "Eleni" not in rows and "3069" not in rows
    kept = shop.rows("SELECT name, value FROM personal_values WHERE user_id = ? ORDER BY row_id, name", user)
    assert ("/before/first_name", '"Eleni"') in kept and ("/after/first_name", '"Maria"') in kept
    [row] = shop.get(f"/audit-logs?entity=users&entity_id={user}&limit=1", api_key=shop.admin).body["items"]
    assert (row["before"], row["after"]) == ({"phone": "+306912345678"}, {"phone": None})
    with shop.unchanged():
        assert update(shop, user, token).status == 200


def test_what_changes_nothing_leaves_no_trail(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("staff")
    update(shop, user, token, status="SUSPENDED", first_name="Eleni")
    with shop.unchanged():
        assert update(shop, user, token, status="SUSPENDED", first_name="Eleni").body["status"] == "SUSPENDED"
        assert update(shop, user, token).status == 200


def test_the_trail_tells_of_what_was_there_when_it_was_changed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody suspends the user between our look and our batch: we look again, and find that we let them in."""
    _, token = stepped_up(shop, "admin")
    user = shop.user("staff")
    real, runs = update_user.holding, list[int]()

    def meanwhile(*args: Any, **sent: Any) -> Any:
        if not runs:
            shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
        runs.append(1)
        return real(*args, **sent)

    monkeypatch.setattr(update_user, "holding", meanwhile)
    assert update(shop, user, token, status="ACTIVE").body["status"] == "ACTIVE"
    assert len(runs) == 2
    assert said(shop) == [("users:update", "users", {"status": "SUSPENDED"}, {"status": "ACTIVE"})]
    assert events(shop, user) == ["user_activated"]


def test_refuses_last_admin(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    shop.user("admin", status="SUSPENDED")
    with shop.unchanged():
        assert code(update(shop, admin, token, status="SUSPENDED")) == (409, "last_admin")
    shop.user("admin")
    assert update(shop, admin, token, status="SUSPENDED").status == 200


def test_nobody_suspends_who_holds_more(shop: Shop) -> None:
    shop.user("admin")
    admin, customer, staff = shop.user("admin"), shop.user("customer"), shop.user("staff")
    _, token = stepped_up(shop, holding=("users:update",))
    with shop.unchanged():
        assert code(update(shop, admin, token, status="SUSPENDED")) == (403, "forbidden")
        assert code(update(shop, staff, token, first_name="X")) == (403, "forbidden")
    assert update(shop, customer, token, status="SUSPENDED").status == 200


def test_refuses_what_is_wrong(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user, unproven, nobody = shop.user(), shop.session(shop.user("admin")), shop.session(shop.user())
    with shop.unchanged():
        assert code(update(shop, "user_nobody", token, status="SUSPENDED")) == (404, "not_found")
        for wrong in (
            {"status": "DELETED"},
            {"status": None},
            {"email": "a@b.cd"},
            {"phone": "12"},
            {"first_name": ""},
        ):
            assert code(update(shop, user, token, **wrong)) == (422, "invalid")
        assert code(update(shop, user, nobody, status="SUSPENDED")) == (403, "forbidden")
        assert code(update(shop, user, unproven, status="SUSPENDED")) == (403, "step_up_required")
