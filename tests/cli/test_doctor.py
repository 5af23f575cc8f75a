"""`tally doctor` and `tally stats`: forms, exit codes, and what they say of what cannot be examined."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT, Terminal
from tests.doctor import older_shop
from tests.doctor.making import connect, made, make, state


@pytest.fixture
def older(terminal: Terminal) -> Path:
    return make(terminal.folder / "shop.db", older_shop)


def test_text_by_severity(terminal: Terminal, older: Path) -> None:
    done = terminal.tally("doctor", older)
    assert (done.code, done.err) == (1, "")
    places = [done.out.index(f"\n{word}  ") for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")]
    assert places == sorted(places)
    assert "\n1 critical, 7 high, 14 medium, 15 low, 2 info\n" in done.out
    assert "  - users.password: 49 of 50 values can be read.\n  Why: " in done.out


def test_json_and_markdown(terminal: Terminal, older: Path) -> None:
    done = terminal.tally("doctor", f"sqlite:///{older}", "--json")
    assert (done.code, done.err) == (1, "")
    assert {(one["code"], one["place"]) for one in done.json["findings"]} == older_shop.PLANTED | older_shop.ON_A_FILE
    assert done.json["counts"] == {"critical": 1, "high": 7, "medium": 14, "low": 15, "info": 2}
    assert done.json["tables"][0] == {
        "table": "analytics_events",
        "rows": 500,
        "columns": 6,
        "indexes": 0,
        "foreign_keys": 0,
    }
    done = terminal.tally("doctor", "--markdown", DATABASE_URL=f"sqlite:///{older}")
    assert done.code == 1
    assert "## critical: Passwords that can be read (`plain_password`)\n- **users.password**: 49 of 50" in done.out
    assert "| analytics\\_events | 500 | 6 | 0 | 0 |\n" in done.out


def test_exit_codes(terminal: Terminal, older: Path) -> None:
    clean = made(terminal.folder / "clean.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, created_at TEXT)")
    done = terminal.tally("doctor", clean)
    assert done.code == 0 and "\n1 low\n" in done.out
    for words in (["--json", "--markdown"], ["--nonsense"], ["a", "b"]):
        assert terminal.tally("doctor", *words).code == 2
    for url in ("postgres://host/shop", "sqlite:///:memory:", "libsql://"):
        done = terminal.tally("doctor", url)
        assert (done.code, done.out) == (2, ""), url
        assert done.err.startswith("tally: DATABASE_URL")
    assert terminal.tally("doctor", older, "--queries", "nowhere.sql").code == 2


def test_what_cannot_be_examined_is_told_and_not_made(terminal: Terminal) -> None:
    (terminal.folder / "text.db").write_text("this is a text" * 50)
    before = state(terminal.folder)
    for name, words in (("gone.db", "there is no file"), ("text.db", "no SQLite database"), (".", "is a folder")):
        for command in ("doctor", "stats"):
            done = terminal.tally(command, terminal.folder / name)
            assert (done.code, done.out) == (1, ""), name
            assert words in done.err
    assert terminal.tally("doctor").code == 1
    assert state(terminal.folder) == before


def test_a_server_that_is_away_is_told(terminal: Terminal) -> None:
    done = terminal.tally("doctor", "libsql://127.0.0.1:9/shop?tls=0")
    assert (done.code, done.out) == (1, "") and done.err.startswith("tally: ")


def test_queries_are_named_by_their_line(terminal: Terminal, older: Path) -> None:
    (terminal.folder / "queries.sql").write_text(older_shop.QUERIES)
    done = terminal.tally("doctor", older, "--queries", "queries.sql")
    assert done.code == 1
    assert "  - line 2, analytics_events: SELECT * FROM analytics_events WHERE" in done.out
    assert "Would help: CREATE INDEX" in done.out


def test_stats(terminal: Terminal, older: Path) -> None:
    with closing(connect(older)) as connection:
        connection.execute("CREATE INDEX by_size ON products (size, id)")
        connection.execute("ANALYZE")
    before = state(terminal.folder)
    done = terminal.tally("stats", older)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert any(line.split()[:2] == ["analytics_events", "500"] for line in lines)
    assert any(line.startswith("  by_size ") and line.endswith("index (size, id); 20 1") for line in lines)
    tables = terminal.tally("stats", older, "--json").json["tables"]
    assert {one["name"]: one["rows"] for one in tables if not one["index_of"]}["products"] == 60
    assert state(terminal.folder) == before


def test_the_page_shows_a_real_report(terminal: Terminal, older: Path) -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    shown = page.split("```\nCRITICAL", 1)[1].split("\n```", 1)[0].split("\n…\n")
    done = terminal.tally("doctor", "shop.db")
    assert len(shown) == 4
    for piece in shown:
        assert piece in done.out
