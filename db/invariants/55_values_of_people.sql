-- Every user, key, password reset and buy-back has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'users' AS in_table, id AS key, CASE
    WHEN NOT (length(email) <= 254 AND email LIKE '_%@_%._%' AND instr(email, ' ') = 0) THEN 'users_email_has_its_form'
    WHEN NOT (status IN ('ACTIVE', 'SUSPENDED', 'DELETED')) THEN 'users_status_known'
    WHEN NOT (length(first_name) <= 100) THEN 'users_first_name_bounded'
    WHEN NOT (length(last_name) <= 100) THEN 'users_last_name_bounded'
    WHEN NOT (phone GLOB '+[0-9]*' AND length(phone) BETWEEN 7 AND 16) THEN 'users_phone_is_e164'
    WHEN NOT (two_factor_enabled_at IS NULL OR two_factor_secret IS NOT NULL) THEN 'users_two_factor_has_its_secret'
    WHEN NOT (two_factor_step >= 0) THEN 'users_two_factor_step_not_negative'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'users.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'users.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'users.deleted_at'
    WHEN NOT (email_verified_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'users.email_verified_at'
    WHEN NOT (two_factor_enabled_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'users.two_factor_enabled_at'
  END AS broken FROM users
  UNION ALL
  SELECT 'api_keys', id, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'api_keys_name_not_empty'
    WHEN NOT (length(prefix) BETWEEN 4 AND 16) THEN 'api_keys_prefix_short'
    WHEN NOT (json_valid(scopes) AND json_type(scopes) = 'array') THEN 'api_keys_scopes_are_a_list'
    WHEN NOT (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'api_keys.expires_at'
    WHEN NOT (revoked_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'api_keys.revoked_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'api_keys.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'api_keys.updated_at'
  END FROM api_keys
  UNION ALL
  SELECT 'password_resets', id, CASE
    WHEN NOT (expires_at > created_at) THEN 'password_resets_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'password_resets.expires_at'
    WHEN NOT (used_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'password_resets.used_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'password_resets.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'password_resets.updated_at'
  END FROM password_resets
  UNION ALL
  SELECT 'sell_submissions', id, CASE
    WHEN NOT (status IN ('SUBMITTED', 'IN_REVIEW', 'OFFERED', 'ACCEPTED', 'DECLINED', 'COMPLETED')) THEN 'sell_submissions_status_known'
    WHEN NOT (json_valid(contact)) THEN 'sell_submissions_contact_is_json'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'sell_submissions.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'sell_submissions.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'sell_submissions.deleted_at'
  END FROM sell_submissions
  UNION ALL
  SELECT 'sell_items', id, CASE
    WHEN NOT (length(title) BETWEEN 1 AND 300) THEN 'sell_items_title_not_empty'
    WHEN NOT (asking_price BETWEEN 0 AND 1000000000) THEN 'sell_items_asking_price_bounded'
    WHEN NOT (length(currency) = 3) THEN 'sell_items_currency_is_iso'
    WHEN typeof(asking_price) NOT IN ('integer', 'null') THEN 'sell_items.asking_price'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'sell_items.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'sell_items.updated_at'
  END FROM sell_items
) WHERE broken IS NOT NULL;
