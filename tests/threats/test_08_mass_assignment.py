"""Threat 8: columns sent as fields. Each column of every table, to every route that writes: 422, and nothing changes.

Generated from the schema and the endpoints' shapes: a column that a shape knows is left out, because it is a field.
"""

from typing import Any

import pytest

from tests.shop import Shop, endpoints

WRITES = sorted(name for name, one in endpoints().items() if one.reads_body)


@pytest.mark.parametrize("name", WRITES)
def test_no_column_is_a_field_unless_the_shape_says_so(shop: Shop, name: str) -> None:
    endpoint = endpoints()[name]
    columns = {
        column
        for (column,) in shop.rows(
            "SELECT DISTINCT c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        )
    } - set(endpoint.request.model_fields)
    assert len(columns) > 50
    token = shop.session(shop.user("admin"), stepped_up=True)
    path = endpoint.path
    for part in endpoint.path_names:
        path = path.replace("{" + part + "}", "x")
    sent: dict[str, Any] = {"token": token}
    if endpoint.if_match:
        sent["if_match"] = 1
    if endpoint.idempotency:
        sent["idempotency_key"] = "key"
    wanted = sorted(columns)
    with shop.unchanged():
        for start in range(0, len(wanted), 10):  # an answer names twenty mistakes at most
            some = wanted[start : start + 10]
            reply = shop.request(endpoint.method, path, dict.fromkeys(some, 1), **sent)
            assert (reply.status, reply.body["code"]) == (422, "invalid"), reply.text
            forbidden = {one["pointer"][1:] for one in reply.body["errors"] if one["code"] == "extra_forbidden"}
            assert set(some) - forbidden == set()
