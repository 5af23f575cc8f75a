-- The sale moves of an order that was not cancelled are the pieces ordered less those still owed, variant by variant.
SELECT i.order_id, i.variant_id, i.sold, m.moved FROM (
  SELECT order_id, variant_id, sum(quantity - backordered_quantity) AS sold FROM order_items GROUP BY order_id, variant_id
) i
JOIN orders o ON o.id = i.order_id AND o.status <> 'CANCELLED'
LEFT JOIN (
  SELECT order_id, variant_id, -sum(delta) AS moved FROM stock_moves
  WHERE order_id IS NOT NULL AND reason = 'sale' GROUP BY order_id, variant_id
) m ON m.order_id = i.order_id AND m.variant_id = i.variant_id
WHERE i.sold IS NOT coalesce(m.moved, 0)
