-- 0008 people: who may log in, what they may do, what they did, where they live.
-- A session, a token, a code and a key are kept as SHA-256 only; a password as bcrypt only.

ALTER TABLE users ADD COLUMN password_hash TEXT CONSTRAINT users_password_hash_is_bcrypt CHECK (password_hash GLOB '$2b$[0-3][0-9]$*' AND length(password_hash) = 60);
ALTER TABLE users ADD COLUMN first_name TEXT CONSTRAINT users_first_name_bounded CHECK (length(first_name) <= 100);
ALTER TABLE users ADD COLUMN last_name TEXT CONSTRAINT users_last_name_bounded CHECK (length(last_name) <= 100);
ALTER TABLE users ADD COLUMN phone TEXT CONSTRAINT users_phone_is_e164 CHECK (phone GLOB '+[0-9]*' AND length(phone) BETWEEN 7 AND 16);
-- Null until the address was proven: nobody logs in before, and nothing is handed over to it.
ALTER TABLE users ADD COLUMN email_verified_at TEXT;
ALTER TABLE users ADD COLUMN two_factor_secret TEXT;
ALTER TABLE users ADD COLUMN two_factor_enabled_at TEXT CONSTRAINT users_two_factor_has_its_secret CHECK (two_factor_enabled_at IS NULL OR two_factor_secret IS NOT NULL);
-- The number of the last 30 seconds whose code was taken: a code is good once.
ALTER TABLE users ADD COLUMN two_factor_step INTEGER NOT NULL DEFAULT 0 CONSTRAINT users_two_factor_step_not_negative CHECK (two_factor_step >= 0);
CREATE INDEX users_by_status ON users (status, id) WHERE deleted_at IS NULL;

CREATE TABLE user_sessions (
  id                 TEXT PRIMARY KEY,
  user_id            TEXT NOT NULL REFERENCES users (id),
  refresh_token_hash TEXT NOT NULL CONSTRAINT user_sessions_token_is_sha256 CHECK (length(refresh_token_hash) = 64 AND refresh_token_hash NOT GLOB '*[^0-9a-f]*'),
  fingerprint        TEXT CONSTRAINT user_sessions_fingerprint_is_sha256 CHECK (length(fingerprint) = 64),
  ip_address         TEXT,
  user_agent         TEXT CONSTRAINT user_sessions_user_agent_bounded CHECK (length(user_agent) <= 500),
  -- When the second factor, or the password again, was last shown in this session.
  stepped_up_at      TEXT,
  last_used_at       TEXT NOT NULL,
  expires_at         TEXT NOT NULL,
  revoked_at         TEXT,
  created_at         TEXT NOT NULL,
  updated_at         TEXT NOT NULL,
  CONSTRAINT user_sessions_expire_later CHECK (expires_at > created_at)
) STRICT;
CREATE UNIQUE INDEX user_sessions_token_once ON user_sessions (refresh_token_hash);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id, id);
CREATE INDEX user_sessions_by_expires_at ON user_sessions (expires_at);

