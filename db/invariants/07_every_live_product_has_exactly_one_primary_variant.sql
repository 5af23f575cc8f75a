-- Every product that is not deleted has exactly one primary variant that is not deleted.
-- Covers variants_one_primary.
SELECT p.id, count(v.id) AS primary_variants
FROM live_products p LEFT JOIN live_variants v ON v.product_id = p.id AND v.is_primary = 1
GROUP BY p.id
HAVING count(v.id) <> 1;
