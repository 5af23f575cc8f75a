-- Way back of 0006: the trail and the roll-up go, what they were made from stays.
DROP INDEX idx_sell_submissions_status;
DROP INDEX idx_sell_submissions_created;
DROP INDEX idx_sell_items_submission;
DROP INDEX idx_products_size;
DROP INDEX idx_password_resets_user;
DROP INDEX idx_logs_created;
DROP INDEX idx_images_entity;
DROP INDEX idx_analytics_user;
DROP INDEX idx_analytics_timestamp;
DROP INDEX idx_analytics_event_type;
DROP TRIGGER analytics_events_make_the_day_stale;
DROP TABLE analytics_stale_days;
DROP TABLE analytics_daily;
DROP TRIGGER stock_moves_append_only_delete;
DROP TABLE stock_moves;
