"""The lines that a client asks for, in a cart or at once in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from api.problems import invalid
from api.shapes import Quantity, Shape, id_of
from domain.checkout import LINES_MAX, QUANTITY_MAX, merged


class Line(Shape):
    variant_id: id_of("variant")  # type: ignore[valid-type]
    quantity: Quantity


Lines = Annotated[list[Line], Field(max_length=LINES_MAX)]


def wanted(lines: Sequence[Line], name: str) -> dict[str, int]:
    """Pieces by variant: the same variant twice counts as one line. Raises 422 if that makes one too large.

    `name` is the field of the lines.
    """
    pieces = merged((line.variant_id, line.quantity) for line in lines)
    if max(pieces.values(), default=0) > QUANTITY_MAX:
        index = next(index for index, line in enumerate(lines) if pieces[line.variant_id] > QUANTITY_MAX)
        raise invalid(f"/{name}/{index}/quantity", "less_than_equal", le=QUANTITY_MAX)
    return pieces
