-- Whatever a row refers to is there.
SELECT "table", rowid AS row_number, parent FROM pragma_foreign_key_check;
