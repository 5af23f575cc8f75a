-- The schema came here version by version, none left out, each with the checksum of its file.
-- Covers migrations_version_positive, migrations_name_present, migrations_checksum_is_sha256, migrations_statements_positive.
SELECT version, name, checksum, statements FROM migrations m
WHERE version <> (SELECT count(*) FROM migrations WHERE version <= m.version) OR name = '' OR statements < 1
  OR length(checksum) <> 64 OR checksum GLOB '*[^0-9a-f]*';
