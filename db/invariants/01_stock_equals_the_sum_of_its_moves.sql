-- What can be sold of a variant is the sum of all changes in its trail: no piece came or went unseen.
SELECT i.variant_id, i.location_id, i.stock, coalesce(m.moved, 0) AS moved
FROM inventory i LEFT JOIN (
  SELECT variant_id, location_id, sum(delta) AS moved FROM stock_moves GROUP BY variant_id, location_id
) m ON m.variant_id = i.variant_id AND m.location_id = i.location_id
WHERE i.stock <> coalesce(m.moved, 0);
