-- Every order has its order.placed message in the outbox, once; and there is no such message of an order that was not placed.
SELECT o.id, (SELECT count(*) FROM outbox WHERE entity_id = o.id AND topic = 'order.placed') AS messages FROM orders o
WHERE (SELECT count(*) FROM outbox WHERE entity_id = o.id AND topic = 'order.placed') <> 1
UNION ALL
SELECT entity_id, 1 FROM outbox b WHERE topic = 'order.placed' AND NOT EXISTS (SELECT 1 FROM orders WHERE id = b.entity_id);
