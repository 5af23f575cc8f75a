-- A picture, film or document that is linked belongs to a product or variant that is in the books.
SELECT media_id, entity, entity_id FROM media_links l
WHERE NOT (EXISTS (SELECT 1 FROM products WHERE l.entity = 'product' AND id = l.entity_id)
  OR EXISTS (SELECT 1 FROM variants WHERE l.entity = 'variant' AND id = l.entity_id));
