-- A move that names an order is of a variant that the order holds.
SELECT m.id, m.order_id, m.variant_id FROM stock_moves m
WHERE m.order_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = m.order_id AND +i.variant_id = m.variant_id)
