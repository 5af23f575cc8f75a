-- The version of an order rises with each step of its history.
SELECT o.id, o.version, count(e.id) AS events FROM orders o JOIN order_events e ON e.order_id = o.id
GROUP BY o.id HAVING o.version < count(e.id)
