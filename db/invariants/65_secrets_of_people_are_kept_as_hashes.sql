-- Of a refresh token, a mailed token, a recovery code and a sign-in only the SHA-256 is kept: whoever reads the database can use none of them.
-- Covers user_sessions_token_is_sha256, used_refresh_tokens_token_is_sha256, verification_tokens_token_is_sha256,
-- recovery_codes_code_is_sha256, oauth_states_state_is_sha256.
SELECT in_table, id FROM (
  SELECT 'user_sessions' AS in_table, id, refresh_token_hash AS hash FROM user_sessions
  UNION ALL
  SELECT 'used_refresh_tokens', session_id, token_hash FROM used_refresh_tokens
  UNION ALL
  SELECT 'verification_tokens', id, token_hash FROM verification_tokens
  UNION ALL
  SELECT 'recovery_codes', user_id, code_hash FROM recovery_codes
  UNION ALL
  SELECT 'oauth_states', provider, state_hash FROM oauth_states)
WHERE length(hash) IS NOT 64 OR hash GLOB '*[^0-9a-f]*';
