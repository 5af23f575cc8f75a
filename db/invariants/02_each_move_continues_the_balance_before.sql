-- Each move says the stock that it left: the balance of the move before, changed by its own delta.
-- In the order of writing, which the rowid keeps: one writer at a time, and no move is ever removed. Ids do not keep it,
-- for they are drawn before the batch waits for its turn.
SELECT m.id, m.variant_id, m.location_id, m.delta, m.balance_after, e.expected
FROM (
  SELECT row_number, balance_after, expected FROM (
    SELECT rowid AS row_number, balance_after,
      sum(delta) OVER (PARTITION BY variant_id, location_id ORDER BY rowid) AS expected
    FROM stock_moves)
  WHERE balance_after <> expected
) e JOIN stock_moves m ON m.rowid = e.row_number;
