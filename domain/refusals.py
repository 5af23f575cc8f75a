"""How a rule says no."""

from typing import Any


class Refusal(Exception):
    """A rule said no. `code` is public and stable; `facts` become members of the problem and help to say why.

    The codes, their statuses and titles stand in api/problems.py, their sentences in api/messages.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
