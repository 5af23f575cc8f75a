-- An order has a time for each status it went through, and for no other.
SELECT o.id, o.status, o.paid_at, o.fulfilled_at, o.shipped_at, o.delivered_at, o.cancelled_at FROM orders o
JOIN (
  SELECT order_id, max(to_status = 'PAID') AS paid, max(to_status = 'FULFILLED') AS fulfilled, max(to_status = 'SHIPPED') AS shipped,
    max(to_status = 'DELIVERED') AS delivered, max(to_status = 'CANCELLED') AS cancelled
  FROM order_events GROUP BY order_id
) e ON e.order_id = o.id
WHERE (e.paid, e.fulfilled, e.shipped, e.delivered, e.cancelled)
  <> (o.paid_at IS NOT NULL, o.fulfilled_at IS NOT NULL, o.shipped_at IS NOT NULL, o.delivered_at IS NOT NULL, o.cancelled_at IS NOT NULL)
