-- What was ever ordered is still in the catalog, at least archived: an order can always be read.
SELECT 'products' AS in_table, id FROM products
WHERE deleted_at IS NOT NULL AND EXISTS (SELECT 1 FROM order_items WHERE product_id = products.id)
UNION ALL
SELECT 'variants', id FROM variants
WHERE deleted_at IS NOT NULL AND EXISTS (SELECT 1 FROM order_items WHERE variant_id = variants.id);
