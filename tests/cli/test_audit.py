"""`tally audit verify` in a terminal."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.functions.jobs.support import run
from tests.functions.stock.support import adjust
from tests.shop import Shop

pytestmark = pytest.mark.file_engine


def test_tells_whole_and_broken(shop: Shop, terminal: Terminal) -> None:
    at = ("audit", "verify", "--database-url", shop.url)
    variant = shop.variant()
    for _ in range(3):
        adjust(shop, variant, 1)
    run("seal_audit_logs")
    adjust(shop, variant, 1)
    with shop.unchanged():
        done = terminal.tally(*at)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("the audit log is whole: 4 rows, 1 of them not sealed yet\nhead ")
    head = done.out.splitlines()[1].removeprefix("head ")
    told = terminal.tally(*at, "--json", "--head", head).json
    assert told == {"rows": 4, "sealed": 3, "head": head, "broken": None, "whole": True, "unsealed": 1}
    shop.execute("DROP TRIGGER audit_logs_append_only_update")
    shop.execute("UPDATE audit_logs SET after = '{}' WHERE sequence = 2")
    row_id = shop.one("SELECT id FROM audit_logs WHERE sequence = 2")
    done = terminal.tally(*at)
    assert done.code == 1
    assert done.out == f"BROKEN  changed: row 2 ({row_id}) is not what was written\nthe 1 rows before it are whole\n"
    done = terminal.tally(*at, "--json")
    assert (done.code, done.json["broken"]) == (1, {"sequence": 2, "id": row_id, "what": "changed"})


def test_another_log_is_told_by_its_head(shop: Shop, terminal: Terminal) -> None:
    done = terminal.tally("audit", "verify", "--head", "0" * 64, "--database-url", shop.url)
    assert done.code == 1 and "no link of this log is the given one" in done.out
    done = terminal.tally("audit", "verify", "--head", "nonsense", "--database-url", shop.url)
    assert done.code == 2 and "64 hexadecimal digits" in done.err
