-- 0004 sale: carts, orders, their events, payments.

CREATE TABLE carts (
  id         TEXT PRIMARY KEY,
  user_id    TEXT REFERENCES users (id),
  api_key_id TEXT REFERENCES api_keys (id),
  token_hash TEXT CONSTRAINT carts_token_hash_is_sha256 CHECK (length(token_hash) = 64),
  status     TEXT NOT NULL DEFAULT 'ACTIVE' CONSTRAINT carts_status_known CHECK (status IN ('ACTIVE', 'CHECKED_OUT', 'ABANDONED')),
  version    INTEGER NOT NULL DEFAULT 1 CONSTRAINT carts_version_positive CHECK (version >= 1),
  expires_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CONSTRAINT carts_expire_later CHECK (expires_at > created_at),
  CONSTRAINT carts_one_owner CHECK ((user_id IS NOT NULL) + (api_key_id IS NOT NULL) + (token_hash IS NOT NULL) <= 1)
) STRICT;
CREATE INDEX carts_by_user ON carts (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX carts_by_api_key ON carts (api_key_id) WHERE api_key_id IS NOT NULL;
CREATE INDEX carts_by_status ON carts (status, updated_at);
CREATE INDEX carts_by_expires_at ON carts (expires_at) WHERE status = 'ACTIVE';

CREATE TABLE cart_items (
  id         TEXT PRIMARY KEY,
  cart_id    TEXT NOT NULL REFERENCES carts (id),
  variant_id TEXT NOT NULL REFERENCES variants (id),
  quantity   INTEGER NOT NULL CONSTRAINT cart_items_quantity_bounded CHECK (quantity BETWEEN 1 AND 10000),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX cart_items_variant_once ON cart_items (cart_id, variant_id);
-- A cart, and the order made of it, show their articles as they were put in, without sorting.
CREATE INDEX cart_items_by_cart ON cart_items (cart_id, id);
CREATE INDEX cart_items_by_variant ON cart_items (variant_id);

CREATE TABLE orders (
  id               TEXT PRIMARY KEY,
  reference        TEXT NOT NULL CONSTRAINT orders_reference_has_its_form CHECK (length(reference) = 9 AND substr(reference, 5, 1) = '-'),
  user_id          TEXT REFERENCES users (id),
  api_key_id       TEXT REFERENCES api_keys (id),
  cart_id          TEXT REFERENCES carts (id),
  status           TEXT NOT NULL CONSTRAINT orders_status_known CHECK (status IN ('PENDING', 'PAID', 'FULFILLED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
  version          INTEGER NOT NULL DEFAULT 1 CONSTRAINT orders_version_positive CHECK (version >= 1),
  currency         TEXT NOT NULL CONSTRAINT orders_currency_is_iso CHECK (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*'),
  subtotal         INTEGER NOT NULL CONSTRAINT orders_subtotal_not_negative CHECK (subtotal >= 0),
  discount         INTEGER NOT NULL CONSTRAINT orders_discount_not_above_subtotal CHECK (discount BETWEEN 0 AND subtotal),
  tax              INTEGER NOT NULL CONSTRAINT orders_tax_not_negative CHECK (tax >= 0),
  shipping         INTEGER NOT NULL CONSTRAINT orders_shipping_not_negative CHECK (shipping >= 0),
  total            INTEGER NOT NULL CONSTRAINT orders_total_adds_up CHECK (total = subtotal - discount + tax + shipping AND total BETWEEN 0 AND 9007199254740991),
  -- The person, as JSON: name, phone, email. Erasable without touching the books; the phone also stands alone, for looking up.
  customer         TEXT NOT NULL CONSTRAINT orders_customer_is_json CHECK (json_valid(customer)),
  customer_phone   TEXT,
  shipping_address TEXT CONSTRAINT orders_shipping_address_is_json CHECK (json_valid(shipping_address)),
  billing_address  TEXT CONSTRAINT orders_billing_address_is_json CHECK (json_valid(billing_address)),
  notes            TEXT,
  metadata         TEXT NOT NULL DEFAULT '{}' CONSTRAINT orders_metadata_is_an_object CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
  placed_at        TEXT NOT NULL,
  expires_at       TEXT,
  paid_at          TEXT,
  fulfilled_at     TEXT,
  shipped_at       TEXT,
  delivered_at     TEXT,
  cancelled_at     TEXT,
  created_at       TEXT NOT NULL,
  updated_at       TEXT NOT NULL,
  CONSTRAINT orders_status_has_its_time CHECK (
    status = 'PENDING' OR CASE status WHEN 'PAID' THEN paid_at WHEN 'FULFILLED' THEN fulfilled_at WHEN 'SHIPPED' THEN shipped_at
      WHEN 'DELIVERED' THEN delivered_at ELSE cancelled_at END IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX orders_reference_once ON orders (reference);
CREATE UNIQUE INDEX orders_cart_once ON orders (cart_id) WHERE cart_id IS NOT NULL;
CREATE INDEX orders_by_user ON orders (user_id, status, placed_at) WHERE user_id IS NOT NULL;
CREATE INDEX orders_by_api_key ON orders (api_key_id, placed_at, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX orders_by_phone ON orders (customer_phone, placed_at, id);
CREATE INDEX orders_by_status ON orders (status, placed_at, id);
CREATE INDEX orders_by_expires_at ON orders (expires_at) WHERE status = 'PENDING' AND expires_at IS NOT NULL;
CREATE TRIGGER orders_status_moves BEFORE UPDATE OF status ON orders
WHEN NEW.status <> OLD.status AND NOT (
  (OLD.status = 'PENDING' AND NEW.status IN ('PAID', 'CANCELLED'))
  OR (OLD.status = 'PAID' AND NEW.status IN ('FULFILLED', 'CANCELLED'))
  OR (OLD.status = 'FULFILLED' AND NEW.status IN ('SHIPPED', 'CANCELLED'))
  OR (OLD.status = 'SHIPPED' AND NEW.status = 'DELIVERED'))
BEGIN SELECT json_extract('{}', 'guard:illegal_transition:' || json_object('from', OLD.status, 'to', NEW.status)); END;
CREATE TRIGGER orders_begin_pending BEFORE INSERT ON orders WHEN NEW.status <> 'PENDING'
BEGIN SELECT RAISE(ABORT, 'orders_beginning_refused: an order begins PENDING'); END;
CREATE TRIGGER orders_amounts_stay BEFORE UPDATE OF id, reference, currency, subtotal, discount, tax, shipping, total, placed_at ON orders
WHEN (NEW.id, NEW.reference, NEW.currency, NEW.subtotal, NEW.discount, NEW.tax, NEW.shipping, NEW.total, NEW.placed_at)
  IS NOT (OLD.id, OLD.reference, OLD.currency, OLD.subtotal, OLD.discount, OLD.tax, OLD.shipping, OLD.total, OLD.placed_at)
BEGIN SELECT RAISE(ABORT, 'orders_amounts_refused: a placed order keeps its amounts'); END;
CREATE TRIGGER orders_are_kept BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders_deletion_refused: orders are history'); END;
-- INSERT OR REPLACE deletes without a DELETE trigger: an id, reference or cart that exists is refused before it can.
CREATE TRIGGER orders_are_not_replaced BEFORE INSERT ON orders
WHEN EXISTS (SELECT 1 FROM orders WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM orders WHERE reference = NEW.reference)
  OR EXISTS (SELECT 1 FROM orders WHERE cart_id = NEW.cart_id) OR EXISTS (SELECT 1 FROM orders WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'orders_replacement_refused: the order exists'); END;

CREATE TABLE order_items (
  id                   TEXT PRIMARY KEY,
  order_id             TEXT NOT NULL REFERENCES orders (id),
  product_id           TEXT NOT NULL REFERENCES products (id),
  variant_id           TEXT NOT NULL REFERENCES variants (id),
  producer_id          TEXT REFERENCES producers (id),
  title                TEXT NOT NULL,
  variant_title        TEXT NOT NULL,
  variant              TEXT NOT NULL CONSTRAINT order_items_variant_is_json CHECK (json_valid(variant)),
  status               TEXT NOT NULL DEFAULT 'PENDING' CONSTRAINT order_items_status_known CHECK (status IN ('PENDING', 'PAID', 'FULFILLED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
  quantity             INTEGER NOT NULL CONSTRAINT order_items_quantity_bounded CHECK (quantity BETWEEN 1 AND 10000),
  backordered_quantity INTEGER NOT NULL DEFAULT 0 CONSTRAINT order_items_backordered_bounded CHECK (backordered_quantity BETWEEN 0 AND quantity),
  currency             TEXT NOT NULL CONSTRAINT order_items_currency_is_iso CHECK (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*'),
  unit_price           INTEGER NOT NULL CONSTRAINT order_items_unit_price_bounded CHECK (unit_price BETWEEN 0 AND 1000000000),
  total                INTEGER NOT NULL CONSTRAINT order_items_total_adds_up CHECK (total = quantity * unit_price),
  created_at           TEXT NOT NULL,
  updated_at           TEXT NOT NULL
) STRICT;
CREATE INDEX order_items_by_order ON order_items (order_id, id);
CREATE INDEX order_items_by_product ON order_items (product_id);
CREATE INDEX order_items_by_variant ON order_items (variant_id);
CREATE INDEX order_items_by_producer ON order_items (producer_id, status) WHERE producer_id IS NOT NULL;
CREATE INDEX order_items_backordered ON order_items (variant_id, id) WHERE backordered_quantity > 0;
CREATE TRIGGER order_items_amounts_stay BEFORE UPDATE OF id, order_id, product_id, variant_id, title, quantity, currency, unit_price, total ON order_items
WHEN (NEW.id, NEW.order_id, NEW.product_id, NEW.variant_id, NEW.title, NEW.quantity, NEW.currency, NEW.unit_price, NEW.total)
  IS NOT (OLD.id, OLD.order_id, OLD.product_id, OLD.variant_id, OLD.title, OLD.quantity, OLD.currency, OLD.unit_price, OLD.total)
BEGIN SELECT RAISE(ABORT, 'order_items_amounts_refused: a placed order keeps its lines'); END;
CREATE TRIGGER order_items_are_kept BEFORE DELETE ON order_items
BEGIN SELECT RAISE(ABORT, 'order_items_deletion_refused: orders are history'); END;
CREATE TRIGGER order_items_are_not_replaced BEFORE INSERT ON order_items
WHEN EXISTS (SELECT 1 FROM order_items WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM order_items WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'order_items_replacement_refused: the item exists'); END;

-- What was ordered stays in the catalog, at least archived, whoever writes.
CREATE TRIGGER products_ordered_are_kept BEFORE UPDATE OF deleted_at ON products
WHEN NEW.deleted_at IS NOT NULL AND EXISTS (SELECT 1 FROM order_items WHERE product_id = NEW.id)
BEGIN SELECT json_extract('{}', 'guard:product_ordered:'); END;
CREATE TRIGGER variants_ordered_are_kept BEFORE UPDATE OF deleted_at ON variants
WHEN NEW.deleted_at IS NOT NULL AND EXISTS (SELECT 1 FROM order_items WHERE variant_id = NEW.id)
BEGIN SELECT json_extract('{}', 'guard:variant_ordered:'); END;

CREATE TABLE order_events (
  id          TEXT PRIMARY KEY,
  order_id    TEXT NOT NULL REFERENCES orders (id),
  from_status TEXT,
  to_status   TEXT NOT NULL,
  actor       TEXT NOT NULL,
  note        TEXT,
  created_at  TEXT NOT NULL
) STRICT;
CREATE INDEX order_events_by_order ON order_events (order_id, id);
CREATE TRIGGER order_events_append_only_update BEFORE UPDATE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events_append_only: history is not changed'); END;
CREATE TRIGGER order_events_append_only_delete BEFORE DELETE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events_append_only: history is not removed'); END;
CREATE TRIGGER order_events_append_only_replace BEFORE INSERT ON order_events
WHEN EXISTS (SELECT 1 FROM order_events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM order_events WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'order_events_append_only: history is not replaced'); END;

CREATE TABLE payments (
  id               TEXT PRIMARY KEY,
  order_id         TEXT NOT NULL REFERENCES orders (id),
  user_id          TEXT REFERENCES users (id),
  provider         TEXT NOT NULL CONSTRAINT payments_provider_known CHECK (provider IN ('STRIPE', 'PAYPAL', 'IYZICO', 'MANUAL')),
  status           TEXT NOT NULL CONSTRAINT payments_status_known CHECK (status IN ('INITIATED', 'AUTHORIZED', 'SETTLED', 'FAILED', 'REFUNDED')),
  transaction_id   TEXT,
  conversation_id  TEXT,
  amount           INTEGER NOT NULL CONSTRAINT payments_amount_positive CHECK (amount BETWEEN 1 AND 9007199254740991),
  paid_price       INTEGER CONSTRAINT payments_paid_price_not_negative CHECK (paid_price >= 0),
  currency         TEXT NOT NULL CONSTRAINT payments_currency_is_iso CHECK (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*'),
  installment      INTEGER CONSTRAINT payments_installment_positive CHECK (installment >= 1),
  payment_channel  TEXT,
  payment_group    TEXT,
  card_token       TEXT,
  card_association TEXT,
  card_family      TEXT,
  bin_number       TEXT CONSTRAINT payments_bin_number_short CHECK (length(bin_number) <= 8),
  last_four_digits TEXT CONSTRAINT payments_last_four_digits_are_four CHECK (length(last_four_digits) = 4),
  three_ds_html    TEXT,
  ip_address       TEXT,
  device_id        TEXT,
  fraud_score      INTEGER,
  risk_flags       TEXT CONSTRAINT payments_risk_flags_are_json CHECK (json_valid(risk_flags)),
  authorized_at    TEXT,
  settled_at       TEXT,
  failed_at        TEXT,
  failure_reason   TEXT,
  failure_code     TEXT,
  raw_payload      TEXT CONSTRAINT payments_raw_payload_is_json CHECK (json_valid(raw_payload)),
  created_at       TEXT NOT NULL,
  updated_at       TEXT NOT NULL,
  CONSTRAINT payments_settled_has_its_time CHECK (status <> 'SETTLED' OR settled_at IS NOT NULL)
) STRICT;
CREATE INDEX payments_by_order ON payments (order_id, status);
CREATE INDEX payments_by_user ON payments (user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX payments_transaction_once ON payments (transaction_id) WHERE transaction_id IS NOT NULL;
-- Settled payments of an order never exceed its total and have its currency, whoever writes them.
CREATE TRIGGER payments_match_the_order_on_insert BEFORE INSERT ON payments
WHEN NEW.currency <> (SELECT currency FROM orders WHERE id = NEW.order_id) OR (NEW.status = 'SETTLED' AND NEW.amount > (
  SELECT o.total - coalesce((SELECT sum(amount) FROM payments WHERE order_id = o.id AND status = 'SETTLED'), 0) FROM orders o WHERE o.id = NEW.order_id))
BEGIN SELECT RAISE(ABORT, 'payments_amount_refused: more than is due, or another currency'); END;
CREATE TRIGGER payments_match_the_order_on_update BEFORE UPDATE ON payments
WHEN NEW.currency <> (SELECT currency FROM orders WHERE id = NEW.order_id) OR NEW.order_id <> OLD.order_id OR (NEW.status = 'SETTLED' AND NEW.amount > (
  SELECT o.total - coalesce((SELECT sum(amount) FROM payments WHERE order_id = o.id AND status = 'SETTLED' AND id <> NEW.id), 0) FROM orders o WHERE o.id = NEW.order_id))
BEGIN SELECT RAISE(ABORT, 'payments_amount_refused: more than is due, or another currency'); END;
CREATE TRIGGER payments_are_kept BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'payments_deletion_refused: payments are history'); END;
CREATE TRIGGER payments_are_not_replaced BEFORE INSERT ON payments
WHEN EXISTS (SELECT 1 FROM payments WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM payments WHERE rowid = NEW.rowid)
  OR EXISTS (SELECT 1 FROM payments WHERE transaction_id = NEW.transaction_id)
BEGIN SELECT RAISE(ABORT, 'payments_replacement_refused: the payment exists'); END;
