-- What was deleted took along what hung on it: no variant of a deleted product, no category below a deleted one is shown.
SELECT 'variants' AS in_table, v.id FROM products p JOIN variants v ON v.product_id = p.id
WHERE p.deleted_at IS NOT NULL AND v.deleted_at IS NULL
UNION ALL
SELECT 'categories', c.id FROM categories p JOIN categories c ON c.parent_id = p.id
WHERE p.deleted_at IS NOT NULL AND c.deleted_at IS NULL
UNION ALL
SELECT 'product_categories', l.product_id FROM categories c JOIN product_categories l ON l.category_id = c.id
JOIN products p ON p.id = l.product_id
WHERE c.deleted_at IS NOT NULL AND p.deleted_at IS NULL;
