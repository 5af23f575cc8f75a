-- Going up from a category never leads back to it.
WITH RECURSIVE up (id, ancestor) AS (
  SELECT id, parent_id FROM categories WHERE parent_id IS NOT NULL
  UNION
  SELECT up.id, c.parent_id FROM up JOIN categories c ON c.id = up.ancestor WHERE c.parent_id IS NOT NULL)
SELECT id FROM up WHERE ancestor = id;
