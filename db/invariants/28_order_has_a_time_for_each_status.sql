-- An order has a time for each status it went through, and for no other.
-- Covers orders_status_has_its_time. Only of a cancelled order its events say how far it came.
SELECT id, status, paid_at, fulfilled_at, shipped_at, delivered_at, cancelled_at FROM orders o
WHERE CASE status WHEN 'CANCELLED' THEN cancelled_at IS NULL OR shipped_at IS NOT NULL OR delivered_at IS NOT NULL
    OR (paid_at IS NOT NULL) <> EXISTS (SELECT 1 FROM order_events WHERE order_id = o.id AND to_status = 'PAID')
    OR (fulfilled_at IS NOT NULL) <> EXISTS (SELECT 1 FROM order_events WHERE order_id = o.id AND to_status = 'FULFILLED')
  ELSE cancelled_at IS NOT NULL OR (paid_at IS NOT NULL) <> (status <> 'PENDING')
    OR (fulfilled_at IS NOT NULL) <> (status IN ('FULFILLED', 'SHIPPED', 'DELIVERED'))
    OR (shipped_at IS NOT NULL) <> (status IN ('SHIPPED', 'DELIVERED'))
    OR (delivered_at IS NOT NULL) <> (status = 'DELIVERED') END;
