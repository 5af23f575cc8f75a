-- Of a key, a cart's token, a password reset and a request only the SHA-256 is kept: whoever reads the database can use none of them.
-- Covers api_keys_hash_is_sha256, carts_token_hash_is_sha256, password_resets_token_hash_is_sha256,
-- idempotency_keys_fingerprint_is_sha256.
SELECT in_table, id FROM (
  SELECT 'api_keys' AS in_table, id, hash FROM api_keys
  UNION ALL
  SELECT 'carts', id, token_hash FROM carts WHERE token_hash IS NOT NULL
  UNION ALL
  SELECT 'password_resets', id, token_hash FROM password_resets
  UNION ALL
  SELECT 'idempotency_keys', scope || ' ' || key, fingerprint FROM idempotency_keys)
WHERE length(hash) IS NOT 64 OR hash GLOB '*[^0-9a-f]*';
