-- Every page of the file can be read, and holds what it should.
-- Values that the schema refuses are told by the other files, which also say in which row; but the engine stops after
-- a hundred complaints, and then these may hide others.
SELECT problem FROM (SELECT quick_check AS problem, count(*) OVER () AS complaints FROM pragma_quick_check)
WHERE problem <> 'ok' AND (complaints >= 100 OR (problem NOT LIKE 'CHECK constraint failed %'
  AND problem NOT LIKE 'NULL value in %' AND problem NOT LIKE 'non-% value in %'));
