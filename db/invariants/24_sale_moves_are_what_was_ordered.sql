-- The sale moves of an order that was not cancelled are the pieces ordered less those still owed, variant by variant.
SELECT order_id, variant_id, sum(sold) AS sold, sum(moved) AS moved FROM (
  SELECT order_id, variant_id, quantity - backordered_quantity AS sold, 0 AS moved FROM order_items
  UNION ALL
  SELECT order_id, variant_id, 0, -delta FROM stock_moves WHERE order_id IS NOT NULL AND reason = 'sale') b
GROUP BY order_id, variant_id
HAVING sum(sold) <> sum(moved) AND (SELECT status FROM orders WHERE id = b.order_id) <> 'CANCELLED';
