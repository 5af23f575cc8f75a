-- The total of an order is its subtotal less the discount plus tax and shipping, and none of them is negative.
SELECT id, subtotal, discount, tax, shipping, total FROM orders
WHERE total IS NOT subtotal - discount + tax + shipping OR min(subtotal, discount, tax, shipping, total) < 0 OR discount > subtotal
