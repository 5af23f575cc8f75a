-- A product has at most one main category, main picture and entry for the search, and a cart each article on one line.
SELECT 'product_categories_one_primary' AS broken, product_id AS of, count(*) AS times FROM product_categories
WHERE is_primary = 1 GROUP BY product_id HAVING count(*) > 1
UNION ALL
SELECT 'media_links_one_primary', entity_id, count(*) FROM media_links
WHERE is_primary = 1 GROUP BY entity, entity_id HAVING count(*) > 1
UNION ALL
SELECT 'product_search_texts_product_once', product_id, count(*) FROM product_search_texts
GROUP BY product_id HAVING count(*) > 1
UNION ALL
SELECT 'cart_items_variant_once', cart_id, count(*) FROM cart_items GROUP BY cart_id, variant_id HAVING count(*) > 1;
