-- 0001 foundation: where stock lies, who may call, what was answered, what is to be sent.
-- Times are RFC 3339 in UTC with milliseconds; money is an integer in minor units; ids are TypeIDs.

CREATE TABLE locations (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL CONSTRAINT locations_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- The one location of a shop that has said nothing about locations.
INSERT INTO locations (id, name, created_at, updated_at)
VALUES ('location_00000000000000000000000000', 'Main', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  email      TEXT NOT NULL CONSTRAINT users_email_has_its_form CHECK (length(email) <= 254 AND email LIKE '_%@_%._%' AND instr(email, ' ') = 0),
  status     TEXT NOT NULL DEFAULT 'ACTIVE' CONSTRAINT users_status_known CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETED')),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX users_email_once ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE VIEW live_users AS SELECT * FROM users WHERE deleted_at IS NULL;

CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL CONSTRAINT api_keys_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  prefix     TEXT NOT NULL CONSTRAINT api_keys_prefix_short CHECK (length(prefix) BETWEEN 4 AND 16),
  hash       TEXT NOT NULL CONSTRAINT api_keys_hash_is_sha256 CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
  scopes     TEXT NOT NULL CONSTRAINT api_keys_scopes_are_a_list CHECK (json_valid(scopes) AND json_type(scopes) = 'array'),
  expires_at TEXT,
  revoked_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_hash_once ON api_keys (hash);

-- The answer is part of the commit: a row stands here if and only if the batch that it answers was kept.
CREATE TABLE idempotency_keys (
  scope       TEXT NOT NULL,
  key         TEXT NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint TEXT NOT NULL CONSTRAINT idempotency_keys_fingerprint_is_sha256 CHECK (length(fingerprint) = 64),
  status      INTEGER NOT NULL CONSTRAINT idempotency_keys_status_is_success CHECK (status BETWEEN 200 AND 299),
  headers     TEXT NOT NULL CONSTRAINT idempotency_keys_headers_are_json CHECK (json_valid(headers)),
  answer      TEXT NOT NULL,
  expires_at  TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  CONSTRAINT idempotency_keys_expire_later CHECK (expires_at > created_at),
  PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_keys_by_expires_at ON idempotency_keys (expires_at);

-- How often something was tried in a window of time; `scope` names the limit and the SHA-256 of what was tried.
CREATE TABLE rate_limits (
  scope      TEXT NOT NULL CONSTRAINT rate_limits_scope_has_its_form CHECK (length(scope) <= 100 AND scope GLOB '[a-z]*:?*'),
  window     TEXT NOT NULL,
  count      INTEGER NOT NULL CONSTRAINT rate_limits_count_positive CHECK (count >= 1),
  expires_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CONSTRAINT rate_limits_expire_later CHECK (expires_at > created_at),
  PRIMARY KEY (scope, window)
) STRICT;
CREATE INDEX rate_limits_by_expires_at ON rate_limits (expires_at);

CREATE TABLE outbox (
  id         TEXT PRIMARY KEY,
  topic      TEXT NOT NULL CONSTRAINT outbox_topic_has_its_form CHECK (topic GLOB '[a-z]*.[a-z]*'),
  entity     TEXT NOT NULL,
  entity_id  TEXT NOT NULL,
  payload    TEXT NOT NULL CONSTRAINT outbox_payload_is_json CHECK (json_valid(payload)),
  attempts   INTEGER NOT NULL DEFAULT 0 CONSTRAINT outbox_attempts_not_negative CHECK (attempts >= 0),
  due_at     TEXT NOT NULL,
  sent_at    TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_by_due_at ON outbox (due_at) WHERE sent_at IS NULL;
CREATE INDEX outbox_by_entity ON outbox (entity_id, topic);
