-- Every piece sold was sold by an order, and an order moves pieces only by selling them and taking them back.
SELECT id, order_id, variant_id, reason FROM stock_moves
WHERE (reason = 'sale' AND order_id IS NULL) OR (order_id IS NOT NULL AND reason NOT IN ('sale', 'return'));
