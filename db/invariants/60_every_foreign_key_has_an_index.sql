-- Every reference from one table to another can be followed without reading the whole table.
WITH keys AS (
  SELECT t.name AS in_table, f.id, count(*) AS columns, min(f."from") AS "column"
  FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 1) <> '_'
    AND substr(name, 1, 7) NOT IN ('sqlite_', 'libsql_')) t, pragma_foreign_key_list(t.name) f
  GROUP BY t.name, f.id)
SELECT in_table, "column", columns FROM keys
WHERE NOT EXISTS (
  SELECT 1 FROM pragma_index_list(in_table) l
  WHERE (NOT l.partial OR EXISTS (
      SELECT 1 FROM sqlite_schema s WHERE s.name = l.name AND instr(s.sql, 'WHERE ' || keys."column" || ' IS NOT NULL') > 0))
    AND keys.columns = (SELECT count(*) FROM pragma_index_info(l.name) c, pragma_foreign_key_list(in_table) k
      WHERE k.id = keys.id AND k."from" = c.name AND c.seqno < keys.columns));
