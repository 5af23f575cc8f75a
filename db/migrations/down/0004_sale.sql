-- Way back of 0004. Holds that name a cart lose their table's parent, so they must have ended and gone before.
DROP TRIGGER payments_are_kept;
DROP TABLE payments;
DROP TRIGGER order_events_append_only_delete;
DROP TABLE order_events;
DROP TRIGGER products_ordered_are_kept;
DROP TRIGGER variants_ordered_are_kept;
DROP TRIGGER order_items_are_kept;
DROP TABLE order_items;
DROP TRIGGER orders_are_kept;
DROP TABLE orders;
DROP TABLE cart_items;
DROP TABLE carts;
