-- Way back of 0007.
DROP INDEX sell_submissions_by_deleted_at;
DROP INDEX media_by_deleted_at;
DROP INDEX variants_by_deleted_at;
DROP INDEX products_by_deleted_at;
DROP INDEX collections_by_deleted_at;
DROP INDEX categories_by_deleted_at;
DROP INDEX producers_by_deleted_at;
DROP INDEX users_by_deleted_at;