-- Refresh tokens that were exchanged for another: one that comes again was stolen, or its answer was.
CREATE TABLE used_refresh_tokens (
  token_hash TEXT PRIMARY KEY CONSTRAINT used_refresh_tokens_token_is_sha256 CHECK (length(token_hash) = 64),
  session_id TEXT NOT NULL REFERENCES user_sessions (id),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_refresh_tokens_by_session ON used_refresh_tokens (session_id);

CREATE TABLE roles (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL CONSTRAINT roles_name_has_its_form CHECK (length(name) BETWEEN 1 AND 50 AND name NOT GLOB '*[^a-z0-9_-]*'),
  description TEXT NOT NULL DEFAULT '' CONSTRAINT roles_description_bounded CHECK (length(description) <= 500),
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX roles_name_once ON roles (name);

CREATE TABLE permissions (
  id          TEXT PRIMARY KEY,
  -- `domain:action`, or `*` for everything there is and will be.
  key         TEXT NOT NULL CONSTRAINT permissions_key_has_its_form CHECK (key = '*' OR (length(key) <= 100 AND key GLOB '[a-z]*:[a-z]*' AND key NOT GLOB '*[^a-z_:]*')),
  description TEXT NOT NULL DEFAULT '',
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX permissions_key_once ON permissions (key);

CREATE TABLE role_permissions (
  role_id       TEXT NOT NULL REFERENCES roles (id),
  permission_id TEXT NOT NULL REFERENCES permissions (id),
  assigned_at   TEXT NOT NULL,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  PRIMARY KEY (role_id, permission_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_permissions_by_permission ON role_permissions (permission_id);

CREATE TABLE user_roles (
  user_id     TEXT NOT NULL REFERENCES users (id),
  role_id     TEXT NOT NULL REFERENCES roles (id),
  assigned_at TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_by_role ON user_roles (role_id, user_id);

CREATE TABLE user_permissions (
  user_id       TEXT NOT NULL REFERENCES users (id),
  permission_id TEXT NOT NULL REFERENCES permissions (id),
  -- A denial wins over whatever a role grants.
  effect        TEXT NOT NULL CONSTRAINT user_permissions_effect_known CHECK (effect IN ('ALLOW', 'DENY')),
  assigned_at   TEXT NOT NULL,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  PRIMARY KEY (user_id, permission_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_permissions_by_permission ON user_permissions (permission_id);

CREATE TABLE verification_tokens (
  id            TEXT PRIMARY KEY,
  user_id       TEXT NOT NULL REFERENCES users (id),
  purpose       TEXT NOT NULL CONSTRAINT verification_tokens_purpose_known CHECK (purpose IN ('REGISTER', 'CHANGE_EMAIL')),
  email         TEXT NOT NULL CONSTRAINT verification_tokens_email_has_its_form CHECK (length(email) <= 254 AND email LIKE '_%@_%._%' AND instr(email, ' ') = 0),
  token_hash    TEXT NOT NULL CONSTRAINT verification_tokens_token_is_sha256 CHECK (length(token_hash) = 64 AND token_hash NOT GLOB '*[^0-9a-f]*'),
  -- Of a registration: what becomes the user's when this token comes back, so that nobody else's password does.
  password_hash TEXT CONSTRAINT verification_tokens_password_hash_is_bcrypt CHECK (password_hash GLOB '$2b$[0-3][0-9]$*' AND length(password_hash) = 60),
  profile       TEXT NOT NULL DEFAULT '{}' CONSTRAINT verification_tokens_profile_is_an_object CHECK (json_valid(profile) AND json_type(profile) = 'object'),
  expires_at    TEXT NOT NULL,
  used_at       TEXT,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  CONSTRAINT verification_tokens_expire_later CHECK (expires_at > created_at)
) STRICT;
CREATE UNIQUE INDEX verification_tokens_token_once ON verification_tokens (token_hash);
CREATE INDEX verification_tokens_by_user ON verification_tokens (user_id);
CREATE INDEX verification_tokens_by_expires_at ON verification_tokens (expires_at);
CREATE INDEX password_resets_by_expires_at ON password_resets (expires_at);

CREATE TABLE recovery_codes (
  code_hash  TEXT NOT NULL CONSTRAINT recovery_codes_code_is_sha256 CHECK (length(code_hash) = 64 AND code_hash NOT GLOB '*[^0-9a-f]*'),
  user_id    TEXT NOT NULL REFERENCES users (id),
  used_at    TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_accounts (
  id                  TEXT PRIMARY KEY,
  user_id             TEXT NOT NULL REFERENCES users (id),
  provider            TEXT NOT NULL CONSTRAINT oauth_accounts_provider_known CHECK (provider IN ('github', 'google')),
  provider_account_id TEXT NOT NULL CONSTRAINT oauth_accounts_account_not_empty CHECK (length(provider_account_id) BETWEEN 1 AND 255),
  email               TEXT NOT NULL,
  created_at          TEXT NOT NULL,
  updated_at          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX oauth_accounts_account_once ON oauth_accounts (provider, provider_account_id);
CREATE UNIQUE INDEX oauth_accounts_one_of_a_kind ON oauth_accounts (user_id, provider);

-- A sign-in that has gone to the provider and not come back: each is good once.
CREATE TABLE oauth_states (
  state_hash    TEXT PRIMARY KEY CONSTRAINT oauth_states_state_is_sha256 CHECK (length(state_hash) = 64),
  provider      TEXT NOT NULL CONSTRAINT oauth_states_provider_known CHECK (provider IN ('github', 'google')),
  code_verifier TEXT NOT NULL CONSTRAINT oauth_states_verifier_has_its_form CHECK (length(code_verifier) BETWEEN 43 AND 128),
  nonce         TEXT NOT NULL,
  expires_at    TEXT NOT NULL,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  CONSTRAINT oauth_states_expire_later CHECK (expires_at > created_at)
) STRICT;
CREATE INDEX oauth_states_by_expires_at ON oauth_states (expires_at);

CREATE TABLE addresses (
  id          TEXT PRIMARY KEY,
  user_id     TEXT NOT NULL REFERENCES users (id),
  label       TEXT NOT NULL DEFAULT '' CONSTRAINT addresses_label_bounded CHECK (length(label) <= 100),
  full_name   TEXT NOT NULL CONSTRAINT addresses_full_name_not_empty CHECK (length(full_name) BETWEEN 1 AND 200),
  phone       TEXT CONSTRAINT addresses_phone_is_e164 CHECK (phone GLOB '+[0-9]*' AND length(phone) BETWEEN 7 AND 16),
  line1       TEXT NOT NULL CONSTRAINT addresses_line1_not_empty CHECK (length(line1) BETWEEN 1 AND 300),
  line2       TEXT CONSTRAINT addresses_line2_bounded CHECK (length(line2) <= 300),
  city        TEXT NOT NULL CONSTRAINT addresses_city_not_empty CHECK (length(city) BETWEEN 1 AND 200),
  state       TEXT CONSTRAINT addresses_state_bounded CHECK (length(state) <= 200),
  postal_code TEXT CONSTRAINT addresses_postal_code_bounded CHECK (length(postal_code) <= 20),
  country     TEXT NOT NULL CONSTRAINT addresses_country_is_iso CHECK (length(country) = 2 AND country NOT GLOB '*[^A-Z]*'),
  is_default  INTEGER NOT NULL DEFAULT 0 CONSTRAINT addresses_is_default_boolean CHECK (is_default IN (0, 1)),
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL
) STRICT;
CREATE INDEX addresses_by_user ON addresses (user_id, id);
CREATE UNIQUE INDEX addresses_one_default ON addresses (user_id) WHERE is_default = 1;

-- Never a number: the provider's token, and what a person needs to know the card by.
CREATE TABLE saved_cards (
  id               TEXT PRIMARY KEY,
  user_id          TEXT NOT NULL REFERENCES users (id),
  card_token       TEXT NOT NULL CONSTRAINT saved_cards_token_is_no_number CHECK (length(card_token) BETWEEN 8 AND 255 AND card_token GLOB '*[^0-9 -]*'),
  card_alias       TEXT NOT NULL DEFAULT '' CONSTRAINT saved_cards_alias_bounded CHECK (length(card_alias) <= 100),
  bin_number       TEXT NOT NULL CONSTRAINT saved_cards_bin_has_its_form CHECK (length(bin_number) BETWEEN 6 AND 8 AND bin_number NOT GLOB '*[^0-9]*'),
  last_four_digits TEXT NOT NULL CONSTRAINT saved_cards_last_four_have_their_form CHECK (length(last_four_digits) = 4 AND last_four_digits NOT GLOB '*[^0-9]*'),
  card_type        TEXT CONSTRAINT saved_cards_type_known CHECK (card_type IN ('CREDIT', 'DEBIT', 'PREPAID')),
  card_association TEXT CONSTRAINT saved_cards_association_bounded CHECK (length(card_association) <= 50),
  card_family      TEXT CONSTRAINT saved_cards_family_bounded CHECK (length(card_family) <= 100),
  card_bank_name   TEXT CONSTRAINT saved_cards_bank_name_bounded CHECK (length(card_bank_name) <= 200),
  card_holder_name TEXT NOT NULL CONSTRAINT saved_cards_holder_not_empty CHECK (length(card_holder_name) BETWEEN 1 AND 200),
  expiry_month     INTEGER NOT NULL CONSTRAINT saved_cards_month_bounded CHECK (expiry_month BETWEEN 1 AND 12),
  expiry_year      INTEGER NOT NULL CONSTRAINT saved_cards_year_bounded CHECK (expiry_year BETWEEN 2000 AND 2100),
  is_default       INTEGER NOT NULL DEFAULT 0 CONSTRAINT saved_cards_is_default_boolean CHECK (is_default IN (0, 1)),
  created_at       TEXT NOT NULL,
  updated_at       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX saved_cards_token_once ON saved_cards (card_token);
CREATE INDEX saved_cards_by_user ON saved_cards (user_id, id);
CREATE UNIQUE INDEX saved_cards_one_default ON saved_cards (user_id) WHERE is_default = 1;

CREATE TABLE security_events (
  id         TEXT PRIMARY KEY,
  user_id    TEXT REFERENCES users (id),
  type       TEXT NOT NULL CONSTRAINT security_events_type_has_its_form CHECK (length(type) BETWEEN 1 AND 100 AND type NOT GLOB '*[^a-z_]*'),
  -- Salted hashes: the values themselves stand in personal_values while they may.
  ip_address TEXT CONSTRAINT security_events_ip_address_is_sha256 CHECK (length(ip_address) = 64),
  user_agent TEXT CONSTRAINT security_events_user_agent_is_sha256 CHECK (length(user_agent) = 64),
  payload    TEXT NOT NULL DEFAULT '{}' CONSTRAINT security_events_payload_is_an_object CHECK (json_valid(payload) AND json_type(payload) = 'object'),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX security_events_by_user ON security_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX security_events_by_type ON security_events (type, id);
CREATE TRIGGER security_events_append_only_update BEFORE UPDATE ON security_events
BEGIN SELECT RAISE(ABORT, 'security_events_append_only: history is not changed'); END;
CREATE TRIGGER security_events_append_only_delete BEFORE DELETE ON security_events
BEGIN SELECT RAISE(ABORT, 'security_events_append_only: history is not removed'); END;
CREATE TRIGGER security_events_append_only_replace BEFORE INSERT ON security_events
WHEN EXISTS (SELECT 1 FROM security_events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM security_events WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'security_events_append_only: history is not replaced'); END;

-- What history says of a person: erased by deleting rows here, while the rows of history keep the salted hashes.
CREATE TABLE personal_values (
  row_id     TEXT NOT NULL,
  -- Where in that row: a column, or a JSON pointer below one (`/after/email`).
  name       TEXT NOT NULL CONSTRAINT personal_values_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  -- Whose; null for somebody unknown.
  user_id    TEXT REFERENCES users (id),
  salt       TEXT NOT NULL CONSTRAINT personal_values_salt_long CHECK (length(salt) >= 32),
  value      TEXT NOT NULL CONSTRAINT personal_values_value_is_json CHECK (json_valid(value)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (row_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX personal_values_by_user ON personal_values (user_id) WHERE user_id IS NOT NULL;

-- The audit log is numbered without a gap in the batch that writes a row, and chained afterwards: a number needs nothing
-- read, so two administrators never wait for each other.
ALTER TABLE audit_logs ADD COLUMN sequence INTEGER CONSTRAINT audit_logs_sequence_positive CHECK (sequence >= 1);
ALTER TABLE audit_logs ADD COLUMN content_hash TEXT CONSTRAINT audit_logs_content_hash_is_sha256 CHECK (length(content_hash) = 64);
CREATE UNIQUE INDEX audit_logs_sequence_once ON audit_logs (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_logs_by_actor ON audit_logs (actor, created_at);
CREATE INDEX audit_logs_by_kind ON audit_logs (entity, created_at);
CREATE TABLE audit_counters (
  name       TEXT PRIMARY KEY CONSTRAINT audit_counters_one CHECK (name = 'audit_logs'),
  count      INTEGER NOT NULL CONSTRAINT audit_counters_count_not_negative CHECK (count >= 0),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO audit_counters (name, count, created_at, updated_at)
VALUES ('audit_logs', 0, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
CREATE TABLE audit_links (
  id         TEXT PRIMARY KEY REFERENCES audit_logs (id),
  sequence   INTEGER NOT NULL CONSTRAINT audit_links_sequence_positive CHECK (sequence >= 1),
  -- SHA-256 of the link before, the number and the row's content_hash.
  hash       TEXT NOT NULL CONSTRAINT audit_links_hash_is_sha256 CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
  created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_links_sequence_once ON audit_links (sequence);
CREATE TRIGGER audit_links_append_only_update BEFORE UPDATE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit_links_append_only: history is not changed'); END;
CREATE TRIGGER audit_links_append_only_delete BEFORE DELETE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit_links_append_only: history is not removed'); END;
CREATE TRIGGER audit_links_append_only_replace BEFORE INSERT ON audit_links
WHEN EXISTS (SELECT 1 FROM audit_links WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM audit_links WHERE sequence = NEW.sequence)
  OR EXISTS (SELECT 1 FROM audit_links WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'audit_links_append_only: history is not replaced'); END;

-- An event stays, but what it says of a person may be forgotten: nothing else of it changes.
DROP TRIGGER analytics_events_append_only_update;
CREATE TRIGGER analytics_events_append_only_update BEFORE UPDATE ON analytics_events
WHEN (NEW.rowid, NEW.id, NEW.event_type, NEW.timestamp, NEW.user_id, NEW.created_at)
  IS NOT (OLD.rowid, OLD.id, OLD.event_type, OLD.timestamp, OLD.user_id, OLD.created_at)
  OR NEW.session_id IS NOT NULL OR NEW.properties <> '{}'
BEGIN SELECT RAISE(ABORT, 'analytics_events_append_only: history is not changed'); END;

-- Whoever logs in shows the token of a guest's cart, and not its id.
CREATE UNIQUE INDEX carts_token_once ON carts (token_hash) WHERE token_hash IS NOT NULL;
-- What a person has ordered, as they see it: newest first, whatever the status.
CREATE INDEX orders_by_user_and_time ON orders (user_id, placed_at, id) WHERE user_id IS NOT NULL;

-- Mail that is due is found without a walk through what other topics wait for.
CREATE INDEX outbox_by_topic ON outbox (topic, due_at) WHERE sent_at IS NULL;
-- A guest's orders, for whoever proves the address that was given with them.
CREATE INDEX orders_by_guest_email ON orders (lower(json_extract(customer, '$.email'))) WHERE user_id IS NULL AND api_key_id IS NULL;

INSERT INTO roles (id, name, description, created_at, updated_at) VALUES
  ('role_00000000000000000000000001', 'customer', 'Buys; sees and changes only their own.', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'),
  ('role_00000000000000000000000002', 'staff', 'Runs the shop: catalog, stock, orders.', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'),
  ('role_00000000000000000000000003', 'admin', 'May everything, and says who may what.', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
INSERT INTO permissions (id, key, description, created_at, updated_at)
SELECT 'permission_' || substr('00000000000000000000000000' || (key + 1), -26), json_extract(value, '$[0]'), json_extract(value, '$[1]'),
  '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'
FROM json_each('[
  ["*", "Everything there is and will be."],
  ["analytics:read", "Events and daily counts."],
  ["orders:read", "All orders."],
  ["orders:cancel", "Cancel anybody''s order until it is shipped."],
  ["orders:fulfil", "Fulfil, ship and deliver."],
  ["payments:create", "Record a payment."],
  ["products:create", "Make products and variants."],
  ["products:read", "Products that are not for sale."],
  ["products:update", "Change products and variants."],
  ["products:delete", "Delete products and variants."],
  ["stock:read", "Stock, its moves and what is low."],
  ["stock:adjust", "Change stock by hand."],
  ["stock:reserve", "Hold pieces."],
  ["users:read", "All users, their sessions and grants."],
  ["users:update", "Suspend users and end their sessions."],
  ["users:delete", "Delete users and erase their personal data."],
  ["users:export", "Everything about a user."],
  ["roles:read", "Roles and permissions."],
  ["roles:update", "Make, change and delete roles."],
  ["roles:assign", "Give and take roles and permissions."],
  ["audit:read", "Who did what."],
  ["security:read", "Log-ins, failures, lock-outs."]
]');
INSERT INTO role_permissions (role_id, permission_id, assigned_at, created_at, updated_at)
SELECT 'role_00000000000000000000000003', id, created_at, created_at, created_at FROM permissions WHERE key = '*';
INSERT INTO role_permissions (role_id, permission_id, assigned_at, created_at, updated_at)
SELECT 'role_00000000000000000000000002', id, created_at, created_at, created_at FROM permissions
WHERE key <> '*' AND substr(key, 1, instr(key, ':') - 1) IN ('analytics', 'orders', 'payments', 'products', 'stock');
