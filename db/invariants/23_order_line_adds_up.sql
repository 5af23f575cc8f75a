-- A line is its pieces times its price, in the currency of its order, and owes no more pieces than were ordered.
SELECT i.id, i.order_id, i.quantity, i.backordered_quantity, i.unit_price, i.total, i.currency FROM order_items i
JOIN orders o ON o.id = i.order_id
WHERE i.total IS NOT i.quantity * i.unit_price OR i.currency <> o.currency OR i.quantity < 1
  OR i.backordered_quantity NOT BETWEEN 0 AND i.quantity
