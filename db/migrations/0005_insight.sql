-- 0005 insight and what later indexes stand on: analytics events, audit logs, password resets, buy-back.

CREATE TABLE analytics_events (
  id         TEXT PRIMARY KEY,
  event_type TEXT NOT NULL CONSTRAINT analytics_events_type_has_its_form CHECK (length(event_type) BETWEEN 1 AND 100 AND event_type NOT GLOB '*[^a-z0-9_.]*'),
  -- When it happened, by the client's word; created_at is when it reached us.
  timestamp  TEXT NOT NULL CONSTRAINT analytics_events_timestamp_has_its_form CHECK (timestamp GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'),
  user_id    TEXT REFERENCES users (id),
  session_id TEXT,
  properties TEXT NOT NULL DEFAULT '{}' CONSTRAINT analytics_events_properties_are_an_object CHECK (json_valid(properties) AND json_type(properties) = 'object'),
  created_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER analytics_events_append_only_delete BEFORE DELETE ON analytics_events
BEGIN SELECT RAISE(ABORT, 'analytics_events_append_only: history is not removed'); END;
CREATE TRIGGER analytics_events_append_only_update BEFORE UPDATE ON analytics_events
BEGIN SELECT RAISE(ABORT, 'analytics_events_append_only: history is not changed'); END;
CREATE TRIGGER analytics_events_append_only_replace BEFORE INSERT ON analytics_events
WHEN EXISTS (SELECT 1 FROM analytics_events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM analytics_events WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'analytics_events_append_only: history is not replaced'); END;

CREATE TABLE audit_logs (
  id         TEXT PRIMARY KEY,
  user_id    TEXT REFERENCES users (id),
  actor_type TEXT NOT NULL,
  actor      TEXT NOT NULL,
  action     TEXT NOT NULL,
  entity     TEXT NOT NULL,
  entity_id  TEXT NOT NULL,
  before     TEXT CONSTRAINT audit_logs_before_is_json CHECK (json_valid(before)),
  after      TEXT CONSTRAINT audit_logs_after_is_json CHECK (json_valid(after)),
  ip_address TEXT,
  user_agent TEXT,
  request_id TEXT,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX audit_logs_by_user ON audit_logs (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_logs_by_entity ON audit_logs (entity, entity_id, created_at);
CREATE TRIGGER audit_logs_append_only_update BEFORE UPDATE ON audit_logs
BEGIN SELECT RAISE(ABORT, 'audit_logs_append_only: history is not changed'); END;
CREATE TRIGGER audit_logs_append_only_delete BEFORE DELETE ON audit_logs
BEGIN SELECT RAISE(ABORT, 'audit_logs_append_only: history is not removed'); END;
CREATE TRIGGER audit_logs_append_only_replace BEFORE INSERT ON audit_logs
WHEN EXISTS (SELECT 1 FROM audit_logs WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM audit_logs WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'audit_logs_append_only: history is not replaced'); END;

CREATE TABLE password_resets (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id),
  token_hash TEXT NOT NULL CONSTRAINT password_resets_token_hash_is_sha256 CHECK (length(token_hash) = 64),
  expires_at TEXT NOT NULL,
  used_at    TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CONSTRAINT password_resets_expire_later CHECK (expires_at > created_at)
) STRICT;
CREATE UNIQUE INDEX password_resets_token_once ON password_resets (token_hash);

CREATE TABLE sell_submissions (
  id         TEXT PRIMARY KEY,
  user_id    TEXT REFERENCES users (id),
  status     TEXT NOT NULL DEFAULT 'SUBMITTED' CONSTRAINT sell_submissions_status_known CHECK (status IN ('SUBMITTED', 'IN_REVIEW', 'OFFERED', 'ACCEPTED', 'DECLINED', 'COMPLETED')),
  contact    TEXT NOT NULL CONSTRAINT sell_submissions_contact_is_json CHECK (json_valid(contact)),
  notes      TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT;
CREATE INDEX sell_submissions_by_user ON sell_submissions (user_id) WHERE user_id IS NOT NULL;
CREATE VIEW live_sell_submissions AS SELECT * FROM sell_submissions WHERE deleted_at IS NULL;

CREATE TABLE sell_items (
  id            TEXT PRIMARY KEY,
  submission_id TEXT NOT NULL REFERENCES sell_submissions (id),
  title         TEXT NOT NULL CONSTRAINT sell_items_title_not_empty CHECK (length(title) BETWEEN 1 AND 300),
  size          TEXT,
  condition     TEXT,
  asking_price  INTEGER CONSTRAINT sell_items_asking_price_bounded CHECK (asking_price BETWEEN 0 AND 1000000000),
  currency      TEXT CONSTRAINT sell_items_currency_is_iso CHECK (length(currency) = 3),
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL
) STRICT;
