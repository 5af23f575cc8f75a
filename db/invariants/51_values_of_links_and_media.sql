-- Every link between products, categories, collections and pictures is one that the shop allows, with its times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'product_categories' AS in_table, product_id || ' ' || category_id AS key, CASE
    WHEN NOT (is_primary IN (0, 1)) THEN 'product_categories_is_primary_boolean'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_categories.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_categories.updated_at'
  END AS broken FROM product_categories
  UNION ALL
  SELECT 'product_collections', product_id || ' ' || collection_id, CASE
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_collections.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_collections.updated_at'
  END FROM product_collections
  UNION ALL
  SELECT 'media', id, CASE
    WHEN NOT (length(asset_id) BETWEEN 1 AND 500) THEN 'media_asset_id_not_empty'
    WHEN NOT (type IN ('IMAGE', 'VIDEO', 'DOCUMENT')) THEN 'media_type_known'
    WHEN NOT (provider IN ('S3', 'CLOUDINARY', 'LOCAL')) THEN 'media_provider_known'
    WHEN NOT (size_bytes >= 0) THEN 'media_size_not_negative'
    WHEN NOT (width > 0) THEN 'media_width_positive'
    WHEN NOT (height > 0) THEN 'media_height_positive'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'media.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'media.updated_at'
    WHEN NOT (deleted_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') THEN 'media.deleted_at'
  END FROM media
  UNION ALL
  SELECT 'media_links', media_id || ' ' || entity || ' ' || entity_id, CASE
    WHEN NOT (entity IN ('product', 'variant')) THEN 'media_links_entity_known'
    WHEN NOT (is_primary IN (0, 1)) THEN 'media_links_is_primary_boolean'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'media_links.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'media_links.updated_at'
  END FROM media_links
  UNION ALL
  SELECT 'product_search_texts', id, CASE
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_search_texts.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'product_search_texts.updated_at'
  END FROM product_search_texts
) WHERE broken IS NOT NULL;
