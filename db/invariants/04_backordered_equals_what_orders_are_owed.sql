-- What a variant owes is what its items of orders that are not cancelled wait for.
SELECT variant_id, sum(backordered) AS backordered, sum(owed) AS owed FROM (
  SELECT variant_id, backordered, 0 AS owed FROM inventory
  UNION ALL
  SELECT i.variant_id, 0, i.backordered_quantity
  FROM order_items i JOIN orders o ON o.id = i.order_id
  WHERE i.backordered_quantity > 0 AND o.status <> 'CANCELLED')
GROUP BY variant_id
HAVING sum(backordered) <> sum(owed);
