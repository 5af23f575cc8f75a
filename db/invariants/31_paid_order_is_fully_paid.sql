-- An order that is PAID or further, and not cancelled, has settled payments of its total; a PENDING one is not fully paid.
SELECT o.id, o.status, o.total, (SELECT sum(amount) FROM payments WHERE order_id = o.id AND status = 'SETTLED') AS settled
FROM orders o
WHERE o.status <> 'CANCELLED' AND (o.status <> 'PENDING' OR o.total > 0)
  AND (o.status <> 'PENDING')
    <> (o.total = (SELECT coalesce(sum(amount), 0) FROM payments WHERE order_id = o.id AND status = 'SETTLED'))
