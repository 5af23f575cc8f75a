"""A planted defect: of batches that commit together, a refused one takes along those before it, which are told "kept".

It is about the file's group commit, so it does nothing on other engines; `tally prove --plant lose_the_group` finds it.
"""

from typing import Any

from db.engines.sqlite import binding, mapped, run
from db.engines.sqlite_serving import SqliteServing


def _run_group(self: Any, group: list[Any]) -> list[Any]:
    results: list[Any] = []
    self._writer.execute("SAVEPOINT batches")
    for one in group:
        self._start_writing()
        try:
            results.append(run(self._writer, one.statements, one.watch))
        except binding.Error as error:
            results.append(mapped(error))
            if not self._writer.in_transaction:
                return results
            self._writer.execute("ROLLBACK TO batches")
    self._writer.execute("RELEASE batches")
    return results


def plant() -> None:
    """From now on it is what this process's shop does."""
    SqliteServing._run_group = _run_group  # type: ignore[method-assign]
