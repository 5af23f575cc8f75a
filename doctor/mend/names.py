"""Names for what is new: none that is taken, in a schema that may hold any."""

from __future__ import annotations

import re

from doctor.schema import Schema


class Names:
    """Gives each name once."""

    def __init__(self, schema: Schema) -> None:
        self._taken = {str(one["name"]).lower() for one in schema.objects}

    def free(self, *parts: str) -> str:
        """The parts joined by `_`, in letters, digits and `_`; with a number if something is called so."""
        wanted = re.sub(r"\W+", "_", "_".join(parts))
        name, number = wanted, 2
        while name.lower() in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name.lower())
        return name


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
