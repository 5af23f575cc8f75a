-- A payment is of a positive amount, and a settled one says when.
-- Covers payments_amount_positive, payments_settled_has_its_time.
SELECT id, order_id, amount, settled_at FROM payments
WHERE amount NOT BETWEEN 1 AND 9007199254740991 OR (status = 'SETTLED' AND settled_at IS NULL);
