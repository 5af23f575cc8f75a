-- Undoes 0008 cart order.
DROP INDEX cart_items_by_cart;
