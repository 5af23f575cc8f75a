-- 0008 cart order: a cart and the order made of it show their articles as they were put in, without sorting.

CREATE INDEX cart_items_by_cart ON cart_items (cart_id, id);
