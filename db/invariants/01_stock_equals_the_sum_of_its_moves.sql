-- What can be sold of a variant is the sum of all changes in its trail: no piece came or went unseen.
SELECT i.variant_id, i.location_id, i.stock, coalesce(sum(m.delta), 0) AS moved
FROM inventory i LEFT JOIN stock_moves m ON m.variant_id = i.variant_id AND m.location_id = i.location_id
GROUP BY i.variant_id, i.location_id
HAVING i.stock <> coalesce(sum(m.delta), 0);
