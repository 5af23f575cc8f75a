-- Every reference from one table to another can be followed without reading the whole table.
SELECT t.name AS in_table, group_concat(f."from", ', ') AS columns
FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 1) <> '_'
  AND substr(name, 1, 7) NOT IN ('sqlite_', 'libsql_')) t, pragma_foreign_key_list(t.name) f
GROUP BY t.name, f.id
HAVING NOT EXISTS (
  SELECT 1 FROM pragma_index_list(t.name) l
  WHERE (NOT l.partial OR EXISTS (
      SELECT 1 FROM sqlite_schema s WHERE s.name = l.name AND s.sql LIKE '%WHERE ' || f."from" || ' IS NOT NULL'))
    AND count(*) = (SELECT count(*) FROM pragma_index_info(l.name) c, pragma_foreign_key_list(t.name) k
      WHERE k.id = f.id AND k."from" = c.name AND c.seqno < (SELECT count(*) FROM pragma_foreign_key_list(t.name) WHERE id = f.id)));
