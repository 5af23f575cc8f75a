-- What is reserved of a variant is what its holds hold: none was released twice, none forgotten.
SELECT i.variant_id, i.location_id, i.reserved, coalesce(sum(r.quantity), 0) AS held
FROM inventory i LEFT JOIN reservations r
  ON r.variant_id = i.variant_id AND r.location_id = i.location_id AND r.status = 'HELD'
GROUP BY i.variant_id, i.location_id
HAVING i.reserved <> coalesce(sum(r.quantity), 0);
