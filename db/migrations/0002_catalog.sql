-- 0002 catalog: producers, categories, collections, products, variants, media, search.

CREATE TABLE producers (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL CONSTRAINT producers_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  slug        TEXT NOT NULL CONSTRAINT producers_slug_has_its_form CHECK (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*'),
  image_url   TEXT,
  description TEXT NOT NULL DEFAULT '',
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  deleted_at  TEXT
) STRICT;
CREATE UNIQUE INDEX producers_slug_once ON producers (slug) WHERE deleted_at IS NULL;
CREATE INDEX producers_by_name ON producers (name, id) WHERE deleted_at IS NULL;
CREATE VIEW live_producers AS SELECT * FROM producers WHERE deleted_at IS NULL;

CREATE TABLE categories (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL CONSTRAINT categories_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  slug          TEXT NOT NULL CONSTRAINT categories_slug_has_its_form CHECK (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*'),
  description   TEXT NOT NULL DEFAULT '',
  parent_id     TEXT REFERENCES categories (id),
  level         INTEGER NOT NULL CONSTRAINT categories_level_bounded CHECK (level BETWEEN 0 AND 15),
  -- The ids from the root down to this category, `/` before and after each: a subtree is a range of paths.
  path          TEXT NOT NULL,
  image_url     TEXT,
  icon_url      TEXT,
  display_order INTEGER NOT NULL DEFAULT 0,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  deleted_at    TEXT,
  CONSTRAINT categories_not_its_own_parent CHECK (parent_id IS NOT id),
  CONSTRAINT categories_root_has_level_0 CHECK ((parent_id IS NULL) = (level = 0)),
  CONSTRAINT categories_path_ends_here CHECK (path LIKE '/%' AND substr(path, -length(id) - 2) = '/' || id || '/')
) STRICT;
CREATE UNIQUE INDEX categories_slug_once ON categories (slug) WHERE deleted_at IS NULL;
CREATE INDEX categories_by_parent ON categories (parent_id);
CREATE INDEX categories_by_path ON categories (path);
CREATE INDEX categories_by_display_order ON categories (display_order, id) WHERE deleted_at IS NULL;
CREATE VIEW live_categories AS SELECT * FROM categories WHERE deleted_at IS NULL;

-- A category's path is its parent's path and its own id; so no chain of parents can come back to itself.
CREATE TRIGGER categories_path_follows_parent_on_insert BEFORE INSERT ON categories
WHEN NEW.path IS NOT coalesce((SELECT path FROM categories WHERE id = NEW.parent_id), '/') || NEW.id || '/'
BEGIN SELECT RAISE(ABORT, 'categories_path_refused: the path does not follow the parent'); END;
CREATE TRIGGER categories_path_follows_parent_on_update BEFORE UPDATE OF parent_id, path ON categories
WHEN NEW.path IS NOT coalesce((SELECT path FROM categories WHERE id = NEW.parent_id), '/') || NEW.id || '/'
  OR instr((SELECT path FROM categories WHERE id = NEW.parent_id), '/' || NEW.id || '/') > 0
BEGIN SELECT RAISE(ABORT, 'categories_path_refused: the path does not follow the parent'); END;
CREATE TRIGGER categories_with_products_are_kept BEFORE UPDATE OF deleted_at ON categories
WHEN NEW.deleted_at IS NOT NULL AND (
  EXISTS (SELECT 1 FROM product_categories c JOIN products p ON p.id = c.product_id WHERE c.category_id = NEW.id AND p.deleted_at IS NULL)
  OR EXISTS (SELECT 1 FROM categories WHERE parent_id = NEW.id AND deleted_at IS NULL))
BEGIN SELECT RAISE(ABORT, 'categories_deletion_refused: products or categories hang on it'); END;

CREATE TABLE collections (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL CONSTRAINT collections_name_not_empty CHECK (length(name) BETWEEN 1 AND 200),
  slug          TEXT NOT NULL CONSTRAINT collections_slug_has_its_form CHECK (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*'),
  description   TEXT NOT NULL DEFAULT '',
  status        TEXT NOT NULL DEFAULT 'ACTIVE' CONSTRAINT collections_status_known CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
  image_url     TEXT,
  display_order INTEGER NOT NULL DEFAULT 0,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  deleted_at    TEXT
) STRICT;
CREATE UNIQUE INDEX collections_slug_once ON collections (slug) WHERE deleted_at IS NULL;
CREATE INDEX collections_by_display_order ON collections (display_order, id) WHERE deleted_at IS NULL;
CREATE VIEW live_collections AS SELECT * FROM collections WHERE deleted_at IS NULL;

CREATE TABLE products (
  id               TEXT PRIMARY KEY,
  producer_id      TEXT REFERENCES producers (id),
  slug             TEXT NOT NULL CONSTRAINT products_slug_has_its_form CHECK (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*'),
  sku              TEXT CONSTRAINT products_sku_not_empty CHECK (length(sku) BETWEEN 1 AND 100),
  title            TEXT NOT NULL CONSTRAINT products_title_not_empty CHECK (length(title) BETWEEN 1 AND 300),
  summary          TEXT NOT NULL DEFAULT '',
  description      TEXT NOT NULL DEFAULT '',
  status           TEXT NOT NULL CONSTRAINT products_status_known CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
  price            INTEGER NOT NULL CONSTRAINT products_price_bounded CHECK (price BETWEEN 0 AND 1000000000),
  compare_at_price INTEGER CONSTRAINT products_compare_at_price_bounded CHECK (compare_at_price BETWEEN 0 AND 1000000000),
  currency         TEXT NOT NULL CONSTRAINT products_currency_is_iso CHECK (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*'),
  inventory_policy TEXT NOT NULL DEFAULT 'TRACK' CONSTRAINT products_inventory_policy_known CHECK (inventory_policy IN ('TRACK', 'DENY', 'CONTINUE')),
  search_keywords  TEXT NOT NULL DEFAULT '[]' CONSTRAINT products_search_keywords_are_a_list CHECK (json_valid(search_keywords) AND json_type(search_keywords) = 'array'),
  attributes       TEXT NOT NULL DEFAULT '{}' CONSTRAINT products_attributes_are_an_object CHECK (json_valid(attributes) AND json_type(attributes) = 'object'),
  version          INTEGER NOT NULL DEFAULT 1 CONSTRAINT products_version_positive CHECK (version >= 1),
  created_at       TEXT NOT NULL,
  updated_at       TEXT NOT NULL,
  deleted_at       TEXT
) STRICT;
CREATE UNIQUE INDEX products_slug_once ON products (slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX products_sku_once ON products (sku) WHERE deleted_at IS NULL AND sku IS NOT NULL;
CREATE INDEX products_by_producer ON products (producer_id, created_at);
-- One index for each order of the public list; each is walked until the page is full.
CREATE INDEX products_by_status ON products (status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_price ON products (status, price, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_title ON products (status, title, id) WHERE deleted_at IS NULL;
CREATE VIEW live_products AS SELECT * FROM products WHERE deleted_at IS NULL;

CREATE TABLE variants (
  id               TEXT PRIMARY KEY,
  product_id       TEXT NOT NULL REFERENCES products (id),
  sku              TEXT NOT NULL CONSTRAINT variants_sku_not_empty CHECK (length(sku) BETWEEN 1 AND 100),
  title            TEXT NOT NULL CONSTRAINT variants_title_not_empty CHECK (length(title) BETWEEN 1 AND 300),
  size             TEXT,
  attributes       TEXT NOT NULL DEFAULT '{}' CONSTRAINT variants_attributes_are_an_object CHECK (json_valid(attributes) AND json_type(attributes) = 'object'),
  weight_grams     INTEGER CONSTRAINT variants_weight_not_negative CHECK (weight_grams >= 0),
  price            INTEGER NOT NULL CONSTRAINT variants_price_bounded CHECK (price BETWEEN 0 AND 1000000000),
  compare_at_price INTEGER CONSTRAINT variants_compare_at_price_bounded CHECK (compare_at_price BETWEEN 0 AND 1000000000),
  is_primary       INTEGER NOT NULL DEFAULT 0 CONSTRAINT variants_is_primary_boolean CHECK (is_primary IN (0, 1)),
  created_at       TEXT NOT NULL,
  updated_at       TEXT NOT NULL,
  deleted_at       TEXT
) STRICT;
CREATE UNIQUE INDEX variants_sku_once ON variants (sku) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX variants_one_primary ON variants (product_id) WHERE is_primary = 1 AND deleted_at IS NULL;
CREATE INDEX variants_by_product ON variants (product_id, id);
CREATE VIEW live_variants AS SELECT * FROM variants WHERE deleted_at IS NULL;

CREATE TABLE product_categories (
  product_id  TEXT NOT NULL REFERENCES products (id),
  category_id TEXT NOT NULL REFERENCES categories (id),
  is_primary  INTEGER NOT NULL DEFAULT 0 CONSTRAINT product_categories_is_primary_boolean CHECK (is_primary IN (0, 1)),
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  PRIMARY KEY (product_id, category_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_categories_by_category ON product_categories (category_id);
CREATE UNIQUE INDEX product_categories_one_primary ON product_categories (product_id) WHERE is_primary = 1;

CREATE TABLE product_collections (
  product_id    TEXT NOT NULL REFERENCES products (id),
  collection_id TEXT NOT NULL REFERENCES collections (id),
  display_order INTEGER NOT NULL DEFAULT 0,
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  PRIMARY KEY (product_id, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_collections_by_collection ON product_collections (collection_id);

CREATE TABLE media (
  id         TEXT PRIMARY KEY,
  asset_id   TEXT NOT NULL CONSTRAINT media_asset_id_not_empty CHECK (length(asset_id) BETWEEN 1 AND 500),
  type       TEXT NOT NULL CONSTRAINT media_type_known CHECK (type IN ('IMAGE', 'VIDEO', 'DOCUMENT')),
  provider   TEXT NOT NULL CONSTRAINT media_provider_known CHECK (provider IN ('S3', 'CLOUDINARY', 'LOCAL')),
  url        TEXT NOT NULL,
  mime_type  TEXT NOT NULL,
  size_bytes INTEGER CONSTRAINT media_size_not_negative CHECK (size_bytes >= 0),
  width      INTEGER CONSTRAINT media_width_positive CHECK (width > 0),
  height     INTEGER CONSTRAINT media_height_positive CHECK (height > 0),
  alt        TEXT NOT NULL DEFAULT '',
  caption    TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX media_asset_id_once ON media (asset_id) WHERE deleted_at IS NULL;
CREATE VIEW live_media AS SELECT * FROM media WHERE deleted_at IS NULL;

-- What a picture belongs to: a product or a variant, one table for both.
CREATE TABLE media_links (
  media_id   TEXT NOT NULL REFERENCES media (id),
  entity     TEXT NOT NULL CONSTRAINT media_links_entity_known CHECK (entity IN ('product', 'variant')),
  entity_id  TEXT NOT NULL,
  sort_order INTEGER NOT NULL DEFAULT 0,
  is_primary INTEGER NOT NULL DEFAULT 0 CONSTRAINT media_links_is_primary_boolean CHECK (is_primary IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (media_id, entity, entity_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX media_links_one_primary ON media_links (entity, entity_id) WHERE is_primary = 1;
CREATE TRIGGER media_links_entity_exists BEFORE INSERT ON media_links
WHEN NOT EXISTS (SELECT 1 FROM products WHERE NEW.entity = 'product' AND id = NEW.entity_id)
 AND NOT EXISTS (SELECT 1 FROM variants WHERE NEW.entity = 'variant' AND id = NEW.entity_id)
BEGIN SELECT RAISE(ABORT, 'media_links_entity_refused: no such product or variant'); END;

-- The words of a product, folded by domain/search.py (case, accents, final sigma, dotless i), and their index.
-- A table of its own with an integer key: a rowid that VACUUM may renumber would lead the index astray.
CREATE TABLE product_search_texts (
  id         INTEGER PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES products (id),
  title      TEXT NOT NULL,
  body       TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX product_search_texts_product_once ON product_search_texts (product_id);
CREATE VIRTUAL TABLE product_search USING fts5 (
  title, body, content = 'product_search_texts', content_rowid = 'id', prefix = '2 3',
  tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
);
CREATE TRIGGER product_search_texts_indexed_on_insert AFTER INSERT ON product_search_texts BEGIN
  INSERT INTO product_search (rowid, title, body) VALUES (NEW.id, NEW.title, NEW.body);
END;
CREATE TRIGGER product_search_texts_indexed_on_delete AFTER DELETE ON product_search_texts BEGIN
  INSERT INTO product_search (product_search, rowid, title, body) VALUES ('delete', OLD.id, OLD.title, OLD.body);
END;
CREATE TRIGGER product_search_texts_indexed_on_update AFTER UPDATE ON product_search_texts BEGIN
  INSERT INTO product_search (product_search, rowid, title, body) VALUES ('delete', OLD.id, OLD.title, OLD.body);
  INSERT INTO product_search (rowid, title, body) VALUES (NEW.id, NEW.title, NEW.body);
END;
