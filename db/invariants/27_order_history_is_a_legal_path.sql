-- The events of an order are a legal path from PENDING to its status. (No path visits a status twice, and each rises in rank.)
WITH steps AS (
  SELECT order_id, id, from_status, to_status, lag(to_status) OVER path AS before, lead(to_status) OVER path AS after
  FROM order_events
  WINDOW path AS (PARTITION BY order_id ORDER BY instr('PENDING PAID FULFILLED SHIPPED DELIVERED CANCELLED', to_status))
)
SELECT s.order_id, s.id AS event_id, s.from_status, s.to_status, o.status FROM steps s JOIN orders o ON o.id = s.order_id
WHERE s.from_status IS NOT s.before OR (s.after IS NULL AND s.to_status <> o.status)
  OR coalesce(s.from_status, '') || '>' || s.to_status NOT IN ('>PENDING', 'PENDING>PAID', 'PAID>FULFILLED', 'FULFILLED>SHIPPED',
    'SHIPPED>DELIVERED', 'PENDING>CANCELLED', 'PAID>CANCELLED', 'FULFILLED>CANCELLED')
UNION ALL
SELECT o.id, NULL, NULL, NULL, o.status FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_events WHERE order_id = o.id)
