-- The settled payments of an order are at most its total.
SELECT o.id, o.total, p.settled FROM (
  SELECT order_id, sum(amount) AS settled FROM payments WHERE status = 'SETTLED' GROUP BY order_id
) p JOIN orders o ON o.id = p.order_id
WHERE p.settled > o.total
