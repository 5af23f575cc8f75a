-- A category lies where its path says, one level below its parent: so no way up comes back to where it began.
-- Covers categories_not_its_own_parent, categories_root_has_level_0, categories_path_ends_here.
SELECT c.id, c.parent_id, c.level, c.path, p.path AS parent_path
FROM categories c LEFT JOIN categories p ON p.id = c.parent_id
WHERE CASE WHEN c.parent_id IS NULL THEN c.level <> 0 OR c.path <> '/' || c.id || '/'
  ELSE c.level <> p.level + 1 OR c.path <> p.path || c.id || '/' END;
