"""The matrix: every endpoint × every kind of caller, asked through its real handler.

*Goal*: no endpoint lets in whom its policy refuses, none refuses whom it lets in, and a refusal writes nothing.
*Method*: the expected verdict is made of the declared policy alone (cli/access_page.py), and the callers are rows.
Whether somebody was let in is seen twice: by the answer to an empty request, and, because some endpoints answer 401 or
403 for reasons of their own, by whether the door opens before the endpoint's own line has run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.auth import EVERYBODYS, EVERYTHING
from api.endpoint import Endpoint
from api.problems import Problem
from cli import derive
from cli.access_page import ACTORS, IN, REFUSED, STEP_UP, UNKNOWN, access_page, verdict
from cli.key import known_scopes
from tests.shop import Reply, Shop, endpoints, invoke
from tools.runtime.events import event

TOLD = {UNKNOWN: (401, "unauthenticated"), REFUSED: (403, "forbidden"), STEP_UP: (403, "step_up_required")}
NAMES = sorted(one.name for one in endpoints().values() if one.module.startswith("functions."))
PAGE = derive.ROOT / "docs" / "reference" / "access.md"


def permissions(shop: Shop) -> list[str]:
    return [key for (key,) in shop.rows("SELECT key FROM permissions WHERE key <> '*' ORDER BY key")]


class Callers:
    """A credential for each kind of caller, of one endpoint's point of view. Each is asked for once."""

    def __init__(self, shop: Shop, permission: str) -> None:
        self.shop, self.permission = shop, permission
        self.others = [key for key in permissions(shop) if key != permission]

    def person(self, *roles: str, holding: tuple[str, ...] = (), stepped_up: bool = True) -> str:
        user = self.shop.user(*roles)
        for permission in holding:
            self.shop.grant(user, permission)
        return self.shop.session(user, stepped_up=stepped_up)

    def expired(self) -> str:
        token = self.person("admin")
        self.shop.clock(901)
        return token

    def revoked(self) -> str:
        token = self.person("admin")
        self.shop.execute("UPDATE user_sessions SET revoked_at = ?", self.shop.now)
        return token

    def suspended(self) -> str:
        token = self.person("admin")
        self.shop.execute("UPDATE users SET status = 'SUSPENDED'")
        return token

    def key(self, *scopes: str) -> str:
        return self.shop.api_key(*scopes)

    def credential(self, actor: str) -> str | None:
        made: dict[str, Callable[[], str | None]] = {
            "nobody": lambda: None,
            "customer": lambda: self.person("customer"),
            "other customer": lambda: self.person("customer"),
            "staff without": lambda: self.person("customer", holding=tuple(self.others)),
            "staff with": lambda: self.person("customer", holding=(self.permission,)),
            "admin": lambda: self.person("admin"),
            "admin unproven": lambda: self.person("admin", stepped_up=False),
            "expired": self.expired,
            "revoked": self.revoked,
            "suspended": self.suspended,
            "key without": lambda: self.key(*self.others),
            "key with": lambda: self.key(self.permission),
        }
        return made[actor]()


def asked(endpoint: Endpoint, credential: str | None) -> Reply:
    """The answer to an empty request for things that are not there."""
    path = re.sub(r"{(\w+)}", r"\1_00000000000000000000000000", endpoint.path)
    headers = {"content-type": "application/json"}
    if credential is not None:
        headers["authorization"] = f"Bearer {credential}"
    return invoke(endpoint, event(endpoint.method, path, headers=headers, body="{}" if endpoint.reads_body else None))


def at_the_door(endpoint: Endpoint, credential: str | None, monkeypatch: pytest.MonkeyPatch) -> Reply:
    """The answer of the same endpoint whose own line does nothing but refuse."""

    async def line(*_: Any) -> Any:
        raise Problem("busy")

    with monkeypatch.context() as patch:
        patch.setattr(endpoint, "run", line)
        return asked(endpoint, credential)


def code(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.body["code"] if reply.status >= 400 else None


@pytest.fixture
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    yield endpoints()[request.param]


@pytest.mark.parametrize("endpoint", NAMES, indirect=True)
def test_every_cell_is_closed_or_open_as_its_policy_says(
    shop: Shop, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = Callers(shop, endpoint.permission)
    open_cells, cells = [], 0
    for actor in ACTORS:
        expected = verdict(endpoint.permission, step_up=endpoint.step_up, actor=actor)
        credential = callers.credential(actor)
        if expected == IN:
            told = code(asked(endpoint, credential))
            if told in TOLD.values():  # for a reason of its own, or at the door?
                told = code(at_the_door(endpoint, credential, monkeypatch))
            right = told not in TOLD.values()
        else:
            with shop.unchanged():
                told = code(asked(endpoint, credential))
                at_door = code(at_the_door(endpoint, credential, monkeypatch))
            right = told == at_door == TOLD[expected]
        cells += 1
        if not right:
            open_cells.append((actor, expected, told))
    assert open_cells == []
    assert cells == len(ACTORS)


def test_the_page_counts_every_cell() -> None:
    found = derive.endpoints()
    assert [one.name for one in sorted(found, key=lambda one: one.name)] == NAMES
    page = access_page(found)
    assert f"{len(NAMES) * len(ACTORS)} cells, 0 open" in page
    assert PAGE.read_text(encoding="utf-8") == page
    assert page.count("\n| `") == len(NAMES)


def test_every_route_has_a_policy_that_there_is(shop: Shop) -> None:
    keys = permissions(shop)
    wrong = [
        f"{one.name}: {one.permission!r}"
        for one in derive.endpoints()
        if one.permission not in EVERYBODYS and one.permission not in keys
    ]
    assert wrong == []
    # What a handler asks in passing is one of them, too.
    assert set(known_scopes()) - {*keys, *EVERYBODYS} == set()
    assert EVERYTHING not in {one.permission for one in derive.endpoints()}


def test_an_endpoint_cannot_be_declared_without_a_policy() -> None:
    from api.endpoint import endpoint

    with pytest.raises(TypeError, match="permission"):
        endpoint("GET /open")  # type: ignore[call-arg]


def test_an_open_cell_would_be_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix sees: an endpoint that forgot its permission lets in whom the page refuses."""
    found = endpoints()["list_users"]
    customer = Callers(shop, found.permission).credential("customer")
    assert code(asked(found, customer)) == TOLD[REFUSED]
    monkeypatch.setattr(found, "permission", "public")
    assert code(asked(found, customer)) == (200, None)
