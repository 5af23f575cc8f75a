-- Every name, price and picture of the catalog is one that the shop allows, and every time is written in the form that sorts.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'producers' AS in_table, id AS key, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'producers_name_not_empty'
    WHEN NOT (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*') THEN 'producers_slug_has_its_form'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'producers.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'producers.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'producers.deleted_at'
  END AS broken FROM producers
  UNION ALL
  SELECT 'categories', id, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'categories_name_not_empty'
    WHEN NOT (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*') THEN 'categories_slug_has_its_form'
    WHEN NOT (level BETWEEN 0 AND 15) THEN 'categories_level_bounded'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'categories.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'categories.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'categories.deleted_at'
  END FROM categories
  UNION ALL
  SELECT 'collections', id, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 200) THEN 'collections_name_not_empty'
    WHEN NOT (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*') THEN 'collections_slug_has_its_form'
    WHEN NOT (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')) THEN 'collections_status_known'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'collections.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'collections.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'collections.deleted_at'
  END FROM collections
  UNION ALL
  SELECT 'products', id, CASE
    WHEN NOT (length(slug) BETWEEN 1 AND 200 AND slug NOT GLOB '*[^a-z0-9-]*') THEN 'products_slug_has_its_form'
    WHEN NOT (length(sku) BETWEEN 1 AND 100) THEN 'products_sku_not_empty'
    WHEN NOT (length(title) BETWEEN 1 AND 300) THEN 'products_title_not_empty'
    WHEN NOT (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')) THEN 'products_status_known'
    WHEN NOT (price BETWEEN 0 AND 1000000000) THEN 'products_price_bounded'
    WHEN NOT (compare_at_price BETWEEN 0 AND 1000000000) THEN 'products_compare_at_price_bounded'
    WHEN NOT (length(currency) = 3 AND currency NOT GLOB '*[^A-Z]*') THEN 'products_currency_is_iso'
    WHEN NOT (inventory_policy IN ('TRACK', 'DENY', 'CONTINUE')) THEN 'products_inventory_policy_known'
    WHEN NOT (json_valid(search_keywords) AND json_type(search_keywords) = 'array') THEN 'products_search_keywords_are_a_list'
    WHEN NOT (json_valid(attributes) AND json_type(attributes) = 'object') THEN 'products_attributes_are_an_object'
    WHEN NOT (version >= 1) THEN 'products_version_positive'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'products.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'products.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'products.deleted_at'
  END FROM products
  UNION ALL
  SELECT 'variants', id, CASE
    WHEN NOT (length(sku) BETWEEN 1 AND 100) THEN 'variants_sku_not_empty'
    WHEN NOT (length(title) BETWEEN 1 AND 300) THEN 'variants_title_not_empty'
    WHEN NOT (json_valid(attributes) AND json_type(attributes) = 'object') THEN 'variants_attributes_are_an_object'
    WHEN NOT (weight_grams >= 0) THEN 'variants_weight_not_negative'
    WHEN NOT (price BETWEEN 0 AND 1000000000) THEN 'variants_price_bounded'
    WHEN NOT (compare_at_price BETWEEN 0 AND 1000000000) THEN 'variants_compare_at_price_bounded'
    WHEN NOT (is_primary IN (0, 1)) THEN 'variants_is_primary_boolean'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'variants.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'variants.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'variants.deleted_at'
  END FROM variants
) WHERE broken IS NOT NULL;
