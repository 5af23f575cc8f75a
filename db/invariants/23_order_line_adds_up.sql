-- A line is its pieces times its price, both within bounds, and owes no more pieces than were ordered.
-- Covers order_items_total_adds_up, order_items_quantity_bounded, order_items_unit_price_bounded, order_items_backordered_bounded.
SELECT id, order_id, quantity, backordered_quantity, unit_price, total FROM order_items
WHERE total IS NOT quantity * unit_price OR quantity NOT BETWEEN 1 AND 10000 OR unit_price NOT BETWEEN 0 AND 1000000000
  OR backordered_quantity NOT BETWEEN 0 AND quantity;
