-- The audit log is numbered without a gap up to its counter, and chained from the first row on: no row has gone, none has come in between.
-- That no row was changed is for `tally audit verify`, which recomputes the hashes.
SELECT 'audit_logs' AS in_table, c.count AS counted, n.rows FROM audit_counters c
JOIN (SELECT count(*) AS rows, coalesce(max(sequence), 0) AS last FROM audit_logs WHERE sequence IS NOT NULL) n
WHERE c.name = 'audit_logs' AND (n.rows <> c.count OR n.last <> c.count)
UNION ALL
SELECT 'audit_links', l.last, l.rows FROM (SELECT coalesce(max(sequence), 0) AS last, count(*) AS rows FROM audit_links) l
WHERE l.rows <> l.last
UNION ALL
SELECT 'audit_links', l.sequence, a.sequence FROM audit_links l JOIN audit_logs a ON a.id = l.id
WHERE a.sequence IS NOT l.sequence
UNION ALL
SELECT 'audit_counters', 0, c.rows FROM (SELECT count(*) AS rows FROM audit_counters) c WHERE c.rows <> 1;
