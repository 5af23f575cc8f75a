-- A payment has the currency of its order.
SELECT p.id, p.order_id, p.currency, o.currency AS order_currency FROM payments p JOIN orders o ON o.id = p.order_id
WHERE p.currency <> o.currency
