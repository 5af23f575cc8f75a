-- A hold whose time is over keeps nothing from a buyer: whoever took pieces of its variant later gave it back first.
-- True also where no schedule runs. An hour of grace, because clocks differ.
SELECT r.id, r.variant_id, r.quantity, r.expires_at FROM reservations r
WHERE r.status = 'HELD' AND EXISTS (
  SELECT 1 FROM stock_moves m
  WHERE m.variant_id = r.variant_id AND m.location_id = r.location_id AND m.reason IN ('sale', 'reservation')
    AND m.created_at > strftime('%Y-%m-%dT%H:%M:%fZ', r.expires_at, '+1 hour'));
