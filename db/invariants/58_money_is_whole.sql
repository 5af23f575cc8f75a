-- Money is counted in whole cents: no amount is a fraction or a text.
SELECT 'products' AS in_table, id FROM products
WHERE typeof(price) <> 'integer' OR typeof(compare_at_price) NOT IN ('integer', 'null')
UNION ALL
SELECT 'variants', id FROM variants
WHERE typeof(price) <> 'integer' OR typeof(compare_at_price) NOT IN ('integer', 'null')
UNION ALL
SELECT 'orders', id FROM orders
WHERE typeof(subtotal) <> 'integer' OR typeof(discount) <> 'integer' OR typeof(tax) <> 'integer'
  OR typeof(shipping) <> 'integer' OR typeof(total) <> 'integer'
UNION ALL
SELECT 'order_items', id FROM order_items WHERE typeof(unit_price) <> 'integer' OR typeof(total) <> 'integer'
UNION ALL
SELECT 'payments', id FROM payments
WHERE typeof(amount) <> 'integer' OR typeof(paid_price) NOT IN ('integer', 'null');
