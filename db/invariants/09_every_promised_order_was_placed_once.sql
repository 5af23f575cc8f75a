-- An order or payment that a remembered answer promises is there, and no order answers two requests.
-- An answer begins with the id, which is read off without parsing the rest; one that does not is parsed.
SELECT made, count(*) AS answers, min(scope) AS scope, min(key) AS key FROM (
  SELECT scope, key, CASE WHEN substr(answer, 1, 7) = '{"id":"' THEN substr(answer, 8, instr(substr(answer, 8, 100), '"') - 1)
    WHEN json_valid(answer) THEN answer ->> 'id' END AS made
  FROM idempotency_keys WHERE status = 201)
WHERE made GLOB 'order_*' OR made GLOB 'payment_*'
GROUP BY made
HAVING count(*) > 1 OR NOT (EXISTS (SELECT 1 FROM orders WHERE id = made) OR EXISTS (SELECT 1 FROM payments WHERE id = made));
