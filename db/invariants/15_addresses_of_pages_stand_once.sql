-- Every page of the shop has an address of its own: no two products, categories, collections or producers share a slug.
SELECT 'products_slug_once' AS broken, slug AS value, count(*) AS times FROM live_products GROUP BY slug HAVING count(*) > 1
UNION ALL
SELECT 'categories_slug_once', slug, count(*) FROM live_categories GROUP BY slug HAVING count(*) > 1
UNION ALL
SELECT 'collections_slug_once', slug, count(*) FROM live_collections GROUP BY slug HAVING count(*) > 1
UNION ALL
SELECT 'producers_slug_once', slug, count(*) FROM live_producers GROUP BY slug HAVING count(*) > 1
UNION ALL
SELECT 'media_asset_id_once', asset_id, count(*) FROM live_media GROUP BY asset_id HAVING count(*) > 1;
