-- Orders made in bulk, one for each of `numbers`, two pieces each, with every row that a checkout writes. Line i sells one piece
-- of variant i * 7919 % :variants: a permutation, so each variant is sold once in :variants lines, and its balance is known.
-- References, phones and keys come in random order, as in life; ids in the order of time.
CREATE TEMP TABLE sold AS
SELECT n.value AS number, 2 * n.value + j.value AS line, (2 * n.value + j.value) * 7919 % :variants AS variant,
  100 + (2 * n.value + j.value) * 7919 % :variants * 7919 % 9900 AS price,
  strftime('%Y-%m-%dT%H:%M:%fZ', '2026-11-01', '+' || n.value || ' seconds') AS placed_at
FROM numbers n CROSS JOIN json_each('[0,1]') j;

INSERT INTO orders (id, reference, status, currency, subtotal, discount, tax, shipping, total, customer, customer_phone,
  shipping_address, placed_at, expires_at, created_at, updated_at)
SELECT 'order_01' || printf('%024d', number), printf('%04X-%04X', number * 2654435761 % 4294967296 / 65536, number * 2654435761 % 65536),
  'PENDING', 'EUR', sum(price), 0, 0, 0, sum(price),
  json_object('name', 'Eleni', 'phone', '+3069' || printf('%08d', number * 48271 % 100000000), 'email', 'eleni@example.com'),
  '+3069' || printf('%08d', number * 48271 % 100000000),
  '{"line1":"Ermou 1","city":"Athens","postal_code":"10563","country":"GR"}', placed_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', placed_at, '+1 day'), placed_at, placed_at
FROM sold GROUP BY number;

INSERT INTO order_items (id, order_id, product_id, variant_id, producer_id, title, variant_title, variant, quantity, currency,
  unit_price, total, created_at, updated_at)
SELECT 'item_01' || printf('%024d', line), 'order_01' || printf('%024d', number), 'product_00' || printf('%024d', variant),
  'variant_00' || printf('%024d', variant), 'producer_00' || printf('%024d', variant % 50), 'Product number ' || variant || ' of the shop',
  'Product number ' || variant || ', M', json_object('sku', 'SKU-' || variant, 'size', 'M'), 1, 'EUR', price, price, placed_at, placed_at
FROM sold ORDER BY line;

INSERT INTO stock_moves (id, variant_id, location_id, order_id, delta, reason, balance_after, actor, created_at)
SELECT 'move_01' || printf('%024d', line), 'variant_00' || printf('%024d', variant), :location_id, 'order_01' || printf('%024d', number),
  -1, 'sale', :stock - line / :variants - 1, 'anonymous', placed_at
FROM sold ORDER BY line;

UPDATE inventory SET stock = stock - s.pieces FROM (SELECT variant, count(*) AS pieces FROM sold GROUP BY variant) s
WHERE inventory.variant_id = 'variant_00' || printf('%024d', s.variant) AND +inventory.location_id = :location_id;

INSERT INTO order_events (id, order_id, to_status, actor, created_at)
SELECT 'event_01' || printf('%024d', number), 'order_01' || printf('%024d', number), 'PENDING', 'anonymous', placed_at
FROM sold WHERE line % 2 = 0 ORDER BY line;

INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, sent_at, created_at, updated_at)
SELECT 'outbox_01' || printf('%024d', number), 'order.placed', 'order', 'order_01' || printf('%024d', number),
  json_object('order_id', 'order_01' || printf('%024d', number)), placed_at, placed_at, placed_at, placed_at
FROM sold WHERE line % 2 = 0 ORDER BY line;

INSERT INTO idempotency_keys (scope, key, fingerprint, status, headers, answer, expires_at, created_at, updated_at)
SELECT 'anonymous', lower(hex(randomblob(16))), lower(hex(randomblob(32))), 201, '[]',
  '{"id":"order_01' || printf('%024d', number) || '","rest":"' || hex(zeroblob(600)) || '"}',
  strftime('%Y-%m-%dT%H:%M:%fZ', placed_at, '+1 day'), placed_at, placed_at
FROM sold WHERE line % 2 = 0 ORDER BY line;

DROP TABLE sold;
