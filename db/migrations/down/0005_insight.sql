-- Way back of 0005.
DROP TABLE sell_items;
DROP VIEW live_sell_submissions;
DROP TABLE sell_submissions;
DROP TABLE password_resets;
DROP TRIGGER audit_logs_append_only_delete;
DROP TABLE audit_logs;
DROP TRIGGER analytics_events_append_only_delete;
DROP TABLE analytics_events;
