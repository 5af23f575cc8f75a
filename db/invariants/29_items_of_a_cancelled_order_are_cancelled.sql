-- The items of a cancelled order are cancelled and owe nothing; no other order's items all are.
SELECT o.id, o.status, count(*) AS items FROM orders o JOIN order_items i ON i.order_id = o.id
GROUP BY o.id
HAVING (o.status = 'CANCELLED') <> (min(i.status = 'CANCELLED') AND max(i.backordered_quantity) = 0)
