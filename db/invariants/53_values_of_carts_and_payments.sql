-- Every cart, cart line and payment has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'carts' AS in_table, id AS key, CASE
    WHEN NOT (status IN ('ACTIVE', 'CHECKED_OUT', 'ABANDONED')) THEN 'carts_status_known'
    WHEN NOT (version >= 1) THEN 'carts_version_positive'
    WHEN NOT (expires_at > created_at) THEN 'carts_expire_later'
    WHEN NOT ((user_id IS NOT NULL) + (api_key_id IS NOT NULL) + (token_hash IS NOT NULL) <= 1) THEN 'carts_one_owner'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'carts.expires_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'carts.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'carts.updated_at'
  END AS broken FROM carts
  UNION ALL
  SELECT 'cart_items', id, CASE
    WHEN NOT (quantity BETWEEN 1 AND 10000) THEN 'cart_items_quantity_bounded'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'cart_items.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'cart_items.updated_at'
  END FROM cart_items
  UNION ALL
  SELECT 'payments', id, CASE
    WHEN NOT (provider IN ('STRIPE', 'PAYPAL', 'IYZICO', 'MANUAL')) THEN 'payments_provider_known'
    WHEN NOT (status IN ('INITIATED', 'AUTHORIZED', 'SETTLED', 'FAILED', 'REFUNDED')) THEN 'payments_status_known'
    WHEN NOT (paid_price >= 0) THEN 'payments_paid_price_not_negative'
    WHEN NOT (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*') THEN 'payments_currency_is_iso'
    WHEN NOT (installment >= 1) THEN 'payments_installment_positive'
    WHEN NOT (length(bin_number) <= 8) THEN 'payments_bin_number_short'
    WHEN NOT (length(last_four_digits) = 4) THEN 'payments_last_four_digits_are_four'
    WHEN NOT (json_valid(risk_flags)) THEN 'payments_risk_flags_are_json'
    WHEN NOT (json_valid(raw_payload)) THEN 'payments_raw_payload_is_json'
    WHEN NOT (authorized_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'payments.authorized_at'
    WHEN NOT (settled_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'payments.settled_at'
    WHEN NOT (failed_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'payments.failed_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'payments.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'payments.updated_at'
  END FROM payments
) WHERE broken IS NOT NULL;
