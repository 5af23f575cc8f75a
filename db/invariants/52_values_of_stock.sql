-- Every stock row, hold and move has values that the shop allows: known reasons, bounded numbers, real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'locations' AS in_table, id AS key, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'locations_name_not_empty'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'locations.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'locations.updated_at'
  END AS broken FROM locations
  UNION ALL
  SELECT 'inventory', variant_id || ' ' || location_id, CASE
    WHEN NOT (stock >= 0) THEN 'inventory_stock_not_negative'
    WHEN NOT (reserved >= 0) THEN 'inventory_reserved_not_negative'
    WHEN NOT (backordered >= 0) THEN 'inventory_backordered_not_negative'
    WHEN NOT (low_stock_threshold >= 0) THEN 'inventory_threshold_not_negative'
    WHEN NOT (stock <= 1000000000000 AND reserved <= 1000000000000) THEN 'inventory_bounded'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'inventory.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'inventory.updated_at'
  END FROM inventory
  UNION ALL
  SELECT 'reservations', id, CASE
    WHEN NOT (quantity BETWEEN 1 AND 10000) THEN 'reservations_quantity_bounded'
    WHEN NOT (status IN ('HELD', 'CONSUMED', 'RELEASED', 'EXPIRED')) THEN 'reservations_status_known'
    WHEN NOT (expires_at > created_at) THEN 'reservations_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'reservations.expires_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'reservations.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'reservations.updated_at'
  END FROM reservations
  UNION ALL
  SELECT 'stock_moves', id, CASE
    WHEN NOT (abs(delta) <= 1000000000000) THEN 'stock_moves_delta_bounded'
    WHEN NOT (reason IN ('sale', 'return', 'adjustment', 'receipt', 'reservation', 'release', 'transfer')) THEN 'stock_moves_reason_known'
    WHEN NOT (balance_after >= 0) THEN 'stock_moves_balance_not_negative'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'stock_moves.created_at'
  END FROM stock_moves
) WHERE broken IS NOT NULL;
