-- The items of an order have its status and its currency, and those of a cancelled one owe nothing.
SELECT i.id, i.order_id, i.status, o.status AS order_status, i.currency, o.currency AS order_currency, i.backordered_quantity
FROM order_items i JOIN orders o ON o.id = i.order_id
WHERE i.status <> o.status OR i.currency <> o.currency OR (o.status = 'CANCELLED' AND i.backordered_quantity > 0);
