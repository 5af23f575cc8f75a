-- The catalog of the shop that is measured. `numbers` holds 0 … 9,999; ids sort by their number and before any id made today.
INSERT INTO producers (id, name, slug, created_at, updated_at)
SELECT 'producer_00' || printf('%024d', value), 'Producer ' || value, 'producer-' || value, :now, :now FROM numbers WHERE value < 50;

INSERT INTO categories (id, name, slug, parent_id, level, path, created_at, updated_at)
SELECT 'category_00' || printf('%024d', value), 'Category ' || value, 'category-' || value, NULL, 0,
  '/category_00' || printf('%024d', value) || '/', :now, :now
FROM numbers WHERE value < 20;

INSERT INTO collections (id, name, slug, created_at, updated_at)
SELECT 'collection_00' || printf('%024d', value), 'Collection ' || value, 'collection-' || value, :now, :now
FROM numbers WHERE value < 10;

INSERT INTO products (id, producer_id, slug, sku, title, summary, description, status, price, currency, attributes, created_at, updated_at)
SELECT 'product_00' || printf('%024d', value), 'producer_00' || printf('%024d', value % 50), 'product-' || value, 'P-' || value,
  'Product number ' || value || ' of the shop', 'As good as it looks', replace(hex(zeroblob(50)), '00', 'word '), 'ACTIVE',
  100 + value * 7919 % 9900, 'EUR', '{"color":"red","material":"wool"}',
  strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', '+' || value || ' seconds'), :now
FROM numbers;

INSERT INTO variants (id, product_id, sku, title, size, price, is_primary, created_at, updated_at)
SELECT 'variant_00' || printf('%024d', value), 'product_00' || printf('%024d', value), 'SKU-' || value,
  'Product number ' || value || ', M', 'M', 100 + value * 7919 % 9900, 1, :now, :now
FROM numbers;

INSERT INTO product_categories (product_id, category_id, is_primary, created_at, updated_at)
SELECT 'product_00' || printf('%024d', value), 'category_00' || printf('%024d', value % 20), 1, :now, :now FROM numbers;

INSERT INTO product_collections (product_id, collection_id, created_at, updated_at)
SELECT 'product_00' || printf('%024d', value), 'collection_00' || printf('%024d', value % 10), :now, :now
FROM numbers WHERE value % 3 = 0;

INSERT INTO media (id, asset_id, type, provider, url, mime_type, width, height, alt, created_at, updated_at)
SELECT 'media_00' || printf('%024d', value), 'asset-' || value, 'IMAGE', 'LOCAL', 'https://media.example/' || value || '.jpg',
  'image/jpeg', 800, 600, 'Product number ' || value, :now, :now
FROM numbers;

INSERT INTO media_links (media_id, entity, entity_id, is_primary, created_at, updated_at)
SELECT 'media_00' || printf('%024d', value), 'product', 'product_00' || printf('%024d', value), 1, :now, :now FROM numbers;

INSERT INTO product_search_texts (id, product_id, title, body, created_at, updated_at)
SELECT value + 1, 'product_00' || printf('%024d', value), 'product number ' || value || ' of the shop', 'as good as it looks', :now, :now
FROM numbers;

INSERT INTO inventory (variant_id, location_id, stock, created_at, updated_at)
SELECT 'variant_00' || printf('%024d', value), :location_id, :stock, :now, :now FROM numbers;

INSERT INTO stock_moves (id, variant_id, location_id, delta, reason, balance_after, actor, created_at)
SELECT 'move_00' || printf('%024d', value), 'variant_00' || printf('%024d', value), :location_id, :stock, 'adjustment', :stock, 'bench', :now
FROM numbers;
