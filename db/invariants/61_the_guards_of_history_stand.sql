-- Every trigger that keeps history from being changed, and the rules from being broken, is in place.
-- Not asked while a restore runs: it makes the triggers last, and compares the whole schema itself.
SELECT value AS missing_trigger FROM json_each('[
    "analytics_events_append_only_delete", "analytics_events_append_only_replace",
    "analytics_events_append_only_update", "analytics_events_make_the_day_stale", "audit_links_append_only_delete",
    "audit_links_append_only_replace", "audit_links_append_only_update", "audit_logs_append_only_delete",
    "audit_logs_append_only_replace", "audit_logs_append_only_update", "categories_path_follows_parent_on_insert",
    "categories_path_follows_parent_on_update", "categories_with_products_are_kept", "media_links_entity_exists",
    "order_events_append_only_delete", "order_events_append_only_replace", "order_events_append_only_update",
    "order_items_amounts_stay", "order_items_are_kept", "order_items_are_not_replaced", "orders_amounts_stay",
    "orders_are_kept", "orders_are_not_replaced", "orders_begin_pending", "orders_status_moves",
    "payments_are_kept", "payments_are_not_replaced", "payments_match_the_order_on_insert",
    "payments_match_the_order_on_update", "product_search_texts_indexed_on_delete",
    "product_search_texts_indexed_on_insert", "product_search_texts_indexed_on_update",
    "products_ordered_are_kept", "reservations_are_kept", "reservations_end_once",
    "security_events_append_only_delete", "security_events_append_only_replace",
    "security_events_append_only_update", "stock_moves_append_only_delete", "stock_moves_append_only_replace",
    "stock_moves_append_only_update", "variants_ordered_are_kept"
]')
WHERE value NOT IN (SELECT name FROM sqlite_schema WHERE type = 'trigger')
  AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'restoring_state');
