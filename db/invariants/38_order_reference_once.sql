-- No two orders have the same reference.
-- Covers orders_reference_once.
SELECT reference, count(*) AS orders FROM orders GROUP BY reference HAVING count(*) > 1
