-- Way back of 0001.
DROP TABLE outbox;
DROP TABLE rate_limits;
DROP TABLE idempotency_keys;
DROP TABLE api_keys;
DROP VIEW live_users;
DROP TABLE users;
DROP TABLE locations;
