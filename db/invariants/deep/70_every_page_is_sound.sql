-- Every page of the file can be read, and holds what it should.
-- Values that the schema refuses are told by the other files, which also say in which row.
SELECT quick_check AS problem FROM pragma_quick_check(1000000)
WHERE quick_check <> 'ok' AND quick_check NOT LIKE 'CHECK constraint failed %' AND quick_check NOT LIKE 'NULL value in %'
  AND quick_check NOT LIKE 'non-% value in %';
