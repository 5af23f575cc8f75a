-- Every order, item and event has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time; a time equal to created_at is looked at once.
SELECT in_table, key, broken FROM (
  SELECT 'orders' AS in_table, id AS key, CASE
    WHEN NOT (length(reference) = 9 AND substr(reference, 5, 1) = '-') THEN 'orders_reference_has_its_form'
    WHEN NOT (status IN ('PENDING', 'PAID', 'FULFILLED', 'SHIPPED', 'DELIVERED', 'CANCELLED')) THEN 'orders_status_known'
    WHEN NOT (version >= 1) THEN 'orders_version_positive'
    WHEN NOT (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*') THEN 'orders_currency_is_iso'
    WHEN NOT (json_valid(customer)) THEN 'orders_customer_is_json'
    WHEN NOT (json_valid(shipping_address)) THEN 'orders_shipping_address_is_json'
    WHEN NOT (json_valid(billing_address)) THEN 'orders_billing_address_is_json'
    WHEN NOT (json_valid(metadata) AND json_type(metadata) = 'object') THEN 'orders_metadata_is_an_object'
    WHEN placed_at IS NOT created_at AND (placed_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'orders.placed_at'
    WHEN NOT (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.expires_at'
    WHEN NOT (paid_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.paid_at'
    WHEN NOT (fulfilled_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.fulfilled_at'
    WHEN NOT (shipped_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.shipped_at'
    WHEN NOT (delivered_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.delivered_at'
    WHEN NOT (cancelled_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'orders.cancelled_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'orders.created_at'
    WHEN updated_at IS NOT created_at AND (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'orders.updated_at'
  END AS broken FROM orders
  UNION ALL
  SELECT 'order_items', id, CASE
    WHEN NOT (json_valid(variant)) THEN 'order_items_variant_is_json'
    WHEN NOT (status IN ('PENDING', 'PAID', 'FULFILLED', 'SHIPPED', 'DELIVERED', 'CANCELLED')) THEN 'order_items_status_known'
    WHEN NOT (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*') THEN 'order_items_currency_is_iso'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'order_items.created_at'
    WHEN updated_at IS NOT created_at AND (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'order_items.updated_at'
  END FROM order_items
  UNION ALL
  SELECT 'order_events', id, CASE
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'order_events.created_at'
  END FROM order_events
) WHERE broken IS NOT NULL;
