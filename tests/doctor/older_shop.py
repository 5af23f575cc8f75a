"""An older shop of the kind that document 004 mends: ten tables, no indexes, foreign keys declared and never on."""

from __future__ import annotations

from typing import Any

SCHEMA = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT, password TEXT, name VARCHAR(100), created_at DATETIME);
CREATE TABLE products (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, size TEXT, price REAL, stock INTEGER DEFAULT 0,
  created_at DATETIME, updated_at DATETIME);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, total REAL, status TEXT, created_at DATETIME,
  FOREIGN KEY (user_id) REFERENCES users(id));
CREATE TABLE order_items (
  id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER, product_id INTEGER, quantity INTEGER, price DECIMAL(10,2),
  FOREIGN KEY (order_id) REFERENCES orders(id), FOREIGN KEY (product_id) REFERENCES products(id));
CREATE TABLE analytics_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, event_type TEXT, user_id INTEGER, session_id TEXT, data TEXT, timestamp TEXT);
CREATE TABLE images (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, entity_id INTEGER, url TEXT);
CREATE TABLE logs (level TEXT, message TEXT, created_at DATETIME);
CREATE TABLE password_resets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, token TEXT, expires_at DATETIME, created_at DATETIME,
  FOREIGN KEY (user_id) REFERENCES users(id));
CREATE TABLE sell_submissions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, status TEXT, offer_count INTEGER DEFAULT 0,
  created_at DATETIME, updated_at DATETIME);
CREATE TABLE sell_items (
  id INTEGER PRIMARY KEY AUTOINCREMENT, submission_id INTEGER, title TEXT, size TEXT, asking_price REAL,
  FOREIGN KEY (submission_id) REFERENCES sell_submissions(id));
"""

PLANTED = {
    ("plain_password", "users.password"),
    ("weak_password_hash", "users.password"),
    ("foreign_key_violation", "orders(user_id)"),
    ("foreign_key_violation", "order_items(product_id)"),
    ("negative_stock", "products.stock"),
    ("stock_without_check", "products.stock"),
    ("stock_without_trail", "products"),
    ("counter_without_check", "order_items.quantity"),
    ("counter_without_check", "sell_submissions.offer_count"),
    ("negative_counter", "sell_submissions.offer_count"),
    ("money_in_real", "products.price"),
    ("money_in_real", "orders.total"),
    ("money_in_real", "order_items.price"),
    ("money_in_real", "sell_items.asking_price"),
    ("wrong_type", "order_items.quantity"),
    ("no_primary_key", "logs"),
    ("foreign_key_without_index", "orders(user_id)"),
    ("foreign_key_without_index", "order_items(order_id)"),
    ("foreign_key_without_index", "order_items(product_id)"),
    ("foreign_key_without_index", "password_resets(user_id)"),
    ("foreign_key_without_index", "sell_items(submission_id)"),
    ("lookup_without_index", "analytics_events(event_type, timestamp)"),
    ("lookup_without_index", "analytics_events(timestamp)"),
    ("lookup_without_index", "analytics_events(user_id)"),
    ("lookup_without_index", "images(entity_type, entity_id)"),
    ("lookup_without_index", "logs(created_at)"),
    ("lookup_without_index", "products(size)"),
    ("lookup_without_index", "sell_submissions(created_at)"),
    ("lookup_without_index", "sell_submissions(status)"),
    ("events_without_daily", "analytics_events"),
    ("no_timestamps", "users"),
    ("no_timestamps", "orders"),
    ("no_timestamps", "order_items"),
    ("no_timestamps", "images"),
    ("no_timestamps", "password_resets"),
    ("no_timestamps", "sell_items"),
    ("looks_like_foreign_key", "analytics_events.user_id"),
    ("looks_like_foreign_key", "sell_submissions.user_id"),
}
ON_A_FILE = {("foreign_keys_per_connection", "database")}

INDEXES_OF_004 = {
    *("idx_analytics_event_type", "idx_analytics_timestamp", "idx_analytics_user", "idx_images_entity"),
    *("idx_logs_created", "idx_password_resets_user", "idx_products_size", "idx_sell_items_submission"),
    *("idx_sell_submissions_created", "idx_sell_submissions_status", "idx_stock_moves_order"),
    *("idx_stock_moves_product", "idx_analytics_daily_type"),
}
"""Of its fourteen all but idx_analytics_daily_date: here the primary key of analytics_daily is that index."""

MD5 = "5f4dcc3b5aa765d61d8327deb882cf99"
QUERIES = """\
-- What the shop asks all day.
SELECT * FROM analytics_events
WHERE event_type = 'pageview' AND timestamp >= ? ORDER BY timestamp DESC LIMIT 50;
SELECT * FROM products WHERE id = :id;
SELECT o.id, i.quantity FROM orders AS o JOIN order_items AS i ON i.order_id = o.id WHERE o.user_id = $user;
UPDATE products SET stock = stock - 1 WHERE size = 'M';
SELECT * FROM coupons WHERE code = @code;
PRAGMA journal_mode = DELETE;
"""


def rows() -> list[tuple[str, list[tuple[Any, ...]]]]:
    """An INSERT and its rows. Two orders lost their user, one item its product."""
    at = "2025-03-04 10:11:12"
    items: list[tuple[Any, ...]] = [(n, 1 + n % 150, 1 + n % 60, 1 + n % 3, 19.99) for n in range(1, 301)]
    items += [(301, 1, 999, 1, 5.0), (302, 2, 1, "two", 9.5)]
    events = [
        (n, ("pageview", "add_to_cart", "purchase")[n % 3], None if n % 4 else 1 + n % 50, f"s{n % 9}", "{}", stamp(n))
        for n in range(1, 501)
    ]
    return [
        (
            "INSERT INTO users VALUES (?, ?, ?, ?, ?)",
            [(n, f"u{n}@example.com", MD5 if n == 7 else f"secret{n}", f"Ünal {n}", at) for n in range(1, 51)],
        ),
        (
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (n, f"Shoe {n}", "SML"[n % 3], 19.99, -2 if n == 9 else None if n == 10 else n, at, at)
                for n in range(1, 61)
            ],
        ),
        (
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
            [(n, 777 if n in (3, 4) else 1 + n % 50, n * 1.1, "paid", at) for n in range(1, 151)],
        ),
        ("INSERT INTO order_items VALUES (?, ?, ?, ?, ?)", items),
        ("INSERT INTO analytics_events VALUES (?, ?, ?, ?, ?, ?)", events),
        ("INSERT INTO images VALUES (?, ?, ?, ?)", [(n, "product", n, f"/i/{n}.jpg") for n in range(1, 61)]),
        ("INSERT INTO logs VALUES (?, ?, ?)", [("info", f"line {n}", at) for n in range(1, 31)]),
        ("INSERT INTO password_resets VALUES (?, ?, ?, ?, ?)", [(n, n, f"t{n}", at, at) for n in range(1, 6)]),
        (
            "INSERT INTO sell_submissions VALUES (?, ?, ?, ?, ?, ?)",
            [(n, n, "open", -1 if n == 2 else n, at, at) for n in range(1, 21)],
        ),
        ("INSERT INTO sell_items VALUES (?, ?, ?, ?, ?)", [(n, 1 + n % 20, "Boot", "L", 25.5) for n in range(1, 41)]),
    ]


def stamp(number: int) -> str:
    """A time of one of ten days."""
    return f"2025-09-{1 + number % 10:02}T{number % 24:02}:00:00.000Z"
