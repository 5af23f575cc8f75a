-- A cart is CHECKED_OUT exactly if it became an order.
SELECT id, status FROM carts c
WHERE status = 'CHECKED_OUT' AND NOT EXISTS (SELECT 1 FROM orders WHERE cart_id = c.id)
UNION ALL
SELECT c.id, c.status FROM orders o JOIN carts c ON c.id = o.cart_id WHERE c.status <> 'CHECKED_OUT'
