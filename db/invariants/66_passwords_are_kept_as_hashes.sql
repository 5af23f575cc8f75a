-- Of a password only the bcrypt hash is kept: whoever reads the database must still guess it, slowly.
-- Covers users_password_hash_is_bcrypt, verification_tokens_password_hash_is_bcrypt.
SELECT in_table, id FROM (
  SELECT 'users' AS in_table, id, password_hash AS hash FROM users
  UNION ALL
  SELECT 'verification_tokens', id, password_hash FROM verification_tokens)
WHERE hash IS NOT NULL AND (length(hash) IS NOT 60 OR hash NOT GLOB '$2b$[0-3][0-9]$*');
