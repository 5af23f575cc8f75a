-- 0003 stock: what can be sold, what is held, and for how long.

CREATE TABLE inventory (
  variant_id          TEXT NOT NULL REFERENCES variants (id),
  location_id         TEXT NOT NULL REFERENCES locations (id),
  stock               INTEGER NOT NULL CONSTRAINT inventory_stock_not_negative CHECK (stock >= 0),
  reserved            INTEGER NOT NULL DEFAULT 0 CONSTRAINT inventory_reserved_not_negative CHECK (reserved >= 0),
  backordered         INTEGER NOT NULL DEFAULT 0 CONSTRAINT inventory_backordered_not_negative CHECK (backordered >= 0),
  on_hand             INTEGER GENERATED ALWAYS AS (stock + reserved) VIRTUAL,
  low_stock_threshold INTEGER NOT NULL DEFAULT 5 CONSTRAINT inventory_threshold_not_negative CHECK (low_stock_threshold >= 0),
  created_at          TEXT NOT NULL,
  updated_at          TEXT NOT NULL,
  -- 10^12 pieces: sums of stock stay far below 2^53.
  CONSTRAINT inventory_bounded CHECK (stock <= 1000000000000 AND reserved <= 1000000000000),
  PRIMARY KEY (variant_id, location_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inventory_by_location ON inventory (location_id);
CREATE INDEX inventory_low ON inventory (variant_id) WHERE stock <= low_stock_threshold;

CREATE TABLE reservations (
  id          TEXT PRIMARY KEY,
  variant_id  TEXT NOT NULL,
  location_id TEXT NOT NULL,
  cart_id     TEXT REFERENCES carts (id),
  quantity    INTEGER NOT NULL CONSTRAINT reservations_quantity_bounded CHECK (quantity BETWEEN 1 AND 10000),
  status      TEXT NOT NULL CONSTRAINT reservations_status_known CHECK (status IN ('HELD', 'CONSUMED', 'RELEASED', 'EXPIRED')),
  expires_at  TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  CONSTRAINT reservations_expire_later CHECK (expires_at > created_at),
  FOREIGN KEY (variant_id, location_id) REFERENCES inventory (variant_id, location_id)
) STRICT;
CREATE INDEX reservations_by_variant ON reservations (variant_id, location_id);
CREATE INDEX reservations_by_cart ON reservations (cart_id) WHERE cart_id IS NOT NULL;
CREATE INDEX reservations_held ON reservations (variant_id, expires_at) WHERE status = 'HELD';
CREATE INDEX reservations_by_expires_at ON reservations (expires_at) WHERE status = 'HELD';
-- A hold ends once: what was consumed, released or expired stays so.
CREATE TRIGGER reservations_end_once BEFORE UPDATE OF status ON reservations
WHEN OLD.status <> 'HELD' AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'reservations_second_end_refused: the hold has ended'); END;
CREATE TRIGGER reservations_are_kept BEFORE DELETE ON reservations WHEN OLD.status = 'HELD'
BEGIN SELECT RAISE(ABORT, 'reservations_deletion_refused: the hold has not ended'); END;
