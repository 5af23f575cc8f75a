"""A music shop as everybody's example has it: well made in its keys, careless in its money. Small, and always the same.

Planted: prices that are floating point, sales without a CHECK on quantity, an index too many, two foreign keys without
one, tables without times, a table without a key, a column of years with a word in it, and a staff password that can be
read.
"""

from __future__ import annotations

from typing import Any

SCHEMA = """
CREATE TABLE artists (artist_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE albums (
  album_id INTEGER PRIMARY KEY, title TEXT NOT NULL, year INTEGER,
  artist_id INTEGER NOT NULL REFERENCES artists (artist_id));
CREATE INDEX albums_by_artist ON albums (artist_id);
CREATE TABLE genres (genre_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tracks (
  track_id INTEGER PRIMARY KEY, name TEXT NOT NULL, composer TEXT, milliseconds INTEGER NOT NULL,
  album_id INTEGER REFERENCES albums (album_id), genre_id INTEGER REFERENCES genres (genre_id),
  UnitPrice NUMERIC(10, 2) NOT NULL);
CREATE INDEX tracks_by_album ON tracks (album_id, name);
CREATE INDEX tracks_album ON tracks (album_id);
CREATE TABLE employees (
  employee_id INTEGER PRIMARY KEY, name TEXT NOT NULL, password TEXT,
  reports_to INTEGER REFERENCES employees (employee_id));
CREATE INDEX employees_by_reports_to ON employees (reports_to);
CREATE TABLE customers (
  customer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
  support_rep_id INTEGER REFERENCES employees (employee_id));
CREATE TABLE invoices (
  invoice_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
  total REAL NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX invoices_by_customer ON invoices (customer_id);
CREATE TABLE invoice_lines (
  invoice_line_id INTEGER PRIMARY KEY, invoice_id INTEGER NOT NULL REFERENCES invoices (invoice_id),
  track_id INTEGER NOT NULL REFERENCES tracks (track_id), quantity INTEGER NOT NULL,
  created_at TEXT, updated_at TEXT);
CREATE INDEX invoice_lines_by_invoice ON invoice_lines (invoice_id);
CREATE INDEX invoice_lines_by_track ON invoice_lines (track_id);
CREATE TABLE playlists (
  playlist_id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_at TEXT, updated_at TEXT);
CREATE TABLE playlist_tracks (
  playlist_id INTEGER NOT NULL REFERENCES playlists (playlist_id),
  track_id INTEGER NOT NULL REFERENCES tracks (track_id), created_at TEXT, updated_at TEXT,
  PRIMARY KEY (playlist_id, track_id)) WITHOUT ROWID;
CREATE INDEX playlist_tracks_by_track ON playlist_tracks (track_id);
CREATE TABLE imports (line TEXT, created_at TEXT, updated_at TEXT);
CREATE VIEW best_sellers AS
  SELECT t.name, sum(l.quantity) AS sold FROM invoice_lines AS l JOIN tracks AS t USING (track_id) GROUP BY t.track_id;
"""

PLANTED = {
    ("plain_password", "employees.password"),
    ("counter_without_check", "invoice_lines.quantity"),
    ("money_in_real", "tracks.UnitPrice"),
    ("money_in_real", "invoices.total"),
    ("wrong_type", "albums.year"),
    ("foreign_key_without_index", "tracks(genre_id)"),
    ("foreign_key_without_index", "customers(support_rep_id)"),
    ("no_primary_key", "imports"),
    ("no_timestamps", "artists"),
    ("no_timestamps", "albums"),
    ("no_timestamps", "genres"),
    ("no_timestamps", "tracks"),
    ("no_timestamps", "employees"),
    ("no_timestamps", "customers"),
    ("duplicate_index", "tracks_album"),
}
"""What is wrong with it, by code and place; on a file also what a file cannot hold."""
ON_A_FILE = {("foreign_keys_per_connection", "database")}

BCRYPT = "$2b$12$abcdefghijklmnopqrstuuIhOVJcRyqmXrCLqDHyPyMPpWcv7W7Hm"


def rows() -> list[tuple[str, list[tuple[Any, ...]]]]:
    """An INSERT and its rows, parents first."""
    at = "2026-01-01T00:00:00.000Z"
    tracks = [
        (n, f"Track {n}", None if n % 3 else "Trad.", 180_000 + n, 1 + n % 12, 1 + n % 4, 0.99 if n % 5 else 1.99)
        for n in range(1, 121)
    ]
    lines = [(n, 1 + n % 40, 1 + n * 7 % 120, 1 + n % 3, at, at) for n in range(1, 161)]
    people = [(1, "Maria Vale", BCRYPT, None), (2, "Jon Ek", "guitar1987", 1), (3, "Ana Cruz", BCRYPT, 1)]
    return [
        ("INSERT INTO artists VALUES (?, ?)", [(n, f"Artist {n} Ελένη's") for n in range(1, 7)]),
        (
            "INSERT INTO albums VALUES (?, ?, ?, ?)",
            [(n, f"Album {n}", "unknown" if n == 5 else 1970 + n, 1 + n % 6) for n in range(1, 13)],
        ),
        ("INSERT INTO genres VALUES (?, ?)", [(n, name) for n, name in enumerate(("Rock", "Jazz", "Folk", "Rai"), 1)]),
        ("INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?)", tracks),
        ("INSERT INTO employees VALUES (?, ?, ?, ?)", people),
        (
            "INSERT INTO customers VALUES (?, ?, ?, ?)",
            [(n, f"Customer {n}", f"c{n}@example.com", 1 + n % 3) for n in range(1, 21)],
        ),
        ("INSERT INTO invoices VALUES (?, ?, ?, ?, ?)", [(n, 1 + n % 20, n * 0.99, at, at) for n in range(1, 41)]),
        ("INSERT INTO invoice_lines VALUES (?, ?, ?, ?, ?, ?)", lines),
        ("INSERT INTO playlists VALUES (?, ?, ?, ?)", [(1, "Evening", at, at), (2, "Road", at, at)]),
        (
            "INSERT INTO playlist_tracks VALUES (?, ?, ?, ?)",
            [(1 + n % 2, n, at, at) for n in range(1, 41)],
        ),
        ("INSERT INTO imports VALUES (?, ?, ?)", [("1;Track 1", at, at), ("1;Track 1", at, at)]),
    ]
