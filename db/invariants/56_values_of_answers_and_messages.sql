-- Every remembered answer, counted attempt and message to be sent has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time; a time equal to created_at is looked at once.
SELECT in_table, key, broken FROM (
  SELECT 'idempotency_keys' AS in_table, scope || ' ' || key AS key, CASE
    WHEN NOT (length(key) BETWEEN 1 AND 255) THEN 'idempotency_keys_key_length'
    WHEN NOT (status BETWEEN 200 AND 299) THEN 'idempotency_keys_status_is_success'
    WHEN NOT (json_valid(headers)) THEN 'idempotency_keys_headers_are_json'
    WHEN NOT (expires_at > created_at) THEN 'idempotency_keys_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'idempotency_keys.expires_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'idempotency_keys.created_at'
    WHEN updated_at IS NOT created_at AND (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'idempotency_keys.updated_at'
  END AS broken FROM idempotency_keys
  UNION ALL
  SELECT 'rate_limits', scope || ' ' || window, CASE
    WHEN NOT (length(scope) <= 100 AND scope GLOB '[a-z]*:?*') THEN 'rate_limits_scope_has_its_form'
    WHEN NOT (count >= 1) THEN 'rate_limits_count_positive'
    WHEN NOT (expires_at > created_at) THEN 'rate_limits_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'rate_limits.expires_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'rate_limits.created_at'
    WHEN updated_at IS NOT created_at AND (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'rate_limits.updated_at'
  END FROM rate_limits
  UNION ALL
  SELECT 'outbox', id, CASE
    WHEN NOT (topic GLOB '[a-z]*.[a-z]*') THEN 'outbox_topic_has_its_form'
    WHEN NOT (json_valid(payload)) THEN 'outbox_payload_is_json'
    WHEN NOT (attempts >= 0) THEN 'outbox_attempts_not_negative'
    WHEN (due_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'outbox.due_at'
    WHEN NOT (sent_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'outbox.sent_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'outbox.created_at'
    WHEN updated_at IS NOT created_at AND (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'outbox.updated_at'
  END FROM outbox
) WHERE broken IS NOT NULL;
