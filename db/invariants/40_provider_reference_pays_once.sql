-- What a payment provider took once is one payment here: no transaction pays two orders.
-- Covers payments_transaction_once.
SELECT transaction_id, count(*) AS payments FROM payments WHERE transaction_id IS NOT NULL
GROUP BY transaction_id HAVING count(*) > 1;
