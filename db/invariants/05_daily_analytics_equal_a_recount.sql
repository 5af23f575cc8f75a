-- Every day that is not waiting to be counted again has the numbers that its events have, no more and no fewer.
SELECT date, event_type, max(events) AS events, max(counted_events) AS counted_events, max(users) AS users,
  max(counted_users) AS counted_users, max(sessions) AS sessions, max(counted_sessions) AS counted_sessions
FROM (
  SELECT date, event_type, events, users, sessions, 0 AS counted_events, 0 AS counted_users, 0 AS counted_sessions
  FROM analytics_daily
  UNION ALL
  SELECT substr(timestamp, 1, 10), event_type, 0, 0, 0, count(*), count(DISTINCT user_id), count(DISTINCT session_id)
  FROM analytics_events GROUP BY substr(timestamp, 1, 10), event_type)
WHERE date NOT IN (SELECT date FROM analytics_stale_days)
GROUP BY date, event_type
HAVING max(events) <> max(counted_events) OR max(users) <> max(counted_users)
  OR max(sessions) <> max(counted_sessions);
