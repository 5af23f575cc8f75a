-- 0006 scale fixes: the trail of stock, the daily roll-up, and the fourteen indexes of document 004.
-- Applied to a filled database it loses nothing and opens the trail with one move per stock row.

CREATE TABLE stock_moves (
  id            TEXT PRIMARY KEY,
  variant_id    TEXT NOT NULL,
  location_id   TEXT NOT NULL,
  order_id      TEXT REFERENCES orders (id),
  -- The change of what can be sold; its sum per variant and location is inventory.stock.
  delta         INTEGER NOT NULL CONSTRAINT stock_moves_delta_bounded CHECK (abs(delta) <= 1000000000000),
  reason        TEXT NOT NULL CONSTRAINT stock_moves_reason_known CHECK (reason IN ('sale', 'return', 'adjustment', 'receipt', 'reservation', 'release', 'transfer')),
  balance_after INTEGER NOT NULL CONSTRAINT stock_moves_balance_not_negative CHECK (balance_after >= 0),
  actor         TEXT NOT NULL,
  note          TEXT,
  created_at    TEXT NOT NULL,
  FOREIGN KEY (variant_id, location_id) REFERENCES inventory (variant_id, location_id)
) STRICT;
INSERT INTO stock_moves (id, variant_id, location_id, delta, reason, balance_after, actor, note, created_at)
SELECT 'move_' || substr('00000000000000000000000000' || row_number() OVER (ORDER BY variant_id, location_id), -26),
  variant_id, location_id, stock, 'adjustment', stock, 'migration', 'opening balance', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
FROM inventory;
CREATE INDEX idx_stock_moves_product ON stock_moves (variant_id, location_id, id);
CREATE INDEX idx_stock_moves_order ON stock_moves (order_id) WHERE order_id IS NOT NULL;
CREATE TRIGGER stock_moves_append_only_update BEFORE UPDATE ON stock_moves
BEGIN SELECT RAISE(ABORT, 'stock_moves_append_only: history is not changed'); END;
CREATE TRIGGER stock_moves_append_only_delete BEFORE DELETE ON stock_moves
BEGIN SELECT RAISE(ABORT, 'stock_moves_append_only: history is not removed'); END;
CREATE TRIGGER stock_moves_append_only_replace BEFORE INSERT ON stock_moves
WHEN EXISTS (SELECT 1 FROM stock_moves WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM stock_moves WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'stock_moves_append_only: history is not replaced'); END;

CREATE TABLE analytics_daily (
  date       TEXT NOT NULL CONSTRAINT analytics_daily_date_has_its_form CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  event_type TEXT NOT NULL,
  events     INTEGER NOT NULL CONSTRAINT analytics_daily_events_positive CHECK (events >= 1),
  users      INTEGER NOT NULL CONSTRAINT analytics_daily_users_bounded CHECK (users BETWEEN 0 AND events),
  sessions   INTEGER NOT NULL CONSTRAINT analytics_daily_sessions_bounded CHECK (sessions BETWEEN 0 AND events),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (date, event_type)
) STRICT;
CREATE INDEX idx_analytics_daily_date ON analytics_daily (date, event_type);
CREATE INDEX idx_analytics_daily_type ON analytics_daily (event_type, date);

-- The days that hold an event not yet rolled up, late ones included; the roll-up empties it in its own batch.
CREATE TABLE analytics_stale_days (
  date       TEXT PRIMARY KEY,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO analytics_stale_days (date, created_at, updated_at)
SELECT DISTINCT substr(timestamp, 1, 10), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM analytics_events;
CREATE TRIGGER analytics_events_make_the_day_stale AFTER INSERT ON analytics_events BEGIN
  INSERT INTO analytics_stale_days (date, created_at, updated_at)
  VALUES (substr(NEW.timestamp, 1, 10), NEW.created_at, NEW.created_at)
  ON CONFLICT (date) DO UPDATE SET updated_at = excluded.updated_at;
END;

CREATE INDEX idx_analytics_event_type ON analytics_events (event_type, timestamp);
CREATE INDEX idx_analytics_timestamp ON analytics_events (timestamp);
CREATE INDEX idx_analytics_user ON analytics_events (user_id, timestamp) WHERE user_id IS NOT NULL;
CREATE INDEX idx_images_entity ON media_links (entity, entity_id, sort_order);
CREATE INDEX idx_logs_created ON audit_logs (created_at);
CREATE INDEX idx_password_resets_user ON password_resets (user_id);
CREATE INDEX idx_products_size ON variants (size) WHERE size IS NOT NULL;
CREATE INDEX idx_sell_items_submission ON sell_items (submission_id);
CREATE INDEX idx_sell_submissions_created ON sell_submissions (created_at);
CREATE INDEX idx_sell_submissions_status ON sell_submissions (status, created_at);
