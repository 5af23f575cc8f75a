-- 0007 order lists: the lists of orders by phone and by API key are walked in their order, down to the id, and never sorted.

DROP INDEX orders_by_phone;
CREATE INDEX orders_by_phone ON orders (customer_phone, placed_at, id);
DROP INDEX orders_by_api_key;
CREATE INDEX orders_by_api_key ON orders (api_key_id, placed_at, id) WHERE api_key_id IS NOT NULL;
