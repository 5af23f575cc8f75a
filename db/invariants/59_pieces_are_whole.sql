-- Pieces are counted in whole numbers: no stock, hold, move or line is a fraction or a text.
SELECT 'inventory' AS in_table, variant_id AS id FROM inventory
WHERE typeof(stock) <> 'integer' OR typeof(reserved) <> 'integer' OR typeof(backordered) <> 'integer'
  OR typeof(low_stock_threshold) <> 'integer'
UNION ALL
SELECT 'reservations', id FROM reservations WHERE typeof(quantity) <> 'integer'
UNION ALL
SELECT 'stock_moves', id FROM stock_moves WHERE typeof(delta) <> 'integer' OR typeof(balance_after) <> 'integer'
UNION ALL
SELECT 'order_items', id FROM order_items
WHERE typeof(quantity) <> 'integer' OR typeof(backordered_quantity) <> 'integer'
UNION ALL
SELECT 'cart_items', id FROM cart_items WHERE typeof(quantity) <> 'integer';
