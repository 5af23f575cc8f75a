-- An order made of a cart belongs to whoever the cart belonged to.
SELECT o.id, o.cart_id, o.user_id, c.user_id AS cart_user_id, o.api_key_id, c.api_key_id AS cart_api_key_id
FROM orders o JOIN carts c ON c.id = o.cart_id
WHERE (c.user_id IS NOT NULL AND o.user_id IS NOT c.user_id) OR (c.api_key_id IS NOT NULL AND o.api_key_id IS NOT c.api_key_id);
