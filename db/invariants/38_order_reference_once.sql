-- No two orders have the same reference.
SELECT reference, count(*) AS orders FROM orders GROUP BY reference HAVING count(*) > 1
