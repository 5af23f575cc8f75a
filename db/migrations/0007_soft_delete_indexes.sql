-- 0007 soft delete indexes: what was deleted softly can be counted without a walk through what was not.
-- Partial: a live row has no entry, so only a deletion writes to one.
CREATE INDEX users_by_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX producers_by_deleted_at ON producers (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX categories_by_deleted_at ON categories (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX collections_by_deleted_at ON collections (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX products_by_deleted_at ON products (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX variants_by_deleted_at ON variants (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX media_by_deleted_at ON media (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX sell_submissions_by_deleted_at ON sell_submissions (deleted_at) WHERE deleted_at IS NOT NULL;
