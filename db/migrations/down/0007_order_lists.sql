-- Way back of 0007: the lists are found by phone and key alone again.
DROP INDEX orders_by_api_key;
CREATE INDEX orders_by_api_key ON orders (api_key_id) WHERE api_key_id IS NOT NULL;
DROP INDEX orders_by_phone;
CREATE INDEX orders_by_phone ON orders (customer_phone, placed_at);
