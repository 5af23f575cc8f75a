-- Every index has each row of its table once, and no other: what is looked up is found.
-- The engine stops after a hundred complaints; if they are others, file 70 tells them.
SELECT integrity_check AS problem FROM pragma_integrity_check
WHERE integrity_check LIKE '%missing from index %' OR integrity_check LIKE 'wrong # of entries in index %'
  OR integrity_check LIKE 'non-unique entry in index %';
