-- Every event, daily number and line of the log has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'analytics_events' AS in_table, id AS key, CASE
    WHEN NOT (length(event_type) BETWEEN 1 AND 100 AND event_type NOT GLOB '*[^a-z0-9_.]*') THEN 'analytics_events_type_has_its_form'
    WHEN NOT (timestamp GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z') THEN 'analytics_events_timestamp_has_its_form'
    WHEN NOT (json_valid(properties) AND json_type(properties) = 'object') THEN 'analytics_events_properties_are_an_object'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'analytics_events.created_at'
  END AS broken FROM analytics_events
  UNION ALL
  SELECT 'analytics_daily', date || ' ' || event_type, CASE
    WHEN NOT (date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]') THEN 'analytics_daily_date_has_its_form'
    WHEN NOT (events >= 1) THEN 'analytics_daily_events_positive'
    WHEN NOT (users BETWEEN 0 AND events) THEN 'analytics_daily_users_bounded'
    WHEN NOT (sessions BETWEEN 0 AND events) THEN 'analytics_daily_sessions_bounded'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'analytics_daily.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'analytics_daily.updated_at'
  END FROM analytics_daily
  UNION ALL
  SELECT 'analytics_stale_days', date, CASE
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'analytics_stale_days.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'analytics_stale_days.updated_at'
  END FROM analytics_stale_days
  UNION ALL
  SELECT 'audit_logs', id, CASE
    WHEN NOT (json_valid(before)) THEN 'audit_logs_before_is_json'
    WHEN NOT (json_valid(after)) THEN 'audit_logs_after_is_json'
    WHEN NOT (sequence >= 1) THEN 'audit_logs_sequence_positive'
    WHEN NOT (length(content_hash) = 64) THEN 'audit_logs_content_hash_is_sha256'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'audit_logs.created_at'
  END FROM audit_logs
) WHERE broken IS NOT NULL;
