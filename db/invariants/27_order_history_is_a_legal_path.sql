-- The events of an order are a legal path from PENDING to its status, each step once.
-- Each legal step has a power of ten: their sum and their number say which steps there are, and that no other is.
SELECT o.id, o.status, (
  SELECT group_concat(coalesce(from_status, '') || '>' || to_status, ' ') FROM order_events WHERE order_id = o.id) AS steps
FROM orders o LEFT JOIN (
  SELECT order_id, count(*) AS steps, sum(CASE coalesce(from_status, '') || '>' || to_status
    WHEN '>PENDING' THEN 1 WHEN 'PENDING>PAID' THEN 10 WHEN 'PAID>FULFILLED' THEN 100 WHEN 'FULFILLED>SHIPPED' THEN 1000
    WHEN 'SHIPPED>DELIVERED' THEN 10000 WHEN 'PENDING>CANCELLED' THEN 100000 WHEN 'PAID>CANCELLED' THEN 1000000
    WHEN 'FULFILLED>CANCELLED' THEN 10000000 ELSE 100000000 END) AS path
  FROM order_events GROUP BY order_id
) e ON e.order_id = o.id
WHERE coalesce(o.status || ' ' || e.path || ' ' || e.steps, '') NOT IN ('PENDING 1 1', 'PAID 11 2', 'FULFILLED 111 3',
  'SHIPPED 1111 4', 'DELIVERED 11111 5', 'CANCELLED 100001 2', 'CANCELLED 1000011 3', 'CANCELLED 10000111 4');
