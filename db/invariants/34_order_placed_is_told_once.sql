-- Every order has its order.placed message in the outbox, once.
SELECT o.id, (SELECT count(*) FROM outbox WHERE entity_id = o.id AND topic = 'order.placed') AS messages FROM orders o
WHERE (SELECT count(*) FROM outbox WHERE entity_id = o.id AND topic = 'order.placed') <> 1
