"""`tally doctor`: looks at any SQLite file, libSQL or D1 database, a stranger's too, and writes nothing.

`examine.py` is the way through: `patient.py` opens (a file read-only, `file.py`), `schema.py` and `rows.py` ask,
`checks/` judges, a file per theme, in the words of `catalogue.py`; `report.py` prints. `mend/` writes the migration and
proves it on a copy.
"""
