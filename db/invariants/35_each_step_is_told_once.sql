-- Every step of an order has its message in the outbox, once; and there is no message of a step that was not taken.
SELECT e.order_id, e.to_status AS step FROM order_events e
WHERE e.from_status IS NOT NULL
  AND (SELECT count(*) FROM outbox WHERE entity_id = e.order_id AND topic = 'order.' || lower(e.to_status)) <> 1
UNION ALL
SELECT b.entity_id, b.topic FROM outbox b
WHERE b.entity = 'order' AND b.topic IN ('order.paid', 'order.fulfilled', 'order.shipped', 'order.delivered', 'order.cancelled')
  AND NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = b.entity_id AND 'order.' || lower(e.to_status) = b.topic)
