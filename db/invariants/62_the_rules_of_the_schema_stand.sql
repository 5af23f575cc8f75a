-- Every rule that the database keeps by itself is in place: no table has lost a CHECK, a unique index or its strictness.
-- Not asked while a restore runs: it compares the whole schema itself. `tally migrate validate` says what else has drifted.
SELECT value AS missing FROM json_each('[
    "analytics_daily_date_has_its_form", "analytics_daily_events_positive", "analytics_daily_users_bounded",
    "analytics_daily_sessions_bounded", "analytics_events_type_has_its_form",
    "analytics_events_timestamp_has_its_form", "analytics_events_properties_are_an_object", "api_keys_name_not_empty",
    "api_keys_prefix_short", "api_keys_hash_is_sha256", "api_keys_scopes_are_a_list", "audit_logs_before_is_json",
    "audit_logs_after_is_json", "cart_items_quantity_bounded", "carts_token_hash_is_sha256", "carts_status_known",
    "carts_version_positive", "carts_expire_later", "carts_one_owner", "categories_name_not_empty",
    "categories_slug_has_its_form", "categories_level_bounded", "categories_not_its_own_parent",
    "categories_root_has_level_0", "categories_path_ends_here", "collections_name_not_empty",
    "collections_slug_has_its_form", "collections_status_known", "idempotency_keys_key_length",
    "idempotency_keys_fingerprint_is_sha256", "idempotency_keys_status_is_success",
    "idempotency_keys_headers_are_json", "idempotency_keys_expire_later", "inventory_stock_not_negative",
    "inventory_reserved_not_negative", "inventory_backordered_not_negative", "inventory_threshold_not_negative",
    "inventory_bounded", "locations_name_not_empty", "media_asset_id_not_empty", "media_type_known",
    "media_provider_known", "media_size_not_negative", "media_width_positive", "media_height_positive",
    "media_links_entity_known", "media_links_is_primary_boolean", "migrations_version_positive",
    "migrations_name_present", "migrations_checksum_is_sha256", "migrations_statements_positive",
    "order_items_variant_is_json", "order_items_status_known", "order_items_quantity_bounded",
    "order_items_backordered_bounded", "order_items_currency_is_iso", "order_items_unit_price_bounded",
    "order_items_total_adds_up", "orders_reference_has_its_form", "orders_status_known", "orders_version_positive",
    "orders_currency_is_iso", "orders_subtotal_not_negative", "orders_discount_not_above_subtotal",
    "orders_tax_not_negative", "orders_shipping_not_negative", "orders_total_adds_up", "orders_customer_is_json",
    "orders_shipping_address_is_json", "orders_billing_address_is_json", "orders_metadata_is_an_object",
    "orders_status_has_its_time", "outbox_topic_has_its_form", "outbox_payload_is_json",
    "outbox_attempts_not_negative", "password_resets_token_hash_is_sha256", "password_resets_expire_later",
    "payments_provider_known", "payments_status_known", "payments_amount_positive",
    "payments_paid_price_not_negative", "payments_currency_is_iso", "payments_installment_positive",
    "payments_bin_number_short", "payments_last_four_digits_are_four", "payments_risk_flags_are_json",
    "payments_raw_payload_is_json", "payments_settled_has_its_time", "producers_name_not_empty",
    "producers_slug_has_its_form", "product_categories_is_primary_boolean", "products_slug_has_its_form",
    "products_sku_not_empty", "products_title_not_empty", "products_status_known", "products_price_bounded",
    "products_compare_at_price_bounded", "products_currency_is_iso", "products_inventory_policy_known",
    "products_search_keywords_are_a_list", "products_attributes_are_an_object", "products_version_positive",
    "rate_limits_scope_has_its_form", "rate_limits_count_positive", "rate_limits_expire_later",
    "reservations_quantity_bounded", "reservations_status_known", "reservations_expire_later",
    "sell_items_title_not_empty", "sell_items_asking_price_bounded", "sell_items_currency_is_iso",
    "sell_submissions_status_known", "sell_submissions_contact_is_json", "stock_moves_delta_bounded",
    "stock_moves_reason_known", "stock_moves_balance_not_negative", "users_email_has_its_form", "users_status_known",
    "variants_sku_not_empty", "variants_title_not_empty", "variants_attributes_are_an_object",
    "variants_weight_not_negative", "variants_price_bounded", "variants_compare_at_price_bounded",
    "variants_is_primary_boolean"
]')
WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND instr(sql, 'CONSTRAINT ' || value || ' CHECK') > 0)
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state')
UNION ALL
SELECT value FROM json_each('[
    "api_keys_hash_once", "cart_items_variant_once", "categories_slug_once", "collections_slug_once",
    "media_asset_id_once", "media_links_one_primary", "orders_cart_once", "orders_reference_once",
    "password_resets_token_once", "payments_transaction_once", "producers_slug_once",
    "product_categories_one_primary", "product_search_texts_product_once", "products_sku_once", "products_slug_once",
    "users_email_once", "variants_one_primary", "variants_sku_once"
]')
WHERE value NOT IN (SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE %')
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state')
UNION ALL
SELECT value || ' is not STRICT' FROM json_each('[
    "analytics_daily", "analytics_events", "analytics_stale_days", "api_keys", "audit_logs", "cart_items", "carts",
    "categories", "collections", "idempotency_keys", "inventory", "locations", "media", "media_links", "migrations",
    "order_events", "order_items", "orders", "outbox", "password_resets", "payments", "producers",
    "product_categories", "product_collections", "product_search_texts", "products", "rate_limits", "reservations",
    "sell_items", "sell_submissions", "stock_moves", "users", "variants"
]')
WHERE value IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict)
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state');
