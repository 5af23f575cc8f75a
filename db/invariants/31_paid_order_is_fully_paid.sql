-- An order that is PAID or further, and not cancelled, has settled payments of its total; a PENDING one is not fully paid.
SELECT id, status, total, settled FROM (
  SELECT id, status, total, (
    SELECT coalesce(sum(amount), 0) FROM payments WHERE order_id = orders.id AND status = 'SETTLED') AS settled
  FROM orders WHERE status <> 'CANCELLED')
WHERE CASE status WHEN 'PENDING' THEN total > 0 AND settled = total ELSE settled < total END;
