"""docs/invariants.md names every invariant with its sentence, in order, and no other."""

from __future__ import annotations

import re

from db.invariants import DIRECTORY, read
from tests.contract.tree import ROOT

PAGE = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
RULES = 55


def test_every_file_has_its_row_with_its_sentence() -> None:
    told = re.findall(r"^\| \[(\d\d)\]\(\.\./db/invariants/(\S+)\.sql\) \| (.+) \| [\d, ]*\|$", PAGE, re.M)
    folders = (("", read()), ("deep/", read(DIRECTORY / "deep")))
    there = [(one.name[:2], f"{folder}{one.name}", one.sentence) for folder, ones in folders for one in ones]
    assert told == there


def test_every_rule_has_a_file_or_a_reason() -> None:
    kept = {
        int(number) for cell in re.findall(r"\.sql\) \| .+ \| ([\d, ]+) \|$", PAGE, re.M) for number in cell.split(",")
    }
    waiting = set()
    for cell in re.findall(r"^\| (\d[\d, –]*).*\| .+ \| .+ \|$", PAGE, re.M):
        for part in cell.strip(", ").split(","):
            first, _, last = part.strip().partition("–")
            waiting |= set(range(int(first), int(last or first) + 1))
    assert kept | waiting == set(range(1, RULES + 1))
    assert kept & waiting == set()
