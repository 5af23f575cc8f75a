-- A settled payment says when, and its amount is positive.
SELECT id, order_id, amount, settled_at FROM payments WHERE status = 'SETTLED' AND (settled_at IS NULL OR amount < 1)
