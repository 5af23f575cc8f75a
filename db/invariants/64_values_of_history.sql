-- Every line of history about people has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'security_events' AS in_table, id AS key, CASE
    WHEN NOT (length(type) BETWEEN 1 AND 100 AND type NOT GLOB '*[^a-z_]*') THEN 'security_events_type_has_its_form'
    WHEN NOT (length(ip_address) = 64) THEN 'security_events_ip_address_is_sha256'
    WHEN NOT (length(user_agent) = 64) THEN 'security_events_user_agent_is_sha256'
    WHEN NOT (json_valid(payload) AND json_type(payload) = 'object') THEN 'security_events_payload_is_an_object'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'security_events.created_at'
  END AS broken FROM security_events
  UNION ALL
  SELECT 'personal_values', row_id || ' ' || name, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'personal_values_name_not_empty'
    WHEN NOT (length(salt) >= 32) THEN 'personal_values_salt_long'
    WHEN NOT (json_valid(value)) THEN 'personal_values_value_is_json'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'personal_values.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'personal_values.updated_at'
  END FROM personal_values
  UNION ALL
  SELECT 'audit_counters', name, CASE
    WHEN NOT (name = 'audit_logs') THEN 'audit_counters_one'
    WHEN NOT (count >= 0) THEN 'audit_counters_count_not_negative'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'audit_counters.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'audit_counters.updated_at'
  END FROM audit_counters
  UNION ALL
  SELECT 'audit_links', id, CASE
    WHEN NOT (sequence >= 1) THEN 'audit_links_sequence_positive'
    WHEN NOT (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*') THEN 'audit_links_hash_is_sha256'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'audit_links.created_at'
  END FROM audit_links
) WHERE broken IS NOT NULL;
