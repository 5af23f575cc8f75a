-- No two customers have the same e-mail address, however it is written, no two articles the same number, no two keys the same secret.
SELECT 'users_email_once' AS broken, lower(trim(email)) AS value, count(*) AS times FROM live_users GROUP BY lower(trim(email)) HAVING count(*) > 1
UNION ALL
SELECT 'products_sku_once', sku, count(*) FROM live_products WHERE sku IS NOT NULL GROUP BY sku HAVING count(*) > 1
UNION ALL
SELECT 'variants_sku_once', sku, count(*) FROM live_variants GROUP BY sku HAVING count(*) > 1
UNION ALL
SELECT 'api_keys_hash_once', hash, count(*) FROM api_keys GROUP BY hash HAVING count(*) > 1
UNION ALL
SELECT 'password_resets_token_once', token_hash, count(*) FROM password_resets GROUP BY token_hash HAVING count(*) > 1;
