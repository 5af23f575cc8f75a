-- What a cancelled order took from stock it gave back, variant by variant, and once; it moved nothing that it did not hold.
SELECT m.order_id, m.variant_id, sum(m.delta) AS missing FROM orders o
CROSS JOIN stock_moves m ON m.order_id = o.id
WHERE o.status = 'CANCELLED' GROUP BY m.order_id, m.variant_id
HAVING sum(m.delta) <> 0 OR sum(m.reason = 'return') > 1
  OR NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = m.order_id AND +i.variant_id = m.variant_id);
