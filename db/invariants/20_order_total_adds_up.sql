-- The total of an order is its subtotal less the discount plus tax and shipping, and none of them is negative.
-- Covers orders_total_adds_up, orders_subtotal_not_negative, orders_discount_not_above_subtotal, orders_tax_not_negative,
-- orders_shipping_not_negative.
SELECT id, subtotal, discount, tax, shipping, total FROM orders
WHERE total IS NOT subtotal - discount + tax + shipping OR total > 9007199254740991
  OR min(subtotal, discount, tax, shipping, total) < 0 OR discount > subtotal;
