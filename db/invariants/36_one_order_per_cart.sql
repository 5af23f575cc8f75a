-- A cart became at most one order.
-- Covers orders_cart_once.
SELECT cart_id, count(*) AS orders FROM orders WHERE cart_id IS NOT NULL GROUP BY cart_id HAVING count(*) > 1
