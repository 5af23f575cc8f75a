"""SQL as a list of tokens, as SQLite cuts it. Never fails: what it does not know is an operator of one character."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"(?P<space>\s+)|(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<string>[xX]?'(?:[^']|'')*')"
    r"|(?P<quoted>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\])"
    r"|(?P<number>\d[\w.]*|\.\d\w*)|(?P<parameter>\?\d*|[:@$]\w+)|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<operator><>|[<>=!]=|\|\||->>|->|.)",
    re.S,
)


class Token(NamedTuple):
    """`kind` is string, quoted, number, parameter, word or operator; `at` its place in the text."""

    kind: str
    text: str
    at: int

    @property
    def name(self) -> str:
        """An identifier without its quotes, in lower case; of a keyword the same; empty for anything else."""
        if self.kind == "word":
            return self.text.lower()
        if self.kind == "quoted":
            end = {'"': '"', "`": "`", "[": ""}[self.text[0]]
            inner = self.text[1:-1]
            return (inner.replace(end * 2, end) if end else inner).lower()
        return ""

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, given in lower case."""
        return self.kind == "word" and self.text.lower() in words


def tokens(sql: str) -> list[Token]:
    """All tokens but spaces and comments."""
    found = []
    for match in _TOKEN.finditer(sql):
        kind = str(match.lastgroup)
        if kind not in ("space", "comment"):
            found.append(Token(kind, match[0], match.start()))
    return found


def groups(among: Sequence[Token], keyword: str) -> Iterator[list[Token]]:
    """What stands between the parentheses after each `keyword`, given in lower case."""
    for place, token in enumerate(among[:-1]):
        if token.is_word(keyword) and among[place + 1].text == "(":
            depth, inner = 0, list[Token]()
            for one in among[place + 1 :]:
                depth += (one.text == "(") - (one.text == ")")
                inner.append(one)
                if depth == 0:
                    break
            yield inner[1:-1]
