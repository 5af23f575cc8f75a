-- Every session, token, recovery code and linked account has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'user_sessions' AS in_table, id AS key, CASE
    WHEN NOT (length(fingerprint) = 64) THEN 'user_sessions_fingerprint_is_sha256'
    WHEN NOT (length(user_agent) <= 500) THEN 'user_sessions_user_agent_bounded'
    WHEN NOT (expires_at > created_at) THEN 'user_sessions_expire_later'
    WHEN NOT (stepped_up_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'user_sessions.stepped_up_at'
    WHEN (last_used_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_sessions.last_used_at'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_sessions.expires_at'
    WHEN NOT (revoked_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'user_sessions.revoked_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_sessions.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_sessions.updated_at'
  END AS broken FROM user_sessions
  UNION ALL
  SELECT 'used_refresh_tokens', token_hash, CASE
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'used_refresh_tokens.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'used_refresh_tokens.updated_at'
  END FROM used_refresh_tokens
  UNION ALL
  SELECT 'verification_tokens', id, CASE
    WHEN NOT (purpose IN ('REGISTER', 'CHANGE_EMAIL')) THEN 'verification_tokens_purpose_known'
    WHEN NOT (length(email) <= 254 AND email LIKE '_%@_%._%' AND instr(email, ' ') = 0) THEN 'verification_tokens_email_has_its_form'
    WHEN NOT (json_valid(profile) AND json_type(profile) = 'object') THEN 'verification_tokens_profile_is_an_object'
    WHEN NOT (expires_at > created_at) THEN 'verification_tokens_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'verification_tokens.expires_at'
    WHEN NOT (used_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'verification_tokens.used_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'verification_tokens.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'verification_tokens.updated_at'
  END FROM verification_tokens
  UNION ALL
  SELECT 'recovery_codes', user_id || ' ' || code_hash, CASE
    WHEN NOT (used_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'recovery_codes.used_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'recovery_codes.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'recovery_codes.updated_at'
  END FROM recovery_codes
  UNION ALL
  SELECT 'oauth_accounts', id, CASE
    WHEN NOT (provider IN ('github', 'google')) THEN 'oauth_accounts_provider_known'
    WHEN NOT (length(provider_account_id) BETWEEN 1 AND 255) THEN 'oauth_accounts_account_not_empty'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'oauth_accounts.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'oauth_accounts.updated_at'
  END FROM oauth_accounts
) WHERE broken IS NOT NULL;
