-- The subtotal of an order is the sum of its lines.
SELECT o.id, o.subtotal, (SELECT sum(total) FROM order_items WHERE order_id = o.id) AS lines FROM orders o
WHERE o.subtotal IS NOT (SELECT coalesce(sum(total), 0) FROM order_items WHERE order_id = o.id)
