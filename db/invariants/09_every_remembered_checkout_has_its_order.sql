-- An order that a remembered answer promises was placed.
SELECT scope, key, order_id FROM (
  SELECT scope, key, CASE WHEN json_valid(answer) THEN answer ->> 'id' END AS order_id
  FROM idempotency_keys WHERE status = 201)
WHERE order_id GLOB 'order_*' AND NOT EXISTS (SELECT 1 FROM orders WHERE id = order_id);
