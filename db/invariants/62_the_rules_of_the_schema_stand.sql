-- Every rule that the database keeps by itself is in place: no table has lost a CHECK, a unique index or its strictness.
-- Not asked while a restore runs: it compares the whole schema itself. `tally migrate validate` says what else has drifted.
SELECT value AS missing FROM json_each('[
    "addresses_label_bounded", "addresses_full_name_not_empty", "addresses_phone_is_e164",
    "addresses_line1_not_empty", "addresses_line2_bounded", "addresses_city_not_empty", "addresses_state_bounded",
    "addresses_postal_code_bounded", "addresses_country_is_iso", "addresses_is_default_boolean",
    "analytics_daily_date_has_its_form", "analytics_daily_events_positive", "analytics_daily_users_bounded",
    "analytics_daily_sessions_bounded", "analytics_events_type_has_its_form",
    "analytics_events_timestamp_has_its_form", "analytics_events_properties_are_an_object",
    "api_keys_name_not_empty", "api_keys_prefix_short", "api_keys_hash_is_sha256", "api_keys_scopes_are_a_list",
    "audit_counters_one", "audit_counters_count_not_negative", "audit_links_sequence_positive",
    "audit_links_hash_is_sha256", "audit_logs_before_is_json", "audit_logs_after_is_json",
    "audit_logs_sequence_positive", "audit_logs_content_hash_is_sha256", "cart_items_quantity_bounded",
    "carts_token_hash_is_sha256", "carts_status_known", "carts_version_positive", "carts_expire_later",
    "carts_one_owner", "categories_name_not_empty", "categories_slug_has_its_form", "categories_level_bounded",
    "categories_not_its_own_parent", "categories_root_has_level_0", "categories_path_ends_here",
    "collections_name_not_empty", "collections_slug_has_its_form", "collections_status_known",
    "idempotency_keys_key_length", "idempotency_keys_fingerprint_is_sha256", "idempotency_keys_status_is_success",
    "idempotency_keys_headers_are_json", "idempotency_keys_expire_later", "inventory_stock_not_negative",
    "inventory_reserved_not_negative", "inventory_backordered_not_negative", "inventory_threshold_not_negative",
    "inventory_bounded", "locations_name_not_empty", "media_asset_id_not_empty", "media_type_known",
    "media_provider_known", "media_size_not_negative", "media_width_positive", "media_height_positive",
    "media_links_entity_known", "media_links_is_primary_boolean", "migrations_version_positive",
    "migrations_name_present", "migrations_checksum_is_sha256", "migrations_statements_positive",
    "oauth_accounts_provider_known", "oauth_accounts_account_not_empty", "oauth_states_state_is_sha256",
    "oauth_states_provider_known", "oauth_states_verifier_has_its_form", "oauth_states_expire_later",
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
    "payments_raw_payload_is_json", "payments_settled_has_its_time", "permissions_key_has_its_form",
    "personal_values_name_not_empty", "personal_values_salt_long", "personal_values_value_is_json",
    "producers_name_not_empty", "producers_slug_has_its_form", "product_categories_is_primary_boolean",
    "products_slug_has_its_form", "products_sku_not_empty", "products_title_not_empty", "products_status_known",
    "products_price_bounded", "products_compare_at_price_bounded", "products_currency_is_iso",
    "products_inventory_policy_known", "products_search_keywords_are_a_list", "products_attributes_are_an_object",
    "products_version_positive", "rate_limits_scope_has_its_form", "rate_limits_count_positive",
    "rate_limits_expire_later", "recovery_codes_code_is_sha256", "reservations_quantity_bounded",
    "reservations_status_known", "reservations_expire_later", "roles_name_has_its_form",
    "roles_description_bounded", "saved_cards_token_is_no_number", "saved_cards_alias_bounded",
    "saved_cards_bin_has_its_form", "saved_cards_last_four_have_their_form", "saved_cards_type_known",
    "saved_cards_association_bounded", "saved_cards_family_bounded", "saved_cards_bank_name_bounded",
    "saved_cards_holder_not_empty", "saved_cards_month_bounded", "saved_cards_year_bounded",
    "saved_cards_is_default_boolean", "security_events_type_has_its_form", "security_events_ip_address_is_sha256",
    "security_events_user_agent_is_sha256", "security_events_payload_is_an_object", "sell_items_title_not_empty",
    "sell_items_asking_price_bounded", "sell_items_currency_is_iso", "sell_submissions_status_known",
    "sell_submissions_contact_is_json", "stock_moves_delta_bounded", "stock_moves_reason_known",
    "stock_moves_balance_not_negative", "used_refresh_tokens_token_is_sha256", "user_permissions_effect_known",
    "user_sessions_token_is_sha256", "user_sessions_fingerprint_is_sha256", "user_sessions_user_agent_bounded",
    "user_sessions_expire_later", "users_email_has_its_form", "users_status_known",
    "users_password_hash_is_bcrypt", "users_first_name_bounded", "users_last_name_bounded", "users_phone_is_e164",
    "users_two_factor_has_its_secret", "users_two_factor_step_not_negative", "variants_sku_not_empty",
    "variants_title_not_empty", "variants_attributes_are_an_object", "variants_weight_not_negative",
    "variants_price_bounded", "variants_compare_at_price_bounded", "variants_is_primary_boolean",
    "verification_tokens_purpose_known", "verification_tokens_email_has_its_form",
    "verification_tokens_token_is_sha256", "verification_tokens_password_hash_is_bcrypt",
    "verification_tokens_profile_is_an_object", "verification_tokens_expire_later"
]')
WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND instr(sql, 'CONSTRAINT ' || value || ' CHECK') > 0)
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state')
UNION ALL
SELECT value FROM json_each('[
    "addresses_one_default", "api_keys_hash_once", "audit_links_sequence_once", "audit_logs_sequence_once",
    "cart_items_variant_once", "carts_token_once", "categories_slug_once", "collections_slug_once",
    "media_asset_id_once", "media_links_one_primary", "oauth_accounts_account_once",
    "oauth_accounts_one_of_a_kind", "orders_cart_once", "orders_reference_once", "password_resets_token_once",
    "payments_transaction_once", "permissions_key_once", "producers_slug_once", "product_categories_one_primary",
    "product_search_texts_product_once", "products_sku_once", "products_slug_once", "roles_name_once",
    "saved_cards_one_default", "saved_cards_token_once", "user_sessions_token_once", "users_email_once",
    "variants_one_primary", "variants_sku_once", "verification_tokens_token_once"
]')
WHERE value NOT IN (SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE %')
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state')
UNION ALL
SELECT value || ' is not STRICT' FROM json_each('[
    "addresses", "analytics_daily", "analytics_events", "analytics_stale_days", "api_keys", "audit_counters",
    "audit_links", "audit_logs", "cart_items", "carts", "categories", "collections", "idempotency_keys",
    "inventory", "locations", "media", "media_links", "migrations", "oauth_accounts", "oauth_states",
    "order_events", "order_items", "orders", "outbox", "password_resets", "payments", "permissions",
    "personal_values", "producers", "product_categories", "product_collections", "product_search_texts",
    "products", "rate_limits", "recovery_codes", "reservations", "role_permissions", "roles", "saved_cards",
    "security_events", "sell_items", "sell_submissions", "stock_moves", "used_refresh_tokens", "user_permissions",
    "user_roles", "user_sessions", "users", "variants", "verification_tokens"
]')
WHERE value IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict)
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state');
